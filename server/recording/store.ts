import { createHash } from 'node:crypto'
import { appendFile, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Profile } from '../../shared/deck/contract.ts'
import { json } from '../../shared/json.ts'
import { type Cast, parseCast } from '../../shared/recording/cast.ts'
import { type Measurement, measurement, type Metadata, metadata } from '../../shared/recording/metadata.ts'
import { writeFlushed } from '../lib/atomic-write.ts'

export interface Recording {
  metadata: Metadata
  cast: Cast
}

/** The reason why a recording may be outdated. */
export type Staleness = 'command changed' | 'flake changed'

/**
 * The recording of each step's last successful run: `<folder>/<profile>/<step>.cast`, with its metadata (`.json`) and
 * the thumbnail of its page (`.png`) beside it.
 */
export class RecordingStore {
  private readonly folder: string

  /** @param folder absolute path of the deck's `recordings/` */
  constructor(folder: string) {
    this.folder = folder
  }

  /** The path of a file of a recording, whether or not it exists. */
  file(profile: Profile, step: string, extension: 'cast' | 'json' | 'png'): string {
    return join(this.folder, profile, `${step}.${extension}`)
  }

  /**
   * Saves the recording of a step and replaces the previous one. After an interruption, `read` returns the old or the
   * new recording, never a mixture.
   *
   * @param cast text of the recording
   * @param thumbnail PNG of the page that the step served
   */
  async save(facts: Omit<Metadata, 'cast'>, cast: string, thumbnail?: Buffer): Promise<void> {
    const { profile, step } = facts
    await mkdir(join(this.folder, profile), { recursive: true })
    const castFile = this.file(profile, step, 'cast')
    const jsonFile = this.file(profile, step, 'json')
    const pngFile = this.file(profile, step, 'png')
    const metadataText = `${JSON.stringify({ ...facts, cast: sha256(cast) } satisfies Metadata, undefined, 2)}\n`
    try {
      await writeFlushed(`${castFile}.new`, cast)
      await writeFlushed(`${jsonFile}.new`, metadataText)
      if (thumbnail) await writeFlushed(`${pngFile}.new`, thumbnail)
    } catch (error) {
      for (const file of [castFile, jsonFile, pngFile]) await rm(`${file}.new`, { force: true })
      throw error
    }
    // The order matters: if only the cast has been renamed, `read` finds its metadata in the `.new` file.
    await rename(`${castFile}.new`, castFile)
    if (thumbnail) await rename(`${pngFile}.new`, pngFile)
    await rename(`${jsonFile}.new`, jsonFile)
    await this.appendHistory(facts)
  }

  /** Appends the measurements of a run to the profile's history, unless they equal the step's previous ones. */
  private async appendHistory({ step, date, nixpkgs, captures, profile }: Omit<Metadata, 'cast'>): Promise<void> {
    const values = Object.fromEntries(Object.entries(captures).filter(([, { unit }]) => unit !== 'text'))
    if (Object.keys(values).length === 0) return
    const file = join(this.folder, profile, HISTORY_FILE)
    const previous = (await readFile(file, 'utf8').catch(() => ''))
      .split('\n')
      .map((line) => measurement.safeParse(json(line)).data)
      .findLast((entry) => entry?.step === step)
    // Parsing puts the keys into the order of the schema, so that the JSON texts can be compared.
    const entry = measurement.parse({ step, date, nixpkgs, captures: values } satisfies Measurement)
    if (!previous || JSON.stringify({ ...previous, date }) !== JSON.stringify(entry))
      await appendFile(file, `${JSON.stringify(entry)}\n`)
  }

  /** Reads the recording of a step. @returns undefined if the step has no recording, or an invalid one */
  async read(profile: Profile, step: string): Promise<Recording | undefined> {
    const text = await readFile(this.file(profile, step, 'cast'), 'utf8').catch(() => undefined)
    if (text === undefined) return undefined
    const hash = sha256(text)
    const jsonFile = this.file(profile, step, 'json')
    for (const file of [jsonFile, `${jsonFile}.new`]) {
      const facts = metadata.safeParse(json(await readFile(file, 'utf8').catch(() => '')))
      if (!facts.success || facts.data.cast !== hash) continue
      // Completes a `save` that was interrupted.
      if (file !== jsonFile) await rename(file, jsonFile).catch(() => {})
      try {
        return { metadata: facts.data, cast: parseCast(text) }
      } catch {
        return undefined
      }
    }
    return undefined
  }

  /** The steps that have a recording, valid or not. */
  async steps(profile: Profile): Promise<string[]> {
    const names = await readdir(join(this.folder, profile)).catch(() => [])
    return names.filter((name) => name.endsWith('.cast')).map((name) => name.slice(0, -'.cast'.length))
  }
}

/**
 * Compares a recording with the current deck.
 *
 * @param current hash of the step's command, and fingerprint of the flake
 * @returns undefined if the recording is up to date
 */
export function staleness(facts: Metadata, current: { hash: string; flake: string }): Staleness | undefined {
  if (facts.hash !== current.hash) return 'command changed'
  return facts.flake === current.flake ? undefined : 'flake changed'
}

/** File in each profile's folder with one measurement per line. */
const HISTORY_FILE = 'history.jsonl'

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
