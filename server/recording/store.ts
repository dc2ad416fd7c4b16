import { createHash } from 'node:crypto'
import { appendFile, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Profile } from '../../shared/deck/contract.ts'
import { writeDurably } from '../lib/atomic-write.ts'
import { json } from '../../shared/json.ts'
import { type Cast, parseCast } from '../../shared/recording/cast.ts'
import { type Measurement, type Metadata, metadata } from '../../shared/recording/metadata.ts'

export interface Recording {
  metadata: Metadata
  cast: Cast
}

/** Why a recording cannot be relied on. */
export type Staleness = 'command changed' | 'flake changed'

/**
 * The last good run of each step: `<folder>/<profile>/<step>.cast`, its metadata beside it, and the still of its page.
 */
export class RecordingStore {
  private readonly folder: string

  /** @param folder `recordings/` beside the deck, absolute */
  constructor(folder: string) {
    this.folder = folder
  }

  file(profile: Profile, step: string, ending: 'cast' | 'json' | 'png'): string {
    return join(this.folder, profile, `${step}.${ending}`)
  }

  /**
   * Replaces the recording of a step. Whenever this is interrupted, the old one or the new one is there, whole.
   *
   * @param cast text of the recording
   * @param still PNG of the page that the step served
   */
  async keep(facts: Omit<Metadata, 'cast'>, cast: string, thumbnail?: Buffer): Promise<void> {
    const { profile, step } = facts
    await mkdir(join(this.folder, profile), { recursive: true })
    const text = `${JSON.stringify({ ...facts, cast: sha256(cast) } satisfies Metadata, undefined, 2)}\n`
    const castFile = this.file(profile, step, 'cast')
    const jsonFile = this.file(profile, step, 'json')
    try {
      await writeDurably(`${castFile}.new`, cast)
      await writeDurably(`${jsonFile}.new`, text)
      if (thumbnail) await writeDurably(`${this.file(profile, step, 'png')}.new`, thumbnail)
    } catch (error) {
      for (const file of [castFile, jsonFile, this.file(profile, step, 'png')]) await rm(`${file}.new`, { force: true })
      throw error
    }
    // Metadata last: `read` finishes what stops after the first of these.
    await rename(`${castFile}.new`, castFile)
    if (thumbnail) await rename(`${this.file(profile, step, 'png')}.new`, this.file(profile, step, 'png'))
    await rename(`${jsonFile}.new`, jsonFile)
    await this.remember(facts)
  }

  /** Adds what a run has measured to the history of its profile, where it is something new. */
  private async remember({ step, date, nixpkgs, captures, profile }: Omit<Metadata, 'cast'>): Promise<void> {
    const file = join(this.folder, profile, HISTORY)
    const values = Object.fromEntries(Object.entries(captures).filter(([, { unit }]) => unit !== 'text'))
    if (Object.keys(values).length === 0) return
    const last = (await readFile(file, 'utf8').catch(() => ''))
      .trimEnd()
      .split('\n')
      .map(json)
      .findLast((line) => typeof line === 'object' && line !== null && 'step' in line && line.step === step)
    const entry: Measurement = { step, date, ...(nixpkgs !== undefined && { nixpkgs }), captures: values }
    if (JSON.stringify({ ...(last as object | undefined), date: '' }) !== JSON.stringify({ ...entry, date: '' }))
      await appendFile(file, `${JSON.stringify(entry)}\n`)
  }

  /**
   * @returns undefined where the step has no recording, or a damaged one
   */
  async read(profile: Profile, step: string): Promise<Recording | undefined> {
    const text = await readFile(this.file(profile, step, 'cast'), 'utf8').catch(() => undefined)
    if (text === undefined) return undefined
    const hash = sha256(text)
    for (const ending of ['', '.new']) {
      const file = `${this.file(profile, step, 'json')}${ending}`
      const facts = metadata.safeParse(json(await readFile(file, 'utf8').catch(() => '')))
      if (!facts.success || facts.data.cast !== hash) continue
      if (ending !== '') await rename(file, this.file(profile, step, 'json')).catch(() => {})
      try {
        return { metadata: facts.data, cast: parseCast(text) }
      } catch {
        return undefined
      }
    }
    return undefined
  }

  /** Steps that have a recording, whole or not. */
  async steps(profile: Profile): Promise<string[]> {
    const names = await readdir(join(this.folder, profile)).catch(() => [])
    return names.filter((name) => name.endsWith('.cast')).map((name) => name.slice(0, -'.cast'.length))
  }
}

/** Whether what a recording shows is still what the deck and its flake would do. */
export function staleness(facts: Metadata, now: { hash: string; flake: string }): Staleness | undefined {
  if (facts.hash !== now.hash) return 'command changed'
  return facts.flake === now.flake ? undefined : 'flake changed'
}

/** Name of the file, in each profile's folder, that has every measurement in a line of its own. */
const HISTORY = 'history.jsonl'

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
