import { existsSync, readFileSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { execa } from 'execa'
import semver from 'semver'
import type * as slidevParser from '@slidev/parser/fs'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import type { StaticDeck } from '../../shared/static-deck.ts'
import { packageRoot } from '../lib/paths.ts'
import { compressFolder } from './compress.ts'
import type { DeckSlide } from './step.ts'
import { STEP_LIST_VARIABLE, StepListFile } from './step-list.ts'
import { describeSlidevProblem, type SlidevProblem } from './slidev-problem.ts'

/**
 * The only file of the server that knows Slidev: where it is installed, which parts of it the addon uses, and how it
 * builds a deck. The only such file of the client is client/slidev-internals.ts.
 */

/** Lines of Slidev's output that an error message shows. */
const MAX_OUTPUT_LINES = 12

/** Files of @slidev/client outside its public API that client/slidev-internals.ts imports. */
export const CLIENT_INTERNALS = ['internals/SlideContainer.vue', 'internals/SlidesShow.vue']

/** Slidev's parser. */
export type Parser = Pick<
  typeof slidevParser,
  'load' | 'parse' | 'parseRangeString' | 'resolveConfig' | 'injectPreparserExtensionLoader'
>
/** Slides as Slidev's parser reads them. */
export type LoadedSlides = slidevParser.LoadedSlidevData

/** An installed Slidev. */
export interface Slidev {
  version: string
  /** Path of the executable. Slidev runs as a separate process, so that its crash does not affect terminals and steps. */
  executable: string
  /** The parser that belongs to this version. */
  parser: Parser
}

/** Thrown if there is no Slidev that the addon can use. */
export class SlidevError extends Error {
  override name = 'SlidevError'
  readonly problem: SlidevProblem

  constructor(problem: SlidevProblem) {
    super(describeSlidevProblem(problem))
    this.problem = problem
  }
}

const isFunction = (value: unknown) => typeof value === 'function'
const parserSchema = z.object({
  load: z.custom<Parser['load']>(isFunction),
  parse: z.custom<Parser['parse']>(isFunction),
  parseRangeString: z.custom<Parser['parseRangeString']>(isFunction),
  resolveConfig: z.custom<Parser['resolveConfig']>(isFunction),
  injectPreparserExtensionLoader: z.custom<Parser['injectPreparserExtensionLoader']>(isFunction),
})
const versionSchema = z.object({ version: z.string() })
const peersSchema = z.object({ peerDependencies: z.object({ '@slidev/cli': z.string() }) })

/** The versions of Slidev that this addon supports, as a range of semantic versions. */
export const SUPPORTED_SLIDEV = peersSchema.parse(readJson(join(packageRoot, 'package.json'))).peerDependencies[
  '@slidev/cli'
]

/**
 * Finds the Slidev of a deck, and loads its parser.
 *
 * Looks for Slidev where Node.js would from the folder of the deck, and then from this package. Everything else is
 * looked up from @slidev/cli itself, whose dependencies need not be visible to others (pnpm). Does not load @slidev/cli,
 * which takes more than a second.
 *
 * @param deckFile absolute
 * @param addonFolder folder of this package, absolute
 * @throws SlidevError
 */
export async function loadSlidev(deckFile: string, addonFolder = packageRoot): Promise<Slidev> {
  const manifest =
    resolveFrom(deckFile, '@slidev/cli/package.json') ??
    resolveFrom(join(addonFolder, 'package.json'), '@slidev/cli/package.json')
  if (manifest === undefined) throw new SlidevError({ kind: 'missing', range: SUPPORTED_SLIDEV })
  const folder = dirname(manifest)
  const { version } = versionSchema.parse(readJson(manifest))
  if (!semver.satisfies(version, SUPPORTED_SLIDEV))
    throw new SlidevError({ kind: 'unsupported', version, folder, range: SUPPORTED_SLIDEV })

  const incomplete = (part: string) => new SlidevError({ kind: 'incomplete', version, folder, part })
  const executable = join(folder, 'bin', 'slidev.mjs')
  if (!existsSync(executable)) throw incomplete('bin/slidev.mjs')
  const client = resolveFrom(manifest, '@slidev/client/package.json')
  for (const file of CLIENT_INTERNALS)
    if (client === undefined || !existsSync(join(dirname(client), file))) throw incomplete(`@slidev/client/${file}`)
  const parserFile = resolveFrom(manifest, '@slidev/parser/fs')
  const parser = parserSchema.safeParse(parserFile && (await import(pathToFileURL(parserFile).href)))
  if (!parser.success) throw incomplete('@slidev/parser/fs')
  return { version, executable, parser: parser.data }
}

/** The path of a module as it is visible from a file; undefined if it is not installed there. */
function resolveFrom(file: string, module: string): string | undefined {
  try {
    return createRequire(file).resolve(module)
  } catch {
    return undefined
  }
}

function readJson(file: string): unknown {
  return json(readFileSync(file, 'utf8'))
}

/** What a build needs to know of a deck. */
export interface BuildableDeck {
  /** The entry file, absolute. */
  file: string
  slides: readonly DeckSlide[]
}

/** Thrown if Slidev cannot build the deck. The message is the relevant part of Slidev's output. */
export class BuildError extends Error {
  override name = 'BuildError'
}

/**
 * Builds the deck as static files, unless this version is already built.
 *
 * @param built folder of built decks, absolute; all but the latest earlier build are removed from it
 * @param options.workshop include the learner's page, whose editor doubles the size of a build; requires a separate
 * `built`
 * @returns the folder of this version
 * @throws BuildError, or DeckError if the page has other steps than the server has read
 */
export async function buildDeck(
  deck: BuildableDeck,
  version: string,
  built: string,
  { workshop = false, signal }: { workshop?: boolean; signal?: AbortSignal } = {},
): Promise<string> {
  const out = join(built, version)
  if (existsSync(join(out, 'index.html'))) return out
  const env = { VITE_UNDERSTUDY_SERVER: '1', ...(workshop && { VITE_UNDERSTUDY_WORKSHOP: '1' }) }
  const fresh = await slidevBuild(deck, out, ['--base', '/'], env, signal)
  await compressFolder(fresh, 'fast')
  const earlier = (await readdir(built)).filter((name) => name !== `${version}.new`)
  await rename(fresh, out)
  // The previous build is kept, because an open window may still load parts of it.
  for (const name of earlier.sort().slice(0, -1)) await rm(join(built, name), { recursive: true, force: true })
  return out
}

/**
 * Builds the deck as a static site that works at any path. Replaces the contents of the folder once the build is
 * complete.
 *
 * @param out folder, absolute
 * @throws BuildError, or DeckError if the page has other steps than the server has read
 */
export async function buildSite(
  deck: BuildableDeck,
  out: string,
  { site, withNotes, signal }: { site: StaticDeck; withNotes: boolean; signal: AbortSignal },
): Promise<void> {
  const args = ['--base', './', '--router-mode', 'hash', ...(withNotes ? [] : ['--without-notes'])]
  const fresh = await slidevBuild(deck, out, args, { VITE_UNDERSTUDY_STATIC: JSON.stringify(site) }, signal)
  await rm(out, { recursive: true, force: true })
  await rename(fresh, out)
}

/**
 * Builds into a folder beside the given one, so that an interrupted build does not leave an incomplete one there.
 *
 * @returns the folder that was built
 */
async function slidevBuild(
  { file, slides }: BuildableDeck,
  out: string,
  args: string[],
  env: Record<string, string>,
  cancelSignal?: AbortSignal,
): Promise<string> {
  const fresh = `${out}.new`
  await rm(fresh, { recursive: true, force: true })
  const { executable } = await loadSlidev(file)
  const list = await StepListFile.create(slides)
  try {
    const result = await execa(process.execPath, [executable, 'build', file, '--out', fresh, ...args], {
      cwd: dirname(file),
      reject: false,
      all: true,
      cancelSignal,
      stdin: 'ignore',
      env: { NO_COLOR: '1', CI: '1', [STEP_LIST_VARIABLE]: list.path, ...env },
    })
    if (result.exitCode === 0 && existsSync(join(fresh, 'index.html'))) return fresh
    await rm(fresh, { recursive: true, force: true })
    cancelSignal?.throwIfAborted()
    await list.check()
    const output = withoutStacks(result.all)
    throw new BuildError(
      pluginErrors(output) || lastLines(output) || `Slidev exited with status ${result.exitCode ?? '(none)'}.`,
    )
  } finally {
    await list.remove()
  }
}

/** Removes the stack traces of Node and of Rust, which would hide the error itself. */
function withoutStacks(text: string): string {
  const stack = /^\s+at |^\s*\d+: |^Stack backtrace:|^\s*errors: \[Getter\/Setter\]|^[{}\s]*$/
  return text
    .split('\n')
    .filter((line) => !stack.test(line))
    .join('\n')
}

/** The errors of Vite plugins: the position and first line of each distinct one. */
function pluginErrors(text: string): string {
  const positions = new Map<string, string>()
  for (const [, position = '', message = ''] of text.matchAll(/^\[plugin [^\]]*\] (\S+)\n(?:\w*Error: )?(.*)$/gm))
    if (!positions.has(message)) positions.set(message, position.replace(/^.*__slidev_(\d+)\.md.*$/, 'slide $1'))
  return [...positions].map(([message, position]) => `${position}: ${message}`).join('\n')
}

/** The end of a program's output, for an error message. */
export function lastLines(text: string): string {
  return text.trim().split('\n').slice(-MAX_OUTPUT_LINES).join('\n')
}
