import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { SourceSlideInfo } from '@slidev/types'
import { z } from 'zod'
import type { DeckProblem, Place } from '../../shared/failures/deck-problem.ts'
import { json } from '../../shared/json.ts'
import { frontmatterLine } from './frontmatter.ts'
import { deckProblem } from './problems.ts'
import { loadSlidev } from './slidev.ts'

/**
 * The folders that Slidev builds a deck from. Each may have components, layouts, setup files, styles and public files; a
 * later root replaces files of an earlier one.
 */
export interface DeckRoots {
  /** Absolute and without links, like the other roots. Absent if the deck has no theme. */
  theme?: string
  /**
   * Those of the deck and those of its package.json, each with those that they use. Slidev's own order among the addons
   * of one list depends on which it finds first.
   */
  addons: string[]
  /** The folder of the deck, as given. */
  deck: string
  /** All roots in Slidev's order: theme, addons, deck. */
  all: string[]
  /** The themes and addons that are not installed, of kind `missing-root`. */
  missing: DeckProblem[]
}

/** A name for a theme or an addon, and where it is written. */
interface RootName {
  type: RootType
  name: string
  place: Place
}

type RootType = 'theme' | 'addon'

const addonNames = z.array(z.string()).catch([])
const settings = z.record(z.string(), z.unknown()).catch({})
const manifestSchema = z.object({
  slidev: z
    .object({ addons: addonNames.default([]), defaults: settings.default({}) })
    .catch({ addons: [], defaults: {} })
    .default({ addons: [], defaults: {} }),
})

/** Names of themes that Slidev looks for in its own scope. */
const OFFICIAL_THEMES = ['default', 'seriph', 'apple-basic', 'shibainu', 'bricks']

/**
 * Finds the folders that Slidev builds a deck from. Follows the rules of `resolveOptions` in @slidev/cli, which takes
 * too long to load for this. A test compares the two.
 *
 * @param deckFile the entry file, absolute
 * @throws SlidevError
 */
export async function findRoots(deckFile: string): Promise<DeckRoots> {
  const deck = dirname(deckFile)
  const missing: DeckProblem[] = []
  const text = await readFile(deckFile, 'utf8').catch(() => '')
  const first = await readFirstSlide(text, deckFile)
  const headmatter: Record<string, unknown> = first?.frontmatter ?? {}
  const placeOfKey = (key: string): Place => ({
    file: relative(deck, deckFile),
    ...(first && { line: frontmatterLine(first, text.split('\n'), [key]) + 1 }),
  })

  const placeOfManifest = (folder: string): Place => ({ file: relative(deck, join(folder, 'package.json')) })

  const themeName = headmatter.theme === null ? 'none' : z.string().min(1).catch('default').parse(headmatter.theme)
  const theme = await findRoot({ type: 'theme', name: themeName, place: placeOfKey('theme') }, deck, deck, missing)
  const themeDefaults = theme === undefined ? {} : (await readManifest(theme)).slidev.defaults
  const config = { ...themeDefaults, ...settings.parse(headmatter.config), ...headmatter }

  const addons = new Set<string>()
  /** Adds addons, and then those that they use. A path is relative to the parent of the folder that names it. */
  const add = async (names: readonly string[], importer: string, place: Place): Promise<void> => {
    const found: string[] = []
    for (const name of names) {
      const folder = await findRoot({ type: 'addon', name, place }, dirname(importer), deck, missing, importer)
      if (folder !== undefined && !addons.has(folder)) found.push(folder)
    }
    for (const folder of found) addons.add(folder)
    for (const folder of found) await add((await readManifest(folder)).slidev.addons, folder, placeOfManifest(folder))
  }
  await add(addonNames.parse(config.addons), deck, placeOfKey('addons'))
  const project = await nearestFile('package.json', deck)
  if (project !== undefined)
    await add((await readManifest(dirname(project))).slidev.addons, deck, placeOfManifest(dirname(project)))

  return {
    ...(theme !== undefined && { theme }),
    addons: [...addons],
    deck,
    all: [...new Set([...(theme === undefined ? [] : [theme]), ...addons, deck])],
    missing,
  }
}

