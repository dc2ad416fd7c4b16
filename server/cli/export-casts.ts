import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { Profile } from '../../shared/deck/contract.ts'
import { readDeck } from '../deck/deck.ts'
import { toVersion2 } from '../../shared/recording/cast.ts'
import { RecordingStore } from '../recording/store.ts'
import { staticDeckOf } from './build.ts'

export interface ExportCastsOptions {
  /** The deck, absolute. */
  deck: string
  /** The folder to write to. */
  out?: string
  /** Whose recordings; those that the deck has most of, unless given. */
  profile?: Profile
}

/**
 * Writes the recordings of a deck in version 2 of asciicast, one file for each step: asciinema before 3.0, as Debian has it, plays no newer one.
 *
 * @throws DeckError, or an Error where there is no recording
 */
export async function exportCasts(options: ExportCastsOptions): Promise<void> {
  const deck = await readDeck(options.deck)
  const store = new RecordingStore(join(dirname(deck.file), 'recordings'))
  const out = resolve(options.out ?? 'casts')
  const written: string[] = []
  for (const { id, recording: info } of (await staticDeckOf(deck, options.profile)).steps) {
    const recording = info && (await store.read(info.profile, id))
    if (!recording) continue
    await mkdir(out, { recursive: true })
    await writeFile(join(out, `${id}.cast`), toVersion2(recording.cast))
    written.push(id)
  }
  if (written.length === 0) throw new Error('There are no recordings yet: npm run rehearse makes them.')
  console.log(
    `Written to ${relative(process.cwd(), out) || out}: ${written.join(', ')}. Play one: asciinema play ${join(relative(process.cwd(), out), `${written[0]}.cast`)}`,
  )
}
