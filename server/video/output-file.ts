import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ffmetadata, webVtt } from './captions.ts'
import { VideoError } from './failures.ts'
import type { VideoFormat } from './ffmpeg.ts'
import { render, renderFrame, type RenderProgress, type RenderResult, writeVideo } from './render.ts'
import type { RenderJob } from './render-jobs.ts'
import type { OutputFormat, RenderSettings } from './render-settings.ts'
import type { RenderSite } from './render-site.ts'
import { temporaryName } from './segment-cache.ts'

export interface OutputOptions {
  job: RenderJob
  format: OutputFormat
  settings: RenderSettings
  /** The folder of the output, absolute. */
  out: string
  site: RenderSite
  /** The folder of cached segments, absolute. */
  cache: string
  signal: AbortSignal
  onProgress: (progress: RenderProgress) => void
}

export interface OutputFile {
  /** Absolute. */
  file: string
  /** Pixels, of videos and images. */
  size?: { width: number; height: number }
  /** Frames per second, of videos. */
  fps?: number
}

/** Statistics of a rendered video. */
export type RenderStats = Omit<RenderResult, 'segments'> & { seconds: number }

/**
 * Writes a video in one format.
 *
 * @returns the file and, for videos, the statistics of the render
 * @throws VideoError, or the signal's reason
 */
export async function writeOutputFile(options: OutputOptions): Promise<{ output: OutputFile; stats?: RenderStats }> {
  const { job, format, settings, out, site, cache, signal, onProgress } = options
  const { timeline, name, steps } = job
  const file = join(out, `${name}.${format}`)
  await mkdir(out, { recursive: true })
  if (format === 'cast') {
    const [step, ...others] = steps
    if (!step?.recording || others.length > 0) throw new VideoError({ kind: 'cast-needs-one-step' })
    await copyFile(step.recording.file, file)
    return { output: { file } }
  }
  const size = { width: settings.width, height: settings.height }
  const renderOptions = { timeline, settings, origin: site.origin }
  if (format === 'png') {
    const { png } = await renderFrame(renderOptions, timeline.poster)
    await writeFile(file, png)
    return { output: { file, size } }
  }
  const start = performance.now()
  const { segments, ...counts } = await render({
    ...renderOptions,
    format,
    siteVersion: site.version,
    cache,
    signal,
    onProgress,
  })
  await writeCaptionedVideo(options, format, segments, file)
  return {
    output: { file, size, fps: settings.fps },
    stats: { seconds: (performance.now() - start) / 1000, ...counts },
  }
}

/** Joins segments into a video with chapters, captions and narration. */
async function writeCaptionedVideo(
  { job: { timeline }, settings, cache, signal }: OutputOptions,
  format: VideoFormat,
  segments: string[],
  out: string,
): Promise<void> {
  const metadata = join(cache, temporaryName('metadata.ffmeta'))
  const captions = join(cache, temporaryName('captions.vtt'))
  try {
    await writeFile(metadata, ffmetadata(timeline))
    await writeFile(captions, webVtt(timeline.captions))
    await writeVideo(
      {
        segments,
        format,
        fps: settings.fps,
        length: timeline.length,
        metadata,
        ...(timeline.captions.length > 0 && { captions }),
        narration: timeline.narration,
        out,
      },
      cache,
      signal,
    )
  } finally {
    for (const file of [metadata, captions]) await rm(file, { force: true })
  }
}
