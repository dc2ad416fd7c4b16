import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import envPaths from 'env-paths'

/** Where this package is: the folder that holds `components/`, `server/` and `nix/`. */
export const packageRoot = fileURLToPath(
  new URL(import.meta.url.includes('/server/dist/') ? '../../../..' : '../..', import.meta.url),
)

/** Files of one deck in the user's cache. */
export interface DeckPaths {
  /** The cache of this user: shared by all decks, the offline lab in it. `UNDERSTUDY_CACHE` overrides it. */
  cache: string
  /** Where the steps run. */
  workdir: string
  /** The access token, readable by the user alone. */
  token: string
  /** The processes that the deck's servers have started: a folder, see `ProcessRegistry`. */
  registry: string
  /** Built decks, a folder each. */
  built: string
  /** What the last rehearsal of each profile found, and recordings that are being made. */
  rehearsals: string
  /** Files of the video renderer: the built site and the cached segments. */
  renders: string
  /** Logs of whole talks, as their audience saw them. */
  talks: string
  /** Logs of the sessions of `start`. */
  sessions: string
  /** What learners have done, a folder each: not in the cache, since it cannot be made again. `UNDERSTUDY_DATA` overrides where. */
  learners: string
  /** What a learner of a class was measured to need. */
  need: string
  /** Links that keep what `prefetch` has made from garbage collection. */
  roots: string
}

/**
 * Two decks never share a workdir or a token: each has a folder named after its place.
 *
 * @param deckFile absolute
 */
export function deckPaths(deckFile: string): DeckPaths {
  const cache = process.env.UNDERSTUDY_CACHE || envPaths('understudy', { suffix: '' }).cache
  const place = createHash('sha256').update(deckFile).digest('hex').slice(0, 12)
  const name = `${basename(dirname(deckFile)).replace(/[^A-Za-z0-9-]/g, '-')}-${place}`
  const own = join(cache, 'decks', name)
  const data = process.env.UNDERSTUDY_DATA || envPaths('understudy', { suffix: '' }).data
  return {
    cache,
    workdir: join(own, 'workdir'),
    token: join(own, 'token'),
    registry: join(own, 'processes'),
    built: join(own, 'built'),
    rehearsals: join(own, 'rehearsals'),
    talks: join(own, 'talks'),
    sessions: join(own, 'sessions'),
    renders: join(own, 'renders'),
    need: join(own, 'need.json'),
    roots: join(own, 'roots'),
    learners: join(data, 'workshops', name),
  }
}
