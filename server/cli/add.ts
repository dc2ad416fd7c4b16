import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline/promises'
import semver from 'semver'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { describeDeckProblem } from '../../shared/failures/deck-problem.ts'
import { addAddon, type HeadmatterProblem, headmatterSettings } from '../deck/headmatter.ts'
import { addToManifest } from '../deck/manifest.ts'
import { findNameClashes } from '../deck/name-clashes.ts'
import { findRoots, missingTheme } from '../deck/roots.ts'
import { SlidevError, SUPPORTED_SLIDEV } from '../deck/slidev.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { packageRoot } from '../lib/paths.ts'
import { ADDON, addonSpec, type AddonSpec } from './addon-spec.ts'
import { DEFAULT_DECK } from './arguments.ts'
import { deckScripts } from './deck-scripts.ts'

export interface AddOptions {
  /** The deck, absolute. */
  deck: string
  addon?: string
  /** Do not ask. */
  yes: boolean
  /** Only show the changes. */
  dryRun: boolean
  /** Names of all commands. */
  commands: readonly string[]
}

/** Folders that commands write and that a repository should not contain. */
const IGNORED = ['node_modules', 'dist', 'videos', 'casts']

/** An edit of a file. */
interface Change {
  /** Absolute. */
  file: string
  text: string
  /** Lines for the user: what is added. */
  added: string[]
}

/**
 * Adds Understudy to an existing deck, after showing the changes and asking.
 *
 * @throws Error if the deck cannot be edited; the message contains the fix
 */
export async function addToDeck(
  { deck, addon, yes, dryRun, commands }: AddOptions,
  signal = interruptSignal(),
): Promise<void> {
  const text = await readFile(deck, 'utf8').catch(() => {
    throw new Error(`The deck ${deck} cannot be read. Create a new one with: npx ${ADDON} new <folder>`)
  })
  const root = packageFolder(dirname(deck)) ?? dirname(deck)
  const spec = await addonSpec(addon, root)
  const path = relative(root, deck)
  const scripts = deckScripts(commands, path === DEFAULT_DECK ? undefined : path)
  const { change: manifest, kept, usesSpec } = await manifestChange(join(root, 'package.json'), scripts, spec)
  const changes = [manifest, deckChange(deck, text), await ignoreChange(join(root, '.gitignore'))].filter(
    (change) => change !== undefined,
  )
  const tarball = usesSpec ? spec.tarball : undefined

  const show = (file: string) => relative(process.cwd(), file)
  for (const { file, added } of changes) console.log(`${show(file)}\n${added.map((line) => `  + ${line}`).join('\n')}`)
  if (tarball) console.log(`${show(join(root, tarball.name))}\n  + the package, which is not from a registry`)
  for (const line of kept) {
    const command = /^scripts\.([\w-]+): /.exec(line)?.[1] ?? ''
    console.log(`Kept: ${line}\n  Understudy's own: npx ${ADDON} ${command}`)
  }
  for (const notice of await notices(root, deck, text)) console.log(notice)
  if (changes.length === 0) return console.log('The deck already uses Understudy. Nothing to change.')
  if (dryRun) return console.log('Nothing was changed, because of --dry-run.')
  if (!yes && !(await confirm(signal))) return console.log('Nothing was changed.')

  for (const change of changes) await writeFile(change.file, change.text)
  if (tarball) await tarball.put(root, signal)
  const argument = path === DEFAULT_DECK ? '' : ` ${path}`
  const start = 'start' in scripts && !kept.some((line) => line.startsWith('scripts.start:'))
  console.log(`\nDone. Next:\n  npm install\n  ${start ? 'npm start' : `npx ${ADDON} start${argument}`}`)
}

/** The nearest folder with a package.json: the given one or one above it. */
function packageFolder(folder: string): string | undefined {
  if (existsSync(join(folder, 'package.json'))) return folder
  return dirname(folder) === folder ? undefined : packageFolder(dirname(folder))
}

/** @throws Error if package.json is invalid */
async function manifestChange(
  file: string,
  scripts: Record<string, string>,
  { spec }: AddonSpec,
): Promise<{ change?: Change; kept: string[]; usesSpec: boolean }> {
  const text = existsSync(file) ? await readFile(file, 'utf8') : '{\n  "private": true,\n  "type": "module"\n}\n'
  const edited = addToManifest(text, { scripts, dependencies: { [ADDON]: spec } })
  if (!edited) throw new Error(`${file} is not a valid package.json. Correct it, then try again.`)
  const describe = ({ path, value }: { path: string; value: string }) => `${path}: ${value}`
  return {
    kept: edited.kept.map(describe),
    usesSpec: edited.added.some(({ path }) => path.endsWith(`ependencies.${ADDON}`)),
    ...(edited.added.length > 0 && { change: { file, text: edited.text, added: edited.added.map(describe) } }),
  }
}

