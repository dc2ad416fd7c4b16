import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import type { StaticDeck } from '../../shared/static-deck.ts'

/** Lines of Slidev's output that an error message shows. */
const MAX_OUTPUT_LINES = 12

/**
 * The path of Slidev's executable. Slidev runs as a separate process, so that its crash does not affect terminals and
 * steps.
 */
export function slidevCommand(deckFile: string): string {
  const manifest = createRequire(join(dirname(deckFile), 'package.json')).resolve('@slidev/cli/package.json')
  return join(dirname(manifest), 'bin', 'slidev.mjs')
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
 * @throws BuildError
 */
export async function buildDeck(
  deckFile: string,
  version: string,
  built: string,
  { workshop = false, signal }: { workshop?: boolean; signal?: AbortSignal } = {},
): Promise<string> {
  const out = join(built, version)
  if (existsSync(join(out, 'index.html'))) return out
  const env: Record<string, string> = workshop ? { VITE_UNDERSTUDY_WORKSHOP: '1' } : {}
  const fresh = await slidevBuild(deckFile, out, ['--base', '/'], env, signal)
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
 * @throws BuildError
 */
export async function buildSite(
  deckFile: string,
  out: string,
  { site, withNotes, signal }: { site: StaticDeck; withNotes: boolean; signal: AbortSignal },
): Promise<void> {
  const args = ['--base', './', '--router-mode', 'hash', ...(withNotes ? [] : ['--without-notes'])]
  const fresh = await slidevBuild(deckFile, out, args, { VITE_UNDERSTUDY_STATIC: JSON.stringify(site) }, signal)
  await rm(out, { recursive: true, force: true })
  await rename(fresh, out)
}

/**
 * Builds into a folder beside the given one, so that an interrupted build does not leave an incomplete one there.
 *
 * @returns the folder that was built
 */
async function slidevBuild(
  deckFile: string,
  out: string,
  args: string[],
  env: Record<string, string>,
  cancelSignal?: AbortSignal,
): Promise<string> {
  const fresh = `${out}.new`
  await rm(fresh, { recursive: true, force: true })
  const result = await execa(process.execPath, [slidevCommand(deckFile), 'build', deckFile, '--out', fresh, ...args], {
    cwd: dirname(deckFile),
    reject: false,
    all: true,
    cancelSignal,
    stdin: 'ignore',
    env: { NO_COLOR: '1', CI: '1', ...env },
  })
  if (result.exitCode === 0 && existsSync(join(fresh, 'index.html'))) return fresh
  await rm(fresh, { recursive: true, force: true })
  cancelSignal?.throwIfAborted()
  const output = withoutStacks(result.all)
  throw new BuildError(
    pluginErrors(output) || lastLines(output) || `Slidev exited with status ${result.exitCode ?? '(none)'}.`,
  )
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
