import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launchBrowser } from '../lib/browser.ts'
import { Camera, CameraError, type Part, partOf, type Shot } from './frame-capturer.ts'
import { encodePart, type Film, joinParts, partEnding, type VideoFormat } from './ffmpeg.ts'
import { placeAt, type Timeline } from '../../shared/video/timeline.ts'

/**
 * The second phase: a timeline becomes a video, frame by frame, without a look at the real time. It is cut into parts that are made side by side, and each is kept: what was interrupted goes on where it
 * stood, and what is the same is not made again.
 */

export interface Rendering {
  timeline: Timeline
  shot: Shot
  format: VideoFormat
  /** Of the site that is filmed, as `http://127.0.0.1:4000`. */
  origin: string
  /** Changes with everything that the site shows. */
  version: string
  /** Folder of the parts, absolute. */
  cache: string
  signal: AbortSignal
  /** Told how many frames are done. */
  onProgress?: (progress: Progress) => void
  /** Told of each picture as it was taken. */
  onPicture?: (frame: number, camera: Camera) => Promise<void>
}

export interface Progress {
  done: number
  total: number
  /** Seconds that it will still take; unknown before the first part is there. */
  left: number | undefined
}

export interface Rendered {
  /** Files, in order. */
  parts: string[]
  frames: number
  /** Pictures that were taken: the other frames were as the one before. */
  pictures: number
  /** Frames of parts that were there already. */
  kept: number
}

/** Frames of a film, `to` excluded. */
export interface Cut {
  from: number
  to: number
}

/** Days that a part is kept that nobody asks for. */
const KEEP = 14
/** A film is cut into about so many parts, of so many seconds at least and at most, besides the cuts between slides. */
const PARTS = { count: 8, shortest: 6, longest: 60 }
/** Seconds after which whatever an event has set in motion has come to rest: only then a part may begin within a slide. */
const REST = 2

/**
 * Renders a timeline.
 *
 * @throws CameraError, FfmpegError, or the signal's reason; what is done by then is kept
 */
export async function render(rendering: Rendering): Promise<Rendered> {
  const { timeline, shot, format, version, cache, signal, onProgress } = rendering
  await mkdir(cache, { recursive: true })
  await sweep(cache)
  const program = await programVersion()
  const cuts = cutsOf(timeline, shot.fps).map(({ from, to }) => partOf(timeline, shot.fps, from, to))
  const parts = cuts.map((cut) =>
    join(cache, `${keyOf({ program, version, format, shot, timeline, cut })}.${partEnding[format]}`),
  )
  const total = frameCount(timeline, shot.fps)
  const open = cuts.map((cut, index) => ({ cut, part: parts[index] ?? '' })).filter(({ part }) => !existsSync(part))
  const kept = total - open.reduce((sum, { cut }) => sum + cut.to - cut.from, 0)
  for (const part of parts) if (existsSync(part)) await utimes(part, new Date(), new Date())

  let pictures = 0
  let done = kept
  const began = performance.now()
  const advance = (frames: number) => {
    done += frames
    const rate = (done - kept) / (performance.now() - began)
    onProgress?.({ done, total, left: rate > 0 ? (total - done) / rate / 1000 : undefined })
  }
  advance(0)
  // Whoever fails ends the others, so that nothing is filmed that nobody will see.
  const failing = new AbortController()
  const stop = AbortSignal.any([signal, failing.signal])
  const queue = [...open]
  const work = async () => {
    // A browser each: all pages of one share the thread that draws.
    const browser = await launchBrowser()
    const close = () => void browser.close()
    stop.addEventListener('abort', close, { once: true })
    try {
      for (let next = queue.shift(); next && !stop.aborted; next = queue.shift())
        pictures += await filmPart({ ...rendering, signal: stop }, browser, next.cut, next.part, advance)
    } catch (error) {
      failing.abort(error)
      throw error
    } finally {
      stop.removeEventListener('abort', close)
      await browser.close()
    }
  }
  const workers = Array.from({ length: Math.min(open.length, availableParallelism()) }, work)
  const results = await Promise.allSettled(workers)
  signal.throwIfAborted()
  if (failing.signal.aborted) throw failing.signal.reason
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return { parts, frames: total, pictures, kept }
}

/** Joins what `render` has made. */
export async function publish(film: Film, cache: string, signal: AbortSignal): Promise<void> {
  const list = join(cache, `join-${process.pid}.ffconcat`)
  // Beside its place: a video that is there is whole.
  const fresh = join(dirname(film.out), `.${process.pid}-${film.out.slice(dirname(film.out).length + 1)}`)
  try {
    await mkdir(dirname(film.out), { recursive: true })
    await joinParts({ ...film, out: fresh }, list, signal)
    await rename(fresh, film.out)
  } finally {
    await rm(list, { force: true })
    await rm(fresh, { force: true })
  }
}

/**
 * The picture of one moment.
 *
 * @returns a PNG, and the text that stands in it
 */