/** @throws Error if the headmatter cannot be edited */
function deckChange(file: string, text: string): Change | undefined {
  const edited = addAddon(text, ADDON)
  if (typeof edited !== 'string') throw new Error(`${file}: ${describeHeadmatterProblem(edited)}`)
  return edited === text ? undefined : { file, text: edited, added: [`addons: ${ADDON}`] }
}

function describeHeadmatterProblem(problem: HeadmatterProblem): string {
  switch (problem.kind) {
    case 'invalid-yaml':
      return `the first frontmatter is not valid YAML: ${problem.message}`
    case 'unusual-form':
      return `cannot edit the first frontmatter. Add this line to it: addons: [${ADDON}]`
  }
}

async function ignoreChange(file: string): Promise<Change | undefined> {
  const text = existsSync(file) ? await readFile(file, 'utf8') : ''
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const present = new Set(text.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, '')))
  const added = IGNORED.filter((name) => !present.has(name))
  if (added.length === 0) return undefined
  const separator = text === '' || text.endsWith('\n') ? '' : newline
  return { file, text: `${text}${separator}${added.map((name) => `${name}${newline}`).join('')}`, added }
}

/** What the deck lacks, with the fix, and what of it replaces a part of the addon. */
async function notices(root: string, deck: string, text: string): Promise<string[]> {
  const found: string[] = []
  const slidev = await installedVersion(root, '@slidev/cli')
  if (slidev === undefined) found.push('Slidev is not installed. Install it with: npm install @slidev/cli')
  else if (semver.ltr(slidev, SUPPORTED_SLIDEV))
    found.push(
      `Slidev ${slidev} is too old: ${oldestSlidev()} or newer is required. Update it with: npm install @slidev/cli@latest`,
    )
  const { theme = 'default', keys } = headmatterSettings(text)
  const file = relative(process.cwd(), deck)
  const missing = missingTheme(theme, { file })
  const isExpected =
    missing &&
    ((await installedVersion(root, missing.package)) !== undefined || (await declares(root, missing.package)))
  if (missing && !isExpected) found.push(describeDeckProblem(missing))
  for (const clash of await findNameClashes({ roots: await rootsOf(deck), deck: process.cwd() }, keys, packageRoot))
    found.push(describeDeckProblem(clash))
  return found
}

/** The folders of a deck; only its own if they cannot be found, because Slidev is not installed yet. */
async function rootsOf(deck: string): Promise<string[]> {
  try {
    return (await findRoots(deck)).all
  } catch (error) {
    if (error instanceof SlidevError) return [dirname(deck)]
    throw error
  }
}

const withVersion = z.object({ version: z.string() })

/** The version of a package that is installed in a folder or above it. */
async function installedVersion(folder: string, name: string): Promise<string | undefined> {
  const file = join(folder, 'node_modules', name, 'package.json')
  if (existsSync(file)) return withVersion.safeParse(json(await readFile(file, 'utf8'))).data?.version
  return dirname(folder) === folder ? undefined : installedVersion(dirname(folder), name)
}

const withDependencies = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
})

/** Whether package.json names a package, which may not be installed yet. */
async function declares(root: string, name: string): Promise<boolean> {
  const parsed = withDependencies.safeParse(json(await readFile(join(root, 'package.json'), 'utf8').catch(() => '')))
  return parsed.success && (name in parsed.data.dependencies || name in parsed.data.devDependencies)
}

/** The oldest supported version of Slidev, as major and minor version. */
function oldestSlidev(): string {
  const { major, minor } = semver.minVersion(SUPPORTED_SLIDEV) ?? { major: 0, minor: 0 }
  return `${major}.${minor}`
}

/** @throws Error if there is no terminal to ask in */
async function confirm(signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new Error('Nothing was changed. To make these changes without being asked, use --yes.')
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // readline intercepts Ctrl-C while it waits for the answer.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const answer = await terminal.question('Make these changes? [Y/n] ', { signal })
    return !/^n/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