/** The first slide of the deck that was read last. Slidev's parser reads all slides for it, and a start needs it six times. */
let lastRead: { text: string; deckFile: string; first: SourceSlideInfo | undefined } | undefined

async function readFirstSlide(text: string, deckFile: string): Promise<SourceSlideInfo | undefined> {
  if (lastRead?.text === text && lastRead.deckFile === deckFile) return lastRead.first
  const { parser } = await loadSlidev(deckFile)
  const [first] = (await parser.parse(text, deckFile)).slides
  lastRead = { text, deckFile, first }
  return first
}

/**
 * Resolves the name of a theme or an addon as Slidev does: a path or a package.
 *
 * @param base folder to which paths are relative
 * @param importer folder from which packages are looked up
 */
async function findRoot(
  { type, name, place }: RootName,
  base: string,
  deck: string,
  missing: DeckProblem[],
  importer = base,
): Promise<string | undefined> {
  if (name === 'none' || name === '') return undefined
  const path = name.startsWith('@/') ? resolve(deck, name.slice(2)) : isPath(name) ? resolve(base, name) : undefined
  if (path !== undefined) {
    if (await exists(path)) return path
    missing.push(deckProblem(place, { kind: 'missing-root', type, name }))
    return undefined
  }
  const isShort = !name.startsWith('@')
  const names = isShort ? [`@slidev/${type}-${name}`, `slidev-${type}-${name}`, name] : [name]
  for (const each of names) {
    const folder = await findPackage(each, importer)
    if (folder !== undefined) return folder
  }
  missing.push(deckProblem(place, { kind: 'missing-root', type, name, package: packageToInstall(type, name) }))
  return undefined
}

/** The package that a name of a theme or an addon most likely means. */
function packageToInstall(type: RootType, name: string): string {
  if (type === 'theme' && OFFICIAL_THEMES.includes(name)) return `@slidev/theme-${name}`
  return name.startsWith('@') || name.startsWith('slidev-') ? name : `slidev-${type}-${name}`
}

/**
 * A theme as a problem of its deck, without looking for it.
 *
 * @returns undefined if the theme is a folder or none, which npm does not install
 */
export function missingTheme(name: string, place: Place): (DeckProblem & { package: string }) | undefined {
  if (name === 'none' || name === '' || name.startsWith('@/') || isPath(name)) return undefined
  const packageName = packageToInstall('theme', name)
  return {
    ...deckProblem(place, { kind: 'missing-root', type: 'theme', name, package: packageName }),
    package: packageName,
  }
}

function isPath(name: string): boolean {
  return /^[./]/.test(name) || (!name.startsWith('@') && name.includes('/'))
}

/** The folder of an installed package, without links, looked up from a folder as Node.js does. */
export async function findPackage(name: string, importer: string): Promise<string | undefined> {
  const manifest = await nearestFile(join('node_modules', name, 'package.json'), importer)
  return manifest === undefined ? undefined : dirname(await realpath(manifest))
}

/** The file with this name in the nearest folder that contains it, from `start` upward. */
async function nearestFile(name: string, start: string): Promise<string | undefined> {
  for (const folder of parents(start)) if (await exists(join(folder, name))) return join(folder, name)
  return undefined
}

/** A folder and its parents, nearest first. */
export function* parents(folder: string): Generator<string> {
  for (let current = folder; ; current = dirname(current)) {
    yield current
    if (current === dirname(current)) return
  }
}

async function readManifest(folder: string): Promise<z.infer<typeof manifestSchema>> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '')
  return manifestSchema.catch({ slidev: { addons: [], defaults: {} } }).parse(json(text) ?? {})
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
