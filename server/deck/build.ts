import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import type { StaticDeck } from '../../shared/static-deck.ts'
import { BuildError, parseBuildErrors } from './build-errors.ts'
import { type BuildVariant, INPUTS_VARIABLE, saveInputs } from './build-inputs.ts'
import { deckVersion } from './build-version.ts'
import { compressFolder } from './compress.ts'
import type { Deck } from './deck.ts'
import { loadSlides } from './load-slides.ts'
import { findRoots } from './roots.ts'
import { loadSlidev } from './slidev.ts'
import { STEP_LIST_VARIABLE, StepListFile } from './step-list.ts'

/** A deck to build, as `readDeck` returns it. */
type BuiltDeck = Pick<Deck, 'file' | 'files' | 'slides'>

/**
 * Builds the deck as static files, unless its current version is already built.
 *
 * @param built folder of built decks, absolute; all but the latest earlier build are removed from it
 * @param options.workshop include the learner's page, whose editor doubles the size of a build; requires a separate
 * `built`
 * @returns the version and its folder
 * @throws BuildError, or DeckError if the page has other steps than the server has read
 */
export async function buildDeck(
  deck: BuiltDeck,
  built: string,
  { workshop = false, signal }: { workshop?: boolean; signal?: AbortSignal } = {},
): Promise<{ version: string; folder: string }> {
  const variant = workshop ? 'workshop' : 'talk'
  const current = await deckVersion(deck.file, deck.files, variant)
  if (existsSync(join(built, current, 'index.html'))) return { version: current, folder: join(built, current) }
  const env = { VITE_UNDERSTUDY_SERVER: '1', ...(workshop && { VITE_UNDERSTUDY_WORKSHOP: '1' }) }
  const { fresh, version } = await slidevBuild(deck, join(built, current), variant, ['--base', '/'], env, signal)
  await compressFolder(fresh, 'fast')
  const folder = join(built, version)
  const earlier = (await readdir(built)).filter((name) => join(built, name) !== fresh && name !== version)
  await rm(folder, { recursive: true, force: true })
  await rename(fresh, folder)
  // The previous build is kept, because an open window may still load parts of it.
  for (const name of earlier.sort().slice(0, -1)) await rm(join(built, name), { recursive: true, force: true })
  return { version, folder }
}

/**
 * Builds the deck as a static site that works at any path. Replaces the contents of the folder once the build is
 * complete.
 *
 * @param out folder, absolute
 * @returns the version of the deck that was built
 * @throws BuildError, or DeckError if the page has other steps than the server has read
 */
export async function buildSite(
  deck: BuiltDeck,
  out: string,
  { site, withNotes, signal }: { site: StaticDeck; withNotes: boolean; signal: AbortSignal },
): Promise<string> {
  const args = ['--base', './', '--router-mode', 'hash', ...(withNotes ? [] : ['--without-notes'])]
  const env = { VITE_UNDERSTUDY_STATIC: JSON.stringify(site) }
  const { fresh, version } = await slidevBuild(deck, out, 'site', args, env, signal)
  await rm(out, { recursive: true, force: true })
  await rename(fresh, out)
  return version
}

/**
 * Builds into a folder beside the given one, so that an interrupted build does not leave an incomplete one there.
 *
 * @returns the folder that was built, and its version
 */
async function slidevBuild(
  deck: BuiltDeck,
  out: string,
  variant: BuildVariant,
  args: string[],
  env: Record<string, string>,
  cancelSignal?: AbortSignal,
): Promise<{ fresh: string; version: string }> {
  await checkRoots(deck.file)
  const before = await deckVersion(deck.file, deck.files, variant)
  const fresh = `${out}.new`
  const inputs = `${out}.inputs`
  await rm(fresh, { recursive: true, force: true })
  await mkdir(dirname(out), { recursive: true })
  const { executable } = await loadSlidev(deck.file)
  const list = await StepListFile.create(deck.slides)
  try {
    const result = await execa(process.execPath, [executable, 'build', deck.file, '--out', fresh, ...args], {
      cwd: dirname(deck.file),
      reject: false,
      all: true,
      cancelSignal,
      stdin: 'ignore',
      env: { NO_COLOR: '1', CI: '1', [INPUTS_VARIABLE]: inputs, [STEP_LIST_VARIABLE]: list.path, ...env },
    })
    const read = await readFile(inputs, 'utf8').catch(() => '')
    if (result.exitCode === 0 && existsSync(join(fresh, 'index.html'))) {
      // A file that was edited during the build may or may not be in it, so the next start rebuilds the deck.
      if ((await deckVersion(deck.file, deck.files, variant)) !== before) return { fresh, version: before }
      await saveInputs(deck.file, variant, read)
      return { fresh, version: await deckVersion(deck.file, deck.files, variant) }
    }
    await rm(fresh, { recursive: true, force: true })
    cancelSignal?.throwIfAborted()
    await list.check()
    const { data } = await loadSlides(deck.file)
    throw parseBuildErrors(result.all, data, dirname(deck.file), result.exitCode)
  } finally {
    await list.remove()
    await rm(inputs, { force: true })
  }
}

/**
 * Checks that the theme and the addons of a deck are installed. Slidev would ask whether to install them.
 *
 * @throws BuildError
 */
export async function checkRoots(deckFile: string): Promise<void> {
  const { missing } = await findRoots(deckFile)
  if (missing.length > 0) throw new BuildError(missing)
}
