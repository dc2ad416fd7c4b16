import { existsSync } from 'node:fs'
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import type { Timeline } from '../../shared/video/timeline.ts'
import { slideAt } from '../../shared/video/timeline.ts'
import { launchBrowser } from '../lib/browser.ts'
import { VideoError, type VideoPosition } from './failures.ts'
import { encodeSegment, joinSegments, segmentExtension, type VideoFile, type VideoFormat } from './ffmpeg.ts'
import { FrameCapturer } from './frame-capturer.ts'
import type { RenderSettings } from './render-settings.ts'
import { removeStaleFiles, rendererVersion, segmentKey, temporaryName } from './segment-cache.ts'
import { frameCount, type Segment, segmentOf, segmentRanges } from './segments.ts'

/**
 * Renders a timeline into a video, frame by frame and independent of real time. Its segments are rendered in parallel
 * and cached: an interrupted render continues where it stopped, and unchanged segments are not rendered again.
 */

export interface RenderOptions {
  timeline: Timeline
  settings: RenderSettings
  format: VideoFormat
  /** The origin of the served site, such as `http://127.0.0.1:4000`. */
  origin: string
  /** The version of the site: changes with everything that it shows. */
  siteVersion: string
  /** The folder of cached segments, absolute. */
  cache: string
  signal: AbortSignal
  onProgress?: (progress: RenderProgress) => void
  /** Called after each capture, with the number of the frame. */
  onCapture?: (frame: number, capturer: FrameCapturer) => Promise<void>
}

export interface RenderProgress {
  frames: number
  totalFrames: number
  /** An estimate; undefined until the first frames have been rendered. */
  remainingSeconds: number | undefined
}

export interface RenderResult {
  /** Files of the segments, absolute, in order. */
  segments: string[]
  frames: number
  /** Frames that were captured. The others are equal to the frame before them. */
  capturedFrames: number
  /** Frames of segments that were found in the cache. */
  cachedFrames: number
}

/**
 * Renders the segments of a timeline.
 *
 * @throws VideoError, or the signal's reason. Completed segments remain in the cache.
 */
export async function render(options: RenderOptions): Promise<RenderResult> {
  const { timeline, settings, format, siteVersion, cache, signal, onProgress } = options
  await mkdir(cache, { recursive: true })
  await removeStaleFiles(cache)
  const renderer = await rendererVersion()
  const all = segmentRanges(timeline, settings.fps).map((range) => {
    const segment = segmentOf(timeline, settings.fps, range)
    const key = segmentKey({ renderer, site: siteVersion, format, settings, timeline, segment })
    return { segment, file: join(cache, `${key}.${segmentExtension[format]}`) }
  })
  const missing = all.filter(({ file }) => !existsSync(file))
  const totalFrames = frameCount(timeline, settings.fps)
  const cachedFrames = totalFrames - missing.reduce((sum, { segment }) => sum + segment.to - segment.from, 0)
  // Marks the cached segments as used.
  for (const { file } of all) if (existsSync(file)) await utimes(file, new Date(), new Date())

  let capturedFrames = 0
  let frames = cachedFrames
  const start = performance.now()
  const advance = (count: number) => {
    frames += count
    const framesPerMs = (frames - cachedFrames) / (performance.now() - start)
    const remainingSeconds = framesPerMs > 0 ? (totalFrames - frames) / framesPerMs / 1000 : undefined
    onProgress?.({ frames, totalFrames, remainingSeconds })
  }
  advance(0)
  // The first failure stops all workers.
  const failure = new AbortController()
  const stop = AbortSignal.any([signal, failure.signal])
  const queue = [...missing]
  const work = async () => {
    // One browser per worker, because all pages of a browser share its compositor thread.
    const browser = await launchBrowser()
    const close = () => void browser.close()
    stop.addEventListener('abort', close, { once: true })
    try {
      for (let next = queue.shift(); next && !stop.aborted; next = queue.shift())
        capturedFrames += await renderSegment({ ...options, signal: stop }, browser, next.segment, next.file, advance)
    } catch (error) {
      failure.abort(error)
      throw error
    } finally {
      stop.removeEventListener('abort', close)
      await browser.close()
    }
  }
  const workers = Array.from({ length: Math.min(missing.length, availableParallelism()) }, work)
  const results = await Promise.allSettled(workers)
  signal.throwIfAborted()
  if (failure.signal.aborted) throw failure.signal.reason
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return { segments: all.map(({ file }) => file), frames: totalFrames, capturedFrames, cachedFrames }
}

