import { commandLine, commandLines } from '../../shared/command-line.ts'
import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { Listr } from 'listr2'
import type { Profile } from '../../shared/deck/contract.ts'
import { compressFolder } from '../deck/compress.ts'
import { type Deck, readDeck } from '../deck/deck.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { Recordings } from '../recording/recordings.ts'
import { RecordingStore } from '../recording/store.ts'
import { progress } from '../environment/runtime-context.ts'
import { buildSite } from '../deck/build.ts'
import type { StaticDeck } from '../../shared/static-deck.ts'
import { fingerprint } from '../environment/workdir.ts'

export interface BuildOptions {
  /** The deck, absolute. */
  deck: string
  /** Folder to write the site to. */
  out: string
  /** The profile whose recordings are shown; by default the one with the most recordings. */
  profile?: Profile
  withNotes: boolean
}

/**
 * Builds the talk as a static site that works without the server and at any path. Its terminals replay recordings.
 *
 * @throws DeckError, BuildError or an Error whose message contains the fix
 */
export async function buildTalk(options: BuildOptions): Promise<void> {
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  const out = resolve(options.out)
  if (existsSync(out) && !existsSync(join(out, 'index.html')))
    throw new Error(`${out} exists but is not a built site. Choose another folder with --out, or remove it.`)
  const site = await staticDeckOf(deck, options.profile)
  const missing = site.steps.filter(({ recording }) => !recording).map(({ id }) => id)
  await new Listr(
    [
      {
        title: 'Build the site',
        task: () => buildSite(deck, out, { site, withNotes: options.withNotes, signal }),
      },
      { title: 'Compress its files', task: () => compressFolder(out, 'best') },
    ],
    progress,
  ).run()
  console.log(
    `Written to ${relative(process.cwd(), out) || out}. Preview it with: npx sirv-cli --brotli --gzip ${relative(process.cwd(), out) || out}`,
  )
  if (missing.length > 0)
    console.log(`Steps without a recording: ${missing.join(', ')}. Record them with: ${commandLine('rehearse')}`)
}

/**
 * Collects the data that a static site needs about the deck: its steps and their recordings.
 *
 * @param profile the profile whose recordings are shown; by default the one with the most recordings
 */
export async function staticDeckOf(deck: Deck, profile?: Profile): Promise<StaticDeck> {
  const folder = join(dirname(deck.file), 'recordings')
  const recordings = new Recordings(folder, profile ?? (await mostRecorded(folder)), (of) =>
    fingerprint(join(dirname(deck.file), 'nix'), of === 'nixos'),
  )
  await recordings.load(deck)
  return {
    grid: deck.grid,
    commands: commandLines(),
    steps: [...deck.steps.values()].map(({ id, slide, slides, terminal, hash, contract }) => {
      const recording = recordings.info(id)
      return {
        id,
        slide,
        ...(slides.length > 1 && { slides: [...slides] }),
        terminal,
        hash,
        inputs: {},
        ...(contract.ready && 'http' in contract.ready && { page: contract.ready.http }),
        ...(recording && { recording }),
        status: { state: 'idle' },
      }
    }),
  }
}

/** The profile with the most recordings. */
async function mostRecorded(folder: string): Promise<Profile> {
  const store = new RecordingStore(folder)
  const counts = await Promise.all(
    (['nixos', 'lab', 'host'] as const).map(async (profile) => ({
      profile,
      count: (await store.steps(profile)).length,
    })),
  )
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).profile
}
