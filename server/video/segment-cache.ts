import { createHash } from 'node:crypto'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Timeline } from '../../shared/video/timeline.ts'
import type { VideoFormat } from './ffmpeg.ts'
import type { RenderSettings } from './render-settings.ts'
import type { Segment } from './segments.ts'

/** The cache of encoded segments: a folder of files named by a hash of everything that they show. */

/** Unused segments are removed after this time. */
const MAX_AGE_DAYS = 14
const MS_PER_DAY = 86_400_000

export interface SegmentKey {
  /** See `rendererVersion`. */
  renderer: string
  /** The version of the rendered site. */
  site: string
  format: VideoFormat
  settings: RenderSettings
  timeline: Pick<Timeline, 'date' | 'opening'>
  segment: Segment
}

/** Returns the cache key of a segment. It depends on everything that its frames can show, and on nothing else. */
export function segmentKey({ renderer, site, format, settings, timeline, segment }: SegmentKey): string {
  const { date, opening } = timeline
  return createHash('sha256')
    .update(JSON.stringify([renderer, site, format, settings, date, opening, segment]))
    .digest('hex')
    .slice(0, 32)
}

/**
 * Returns a hash of the renderer's own code, because other code may render the same timeline differently. All files of
 * the folder count except tests: a list of files would become incomplete.
 *
 * @param folder the folder of the code, absolute
 */
export async function rendererVersion(folder = dirname(fileURLToPath(import.meta.url))): Promise<string> {
  const hash = createHash('sha256')
  const names = (await readdir(folder)).filter((name) => !name.includes('.test.')).sort()
  for (const name of names)
    hash
      .update(`${name}\0`)
      .update(await readFile(join(folder, name)))
      .update('\0')
  return hash.digest('hex')
}

/** Returns the name of a temporary file of this process. `removeStaleFiles` removes it after a crash. */
export function temporaryName(purpose: string): string {
  return `tmp-${process.pid}-${purpose}`
}

/** Removes temporary files of processes that have ended, and segments that have not been used for a long time. */
export async function removeStaleFiles(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const path = join(cache, name)
    const owner = /^tmp-(\d+)-/.exec(name)?.[1]
    const isStale =
      owner === undefined
        ? Date.now() - (await stat(path)).mtimeMs > MAX_AGE_DAYS * MS_PER_DAY
        : Number(owner) !== process.pid && !isRunning(Number(owner))
    if (isStale) await rm(path, { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
