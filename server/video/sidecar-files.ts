import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Profile } from '../../shared/deck/contract.ts'
import { packageRoot } from '../lib/paths.ts'
import type { RecordingInfo } from '../recording/recordings.ts'
import type { Shot } from './frame-capturer.ts'
import { ffmetadata, transcript, webVtt } from './captions.ts'
import { type VideoFormat, videoFormats } from './ffmpeg.ts'
import type { Manifest } from './manifest.ts'
import { type Progress, publish, render, still } from './render.ts'
import type { Take } from './step-timeline.ts'
import type { FilmSite } from './render-site.ts'
import type { Timeline } from '../../shared/video/timeline.ts'

/** What a film is written as: a video, a picture, or the recording of the terminal itself. */
export const filmFormats = [...videoFormats, 'png', 'cast'] as const
export type FilmFormat = (typeof filmFormats)[number]

/** A film that is asked for. */
export interface Wanted {
  /** Of its files, without an ending. */
  name: string
  timeline: Timeline
  /** The steps of the slides that it shows. */
  steps: WantedStep[]
}

export interface WantedStep {
  step: string
  slide: number
  command: string
  take?: Take | undefined
  /** The talk in which it was run. */
  given?: { date: string; profile: Profile } | undefined
  /** Why it may not show what the step would do now. */
  stale?: RecordingInfo['stale'] | undefined
  /** What was wrong with a run that failed. */
  problems?: string[] | undefined
}

export interface Writing {
  wanted: Wanted
  format: FilmFormat
  shot: Shot
  /** Folder, absolute. */
  out: string
  site: FilmSite
  /** Folder of parts, absolute. */
  cache: string
  signal: AbortSignal
  onProgress: (progress: Progress) => void
}

/** A file of a film, as its manifest names it. */
export interface Written {
  /** Absolute. */
  file: string
  /** Of what is a picture or moves. */
  size?: { width: number; height: number }
  /** Of what moves. */
  fps?: number
}

/**
 * Writes one file of a film.
 *
 * @returns the file, and for a video how it went
 */
export async function writeFilm({
  wanted,
  format,
  shot,
  out,
  site,
  cache,
  signal,
  onProgress,
}: Writing): Promise<Written & { made?: { seconds: number; pictures: number; frames: number; kept: number } }> {
  const { timeline, name, steps } = wanted
  const file = join(out, `${name}.${format}`)
  await mkdir(out, { recursive: true })
  if (format === 'cast') {
    const [only, ...others] = steps
    if (!only?.take || others.length > 0)
      throw new Error('Only the video of a step can be written as a recording: name the step.')
    await copyFile(only.take.file, file)
    return { file }
  }
  const size = { width: shot.width, height: shot.height }
  const rendering = { timeline, shot, origin: site.origin }
  if (format === 'png') {
    await writeFile(file, (await still(rendering, timeline.poster)).png)
    return { file, size }
  }
  const began = performance.now()
  const { parts, ...counts } = await render({ ...rendering, format, version: site.version, cache, signal, onProgress })
  await joinWords({ parts, format, shot, timeline, file, cache, signal })
  return { file, size, fps: shot.fps, made: { seconds: (performance.now() - began) / 1000, ...counts } }
}

async function joinWords({
  parts,
  format,
  shot,
  timeline,
  file,
  cache,
  signal,
}: {
  parts: string[]
  format: VideoFormat
  shot: Shot
  timeline: Timeline
  file: string
  cache: string
  signal: AbortSignal
}): Promise<void> {
  const metadata = join(cache, `words-${process.pid}.ffmeta`)
  const captions = join(cache, `words-${process.pid}.vtt`)
  try {
    await writeFile(metadata, ffmetadata(timeline))
    await writeFile(captions, webVtt(timeline.captions))
    await publish(
      {
        parts,
        format,
        fps: shot.fps,
        length: timeline.length,
        metadata,
        ...(timeline.captions.length > 0 && { captions }),
        narration: timeline.narration,
        out: file,
      },
      cache,
      signal,
    )
  } finally {
    for (const words of [metadata, captions]) await rm(words, { force: true })
  }
}

/** Writes what stands beside the files of a film: captions, transcript, timeline, manifest. */
export async function writeWords(
  { name, timeline, steps }: Wanted,
  files: Written[],
  out: string,
  tools: { ffmpeg: string; chromium: string },
): Promise<void> {
  const beside = (ending: string) => join(out, `${name}.${ending}`)
  await writeFile(beside('vtt'), webVtt(timeline.captions))
  await writeFile(beside('md'), transcript(timeline, new Map(steps.map(({ step, command }) => [step, command]))))
  await writeFile(beside('timeline.json'), `${JSON.stringify(timeline)}\n`)
  const { version } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
  const content: Manifest = {
    version: 1,
    title: timeline.title,
    rendered: new Date().toISOString(),
    length: timeline.length,
    files: await Promise.all(
      files.map(async ({ file, size, fps }) => ({
        file: relative(out, file),
        bytes: (await stat(file)).size,
        sha256: createHash('sha256')
          .update(await readFile(file))
          .digest('hex'),
        ...size,
        ...(fps !== undefined && { fps }),
      })),
    ),
    chapters: timeline.chapters,
    steps: steps.map(told),
    made: { understudy: version, node: process.version, ...tools },
  }
  await writeFile(beside('json'), `${JSON.stringify(content, undefined, 2)}\n`)
}

function told({ step, slide, command, take, given, stale, problems }: WantedStep): Manifest['steps'][number] {
  if (given) return { step, slide, command, shown: 'given', ...given }
  if (!take) return { step, slide, command, shown: 'nothing', ...(problems && { problems }) }
  const {
    date,
    profile,
    nix,
    nixpkgs,
    exit,
    seconds,
  }: {
    date: string
    profile: Profile
    nix?: string | undefined
    nixpkgs?: string | undefined
    exit: number | null
    seconds: number
  } = take.metadata
  const run = {
    date,
    profile,
    ...(nix !== undefined && { nix }),
    ...(nixpkgs !== undefined && { nixpkgs }),
    exit,
    seconds,
  }
  if (problems) return { step, slide, command, shown: 'failed', ...run, problems }
  return { step, slide, command, shown: 'recorded', ...run, ...(stale !== undefined && { stale }) }
}