/**
 * Joins rendered segments into a video. The output file appears only once it is complete.
 *
 * @param cache folder for temporary files, absolute
 * @throws VideoError `ffmpeg-failed`, or the signal's reason
 */
export async function writeVideo(video: VideoFile, cache: string, signal: AbortSignal): Promise<void> {
  const list = join(cache, temporaryName('join.ffconcat'))
  // In the folder of the output file, because a rename cannot cross file systems.
  const partial = join(dirname(video.out), `.${process.pid}-${basename(video.out)}`)
  try {
    await mkdir(dirname(video.out), { recursive: true })
    await joinSegments({ ...video, out: partial }, list, signal)
    await rename(partial, video.out)
  } finally {
    await rm(list, { force: true })
    await rm(partial, { force: true })
  }
}

/**
 * Renders a single frame.
 *
 * @param time in seconds; the nearest frame is rendered
 * @returns the frame as a PNG and its text
 * @throws VideoError
 */
export async function renderFrame(
  { timeline, settings, origin }: Pick<RenderOptions, 'timeline' | 'settings' | 'origin'>,
  time: number,
): Promise<{ png: Buffer; text: string }> {
  const { fps } = settings
  const frame = Math.max(0, Math.min(frameCount(timeline, fps) - 1, Math.round(time * fps)))
  const range = { from: 0, to: frame + 1 }
  const browser = await launchBrowser()
  try {
    const segment = segmentOf(timeline, fps, range)
    const capturer = await FrameCapturer.open(browser, origin, timeline, settings, segment)
    for (let current = range.from; current < range.to; current++) current = await capturer.advance(current, range.to)
    return { png: await capturer.capture(), text: await capturer.text() }
  } finally {
    await browser.close()
  }
}

/** @returns the number of captured frames */
async function renderSegment(
  options: RenderOptions,
  browser: Browser,
  segment: Segment,
  file: string,
  advance: (frames: number) => void,
): Promise<number> {
  const { timeline, settings, format, origin, cache, signal, onCapture } = options
  const { from, to } = segment
  const folder = join(cache, temporaryName(`frames-${from}`))
  const partial = join(cache, temporaryName(basename(file)))
  await mkdir(folder, { recursive: true })
  const images: { file: string; frames: number }[] = []
  let frame = from
  try {
    const capturer = await FrameCapturer.open(browser, origin, timeline, settings, segment)
    // The first frame is always captured, because there is no frame before it to repeat.
    await capturer.advance(from, from + 1)
    while (frame < to) {
      signal.throwIfAborted()
      const image = join(folder, `${frame}.png`)
      await writeFile(image, await capturer.capture())
      await onCapture?.(frame, capturer)
      const next = await capturer.advance(frame + 1, to)
      images.push({ file: image, frames: next - frame })
      advance(next - frame)
      frame = next
    }
    await capturer.close()
    await encodeSegment({ images, fps: settings.fps, format, out: partial }, join(folder, 'list.ffconcat'), signal)
    await rename(partial, file)
    return images.length
  } catch (error) {
    signal.throwIfAborted()
    const time = frame / settings.fps
    throw withPosition(error, { time, slide: slideAt(timeline.events, time).slide })
  } finally {
    await rm(folder, { recursive: true, force: true })
    await rm(partial, { force: true })
  }
}

/** Adds the position in the video to failures of the page. */
function withPosition(error: unknown, position: VideoPosition): unknown {
  if (!(error instanceof VideoError)) return error
  switch (error.failure.kind) {
    case 'page-not-ready':
    case 'incomplete-frame':
      return new VideoError({ ...error.failure, position })
    default:
      return error
  }
}
