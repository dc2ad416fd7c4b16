import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import semver from 'semver'
import type * as slidevParser from '@slidev/parser/fs'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { packageRoot } from '../lib/paths.ts'
import { describeSlidevProblem, type SlidevProblem } from './slidev-problem.ts'

/**
 * The only file of the server that knows where Slidev is installed and which parts of it the addon uses. The only such
 * file of the client is client/slidev-internals.ts.
 */

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
