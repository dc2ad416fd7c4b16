import { existsSync } from 'node:fs'
import type { Profile } from '../../shared/deck/contract.ts'
import type { Deck } from '../deck/deck.ts'
import type { Cast } from '../../shared/recording/cast.ts'
import { type Metadata } from '../../shared/recording/metadata.ts'
import { RecordingStore, staleness, type Staleness } from './store.ts'

/** What a window is told of a step's recording. */
export interface RecordingInfo {
  profile: Profile
  date: string
  /** Why it may not show what the step would do now. */
  stale?: Staleness
  /** Whether there is a picture of the page that the step served. */
  thumbnail: boolean
}

/** The recordings that a deck can fall back on: of the profile in use, or else of another. */
export class Recordings {
  private readonly store: RecordingStore
  private readonly profile: Profile
  private readonly flake: (profile: Profile) => Promise<string>
  private readonly infos = new Map<string, RecordingInfo>()

  /**
   * @param folder `recordings/` beside the deck, absolute
   * @param flake fingerprint of the deck's flake as it is now
   */
  constructor(folder: string, profile: Profile, flake: (profile: Profile) => Promise<string>) {
    this.store = new RecordingStore(folder)
    this.profile = profile
    this.flake = flake
  }

  /** Looks which steps have one. To be called at the start, and after an edit. */
  async load(deck: Deck): Promise<void> {
    this.infos.clear()
    const flakes = new Map<Profile, string>()
    await Promise.all(
      [...deck.steps.values()].map(async ({ id, hash }) => {
        const metadata = (await this.read(id))?.metadata
        if (!metadata) return
        const { profile, date } = metadata
        if (!flakes.has(profile)) flakes.set(profile, await this.flake(profile))
        const stale = staleness(metadata, { hash, flake: flakes.get(profile) ?? '' })
        this.infos.set(id, {
          profile,
          date,
          ...(stale !== undefined && { stale }),
          thumbnail: existsSync(this.store.file(profile, id, 'png')),
        })
      }),
    )
  }

  info(step: string): RecordingInfo | undefined {
    return this.infos.get(step)
  }

  /** @returns undefined where the step has no recording that is whole */
  async read(step: string): Promise<{ metadata: Metadata; cast: Cast } | undefined> {
    const profiles: Profile[] = [this.profile, 'nixos', 'lab', 'host']
    for (const profile of new Set(profiles)) {
      const recording = await this.store.read(profile, step)
      if (recording) return recording
    }
    return undefined
  }

  /** The recording of a step: a file, absolute. */
  cast(step: string): string | undefined {
    const info = this.infos.get(step)
    return info && this.store.file(info.profile, step, 'cast')
  }

  /** The picture of a step's page: a file, absolute. */
  thumbnail(step: string): string | undefined {
    const info = this.infos.get(step)
    return info?.thumbnail ? this.store.file(info.profile, step, 'png') : undefined
  }
}
