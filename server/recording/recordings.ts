import { existsSync } from 'node:fs'
import type { Profile } from '../../shared/deck/contract.ts'
import type { Deck } from '../deck/deck.ts'
import { type Recording, RecordingStore, staleness, type Staleness } from './store.ts'

/** The facts about a step's recording that windows receive. */
export interface RecordingInfo {
  profile: Profile
  /** ISO 8601. */
  date: string
  /** The reason why the recording may be outdated. */
  stale?: Staleness
  /** Whether there is a screenshot of the page that the step served. */
  thumbnail: boolean
}

/**
 * The recordings that a deck can fall back on: for each step, the recording of the current profile or, if it does not
 * exist, of another profile.
 */
export class Recordings {
  private readonly store: RecordingStore
  private readonly profile: Profile
  private readonly flakeFingerprint: (profile: Profile) => Promise<string>
  private readonly infos = new Map<string, RecordingInfo>()

  /**
   * @param folder absolute path of the deck's `recordings/`
   * @param flakeFingerprint computes the current fingerprint of the deck's flake
   */
  constructor(folder: string, profile: Profile, flakeFingerprint: (profile: Profile) => Promise<string>) {
    this.store = new RecordingStore(folder)
    this.profile = profile
    this.flakeFingerprint = flakeFingerprint
  }

  /** Updates the information about all recordings. Call it at the start and after each change of the deck. */
  async load(deck: Deck): Promise<void> {
    this.infos.clear()
    const fingerprints = new Map<Profile, string>()
    await Promise.all(
      [...deck.steps.values()].map(async ({ id, hash }) => {
        const metadata = (await this.read(id))?.metadata
        if (!metadata) return
        const { profile, date } = metadata
        if (!fingerprints.has(profile)) fingerprints.set(profile, await this.flakeFingerprint(profile))
        const stale = staleness(metadata, { hash, flake: fingerprints.get(profile) ?? '' })
        this.infos.set(id, {
          profile,
          date,
          ...(stale !== undefined && { stale }),
          thumbnail: existsSync(this.store.file(profile, id, 'png')),
        })
      }),
    )
  }

  /** The facts about a step's recording, as of the last `load`; undefined if the step has none. */
  info(step: string): RecordingInfo | undefined {
    return this.infos.get(step)
  }

  /** Reads the recording of a step. @returns undefined if the step has no valid recording */
  async read(step: string): Promise<Recording | undefined> {
    const profiles: Profile[] = [this.profile, 'nixos', 'lab', 'host']
    for (const profile of new Set(profiles)) {
      const recording = await this.store.read(profile, step)
      if (recording) return recording
    }
    return undefined
  }

  /** Absolute path of a step's recording. */
  castFile(step: string): string | undefined {
    const info = this.infos.get(step)
    return info && this.store.file(info.profile, step, 'cast')
  }

  /** Absolute path of the screenshot of a step's page. */
  thumbnailFile(step: string): string | undefined {
    const info = this.infos.get(step)
    return info?.thumbnail ? this.store.file(info.profile, step, 'png') : undefined
  }
}
