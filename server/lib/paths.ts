import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import envPaths from 'env-paths'

/** The folder of this package, which contains `components/`, `server/` and `nix/`. */
export const packageRoot = fileURLToPath(
  new URL(import.meta.url.includes('/server/dist/') ? '../../../..' : '../..', import.meta.url),
)

/** Files and folders of a deck in the user's cache and data folders, absolute. */
export interface DeckPaths {
  /** The user's cache, shared by all decks; contains the offline lab. `UNDERSTUDY_CACHE` overrides it. */
  cache: string
  /** Folder in which the steps run. */
  workdir: string
  /** File with the access token, readable only by the user. */
  token: string
  /** Folder of the records of the processes that the deck's servers have started (see `ProcessRegistry`). */
  registry: string
  /** Built decks, one folder per version. */
  built: string
  /** The files that the last builds have read. */
  inputs: string
  /** Results of the last rehearsal of each profile, and incomplete recordings. */
  rehearsals: string
  /** Files of the video renderer: the built site and the cached segments. */
  renders: string
  /** Talk logs: the messages that the audience received. */
  talks: string
  /** Terminal logs. */
  sessions: string
  /**
   * The learners' files, one folder each. In the data folder, since they cannot be recreated. `UNDERSTUDY_DATA`
   * overrides it.
   */
  learners: string
  /** File with the measured resource usage of a learner of a class. */
  need: string
  /** Links that protect the results of `prefetch` from garbage collection. */
  roots: string
}

/**
 * Computes the paths of a deck. Each deck has its own folders, named after its path.
 *
 * @param deckFile absolute
 */
export function deckPaths(deckFile: string): DeckPaths {
  const cache = process.env.UNDERSTUDY_CACHE || envPaths('understudy', { suffix: '' }).cache
  const pathHash = createHash('sha256').update(deckFile).digest('hex').slice(0, 12)
  const name = `${basename(dirname(deckFile)).replace(/[^A-Za-z0-9-]/g, '-')}-${pathHash}`
  const own = join(cache, 'decks', name)
  const data = process.env.UNDERSTUDY_DATA || envPaths('understudy', { suffix: '' }).data
  return {
    cache,
    workdir: join(own, 'workdir'),
    token: join(own, 'token'),
    registry: join(own, 'processes'),
    built: join(own, 'built'),
    inputs: join(own, 'inputs'),
    rehearsals: join(own, 'rehearsals'),
    talks: join(own, 'talks'),
    sessions: join(own, 'sessions'),
    renders: join(own, 'renders'),
    need: join(own, 'need.json'),
    roots: join(own, 'roots'),
    learners: join(data, 'workshops', name),
  }
}