export async function still(
  { timeline, shot, origin }: Pick<Rendering, 'timeline' | 'shot' | 'origin'>,
  time: number,
): Promise<{ png: Buffer; text: string }> {
  const browser = await launchBrowser()
  try {
    const frame = Math.max(0, Math.min(frameCount(timeline, shot.fps) - 1, Math.round(time * shot.fps)))
    const camera = await Camera.open(browser, origin, timeline, shot, partOf(timeline, shot.fps, 0, frame + 1))
    for (let at = 0; at <= frame; at++) at = await camera.next(at, frame + 1)
    return { png: await camera.take(), text: await camera.text() }
  } finally {
    await browser.close()
  }
}

export function frameCount({ length }: Timeline, fps: number): number {
  return Math.round(length * fps)
}

/** Where a film is cut: between slides, and within a long one where nothing moves. */
export function cutsOf(timeline: Timeline, fps: number): Cut[] {
  const total = frameCount(timeline, fps)
  const longest = Math.min(PARTS.longest, Math.max(PARTS.shortest, timeline.length / PARTS.count))
  const cuts = new Set([0])
  let slide = placeAt(timeline.events, 0).slide
  for (const event of timeline.events) {
    if (event.type !== 'show' || event.slide === slide) continue
    slide = event.slide
    cuts.add(Math.ceil(event.time * fps - 1e-6))
  }
  const bounds = [...cuts, total].filter((frame) => frame <= total).sort((a, b) => a - b)
  const restless = timeline.events.filter(({ type }) => type !== 'output').map(({ time }) => time)
  return bounds.slice(0, -1).flatMap((from, index) => {
    const end = bounds[index + 1] ?? total
    const found: Cut[] = []
    let start = from
    for (let second = Math.ceil(from / fps + longest); second * fps < end - (longest * fps) / 2; second++) {
      if (second - start / fps < longest || restless.some((time) => time > second - REST && time <= second)) continue
      found.push({ from: start, to: second * fps })
      start = second * fps
    }
    return end > start ? [...found, { from: start, to: end }] : found
  })
}

async function filmPart(
  rendering: Rendering,
  browser: Awaited<ReturnType<typeof launchBrowser>>,
  cut: Part,
  part: string,
  advance: (frames: number) => void,
): Promise<number> {
  const { timeline, shot, format, origin, cache, signal, onPicture } = rendering
  const { from, to } = cut
  const folder = join(cache, `frames-${process.pid}-${from}`)
  await mkdir(folder, { recursive: true })
  const pictures: { file: string; frames: number }[] = []
  try {
    const camera = await Camera.open(browser, origin, timeline, shot, cut)
    // The first frame is taken whether or not it differs: there is none before it.
    let frame = from
    await camera.next(from, from + 1)
    while (frame < to) {
      signal.throwIfAborted()
      const file = join(folder, `${frame}.png`)
      await writeFile(file, await camera.take())
      await onPicture?.(frame, camera)
      const next = await camera.next(frame + 1, to)
      pictures.push({ file, frames: next - frame })
      advance(next - frame)
      frame = next
    }
    await camera.close()
    const fresh = part.replace(/(\.\w+)$/, `.${process.pid}$1`)
    await encodePart({ pictures, fps: shot.fps, format, out: fresh }, join(folder, 'list.ffconcat'), signal)
    await rename(fresh, part)
    return pictures.length
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof CameraError)) throw error
    const frame = from + pictures.reduce((sum, picture) => sum + picture.frames, 0)
    throw new CameraError(
      `At ${(frame / shot.fps).toFixed(2)} s, on slide ${placeAt(timeline.events, frame / shot.fps).slide}: ${error.message}`,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
    await rm(part.replace(/(\.\w+)$/, `.${process.pid}$1`), { force: true })
  }
}

/** Changes with everything that the frames of a part can show, and with nothing else. */
function keyOf({
  program,
  version,
  format,
  shot,
  timeline,
  cut,
}: {
  program: string
  version: string
  format: VideoFormat
  shot: Shot
  timeline: Timeline
  cut: Part
}): string {
  const { date, opening } = timeline
  return createHash('sha256')
    .update(JSON.stringify([program, version, format, shot, date, opening, cut]))
    .digest('hex')
    .slice(0, 32)
}

/** Changes with the code that films: what an older one has made may look different. */
async function programVersion(): Promise<string> {
  const folder = dirname(fileURLToPath(import.meta.url))
  const hash = createHash('sha256')
  for (const name of (await readdir(folder))
    .filter((name) => /^(frame-capturer|virtual-clock|ffmpeg|render)\.(js|ts)$/.test(name))
    .sort())
    hash.update(await readFile(join(folder, name)))
  return hash.digest('hex')
}

/** Removes what ended runs have left behind, and parts that are too old to be of use. */
async function sweep(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const owner = /^(?:frames|join|words)-(\d+)|\.(\d+)\.\w+$/.exec(name)
    const pid = Number(owner?.[1] ?? owner?.[2])
    const path = join(cache, name)
    if (owner ? pid !== process.pid && !isAlive(pid) : Date.now() - (await stat(path)).mtimeMs > KEEP * 86_400_000)
      await rm(path, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
