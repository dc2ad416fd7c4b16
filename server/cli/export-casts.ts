import { commandLine } from '../../shared/command-line.ts'
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
  /** Folder to write to. */
  out?: string
  /** The profile of the recordings; by default the one with the most recordings. */
  profile?: Profile
}

/**
 * Writes each recording of a deck as an asciicast v2 file, the newest format that asciinema before 3.0 plays.
 *
 * @throws DeckError, or an Error if there are no recordings
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
  if (written.length === 0) throw new Error(`There are no recordings yet. Record them with: ${commandLine('rehearse')}`)
  console.log(
    `Written to ${relative(process.cwd(), out) || out}: ${written.join(', ')}. Play one with: asciinema play ${join(relative(process.cwd(), out), `${written[0]}.cast`)}`,
  )
}
