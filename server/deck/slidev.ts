import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { execa } from 'execa'
import { packageRoot } from '../lib/paths.ts'
import type { StaticDeck } from '../../shared/static-deck.ts'

/** Slidev runs as a process of its own: whatever happens to it, terminals and steps go on. */
export function slidevCommand(deckFile: string): string {
  const manifest = createRequire(join(dirname(deckFile), 'package.json')).resolve('@slidev/cli/package.json')
  return join(dirname(manifest), 'bin', 'slidev.mjs')
}

/** What a built deck is made of, besides the files of the deck itself: by Slidev's conventions, of the deck and of this addon. */
const PARTS = [
  'components',
  'layouts',
  'setup',
  'styles',
  'style.css',
  'theme',
  'public',
  'snippets',
  'nix',
  'recordings',
  'index.html',
  'package-lock.json',
]
const LOOSE = /^(global-|slide-|custom-nav|vite\.config|uno\.config|presenter).*\.(vue|ts|js|mts)$/
const SHARED = ['client', 'shared', 'server/deck']

/**
 * Changes with everything that a built deck shows.
 *
 * @param deckFiles the deck's own files, absolute
 */
export async function deckVersion(deckFile: string, deckFiles: string[]): Promise<string> {
  const files = new Set(deckFiles)
  for (const root of new Set([dirname(deckFile), packageRoot])) {
    const loose = (await readdir(root).catch(() => [])).filter((name) => LOOSE.test(name))
    for (const part of [...PARTS, ...SHARED, ...loose])
      for (const file of await filesBelow(join(root, part))) files.add(file)
  }
  const hash = createHash('sha256')
  for (const file of [...files].sort()) {
    hash.update(relative(dirname(deckFile), file)).update('\0')
    hash.update(await readFile(file).catch(() => ''))
  }
  return hash.digest('hex').slice(0, 16)
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR') return undefined
      if (error.code === 'ENOENT') return []
      throw error
    },
  )
  if (entries === undefined) return [path]
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

/** The deck could not be built. The message is the end of what Slidev said. */
export class BuildError extends Error {
  override name = 'BuildError'
}

/**
 * Builds the deck as static files, unless this version is there already.
 *
 * @param built folder of built decks, absolute: the older ones are removed
 * @param workshop with the learner's page, whose editor is as large as the rest of a deck: such decks want a folder of their own
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
  const fresh = await slidevBuild(
    deckFile,
    out,
    ['--base', '/'],
    workshop ? { VITE_UNDERSTUDY_WORKSHOP: '1' } : {},
    signal,
  )
  const older = (await readdir(built)).filter((name) => name !== `${version}.new`)
  await rename(fresh, out)
  // One before is kept: a window may still load parts of it.
  for (const name of older.sort().slice(0, -1)) await rm(join(built, name), { recursive: true, force: true })
  return out
}

/** Has Slidev build into a folder beside the one that is meant, and returns it. */
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
  const said = withoutStacks(result.all ?? '')
  throw new BuildError(reasons(said) || lastLines(said) || `Slidev ended with exit status ${result.exitCode}.`)
}

/** Without the calls that an error came through (of Node, and of Rust below it): they would hide what happened. */
function withoutStacks(text: string): string {
  const noise = /^\s+at |^\s*\d+: |^Stack backtrace:|^\s*errors: \[Getter\/Setter\]|^[{}\s]*$/
  return text
    .split('\n')
    .filter((line) => !noise.test(line))
    .join('\n')
}

/** What is wrong on which slide: of each error of a plugin its place and its first line, once. */
function reasons(text: string): string {
  const found = new Map<string, string>()
  for (const [, place = '', what = ''] of text.matchAll(/^\[plugin [^\]]*\] (\S+)\n(?:\w*Error: )?(.*)$/gm))
    if (!found.has(what)) found.set(what, place.replace(/^.*__slidev_(\d+)\.md.*$/, 'slide $1'))
  return [...found].map(([what, place]) => `${place}: ${what}`).join('\n')
}

export function lastLines(text: string): string {
  return text.trim().split('\n').slice(-12).join('\n')
}

/**
 * Builds the deck as a static site that works from any sub-path. What was in the folder is replaced once the new site is there.
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
