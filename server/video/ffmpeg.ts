import { writeFile } from 'node:fs/promises'
import { execa } from 'execa'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { VideoError } from './failures.ts'

/** The ffmpeg commands. No other file contains details of codecs, containers or ffmpeg's file formats. */

export const videoFormats = ['mp4', 'webm', 'gif'] as const
export type VideoFormat = (typeof videoFormats)[number]

/** The oldest major version whose ffconcat lists support the `option` directive. */
const MIN_FFMPEG_VERSION = 5
const REQUIRED_ENCODERS = ['libx264', 'libvpx-vp9']
/** Distance between keyframes: the precision of seeking. */
const KEYFRAME_INTERVAL_SECONDS = 5
const STDERR_LINES = 3

/**
 * Checks that ffmpeg can write all formats.
 *
 * @returns the version of ffmpeg
 * @throws VideoError `ffmpeg-missing`, `ffmpeg-outdated` or `encoder-missing`
 */
export async function findFfmpeg(): Promise<string> {
  const { stdout, failed } = await execa('ffmpeg', ['-version'], { reject: false, stdin: 'ignore' })
  const version = failed ? undefined : /^ffmpeg version n?([\w.+-]+)/.exec(stdout)?.[1]
  if (version === undefined) throw new VideoError({ kind: 'ffmpeg-missing' })
  if (Number.parseInt(version) < MIN_FFMPEG_VERSION)
    throw new VideoError({ kind: 'ffmpeg-outdated', version, minimum: MIN_FFMPEG_VERSION })
  for (const encoder of REQUIRED_ENCODERS) {
    const help = await execa('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-h', `encoder=${encoder}`], {
      reject: false,
      stdin: 'ignore',
    })
    if (!help.stdout.includes(encoder)) throw new VideoError({ kind: 'encoder-missing', encoder })
  }
  return version
}

/**
 * Returns the encoder options of a segment. Each encoder uses one thread, because segments are encoded in parallel and
 * the result must not depend on the number of cores. B-frames are off so that segments can be joined without gaps. GIFs
 * are made from lossless segments.
 */
function encoderOptions(format: VideoFormat, fps: number): string[] {
  const keyframes = ['-g', String(fps * KEYFRAME_INTERVAL_SECONDS), '-threads', '1']
  switch (format) {
    case 'mp4':
      return words('-c:v libx264 -preset veryfast -crf 18 -bf 0', keyframes, '-pix_fmt yuv420p')
    case 'webm':
      return words(
        '-c:v libvpx-vp9 -deadline good -cpu-used 5 -crf 30 -b:v 0 -auto-alt-ref 0 -lag-in-frames 0',
        keyframes,
        '-pix_fmt yuv420p',
      )
    case 'gif':
      return words('-c:v libx264rgb -preset ultrafast -qp 0', keyframes)
  }
}

/** Splits strings at spaces; arrays are kept as they are. */
function words(...parts: (string | string[])[]): string[] {
  return parts.flatMap((part) => (typeof part === 'string' ? part.split(' ') : part))
}

/** Declares the colors as those of HDTV (BT.709). */
const COLOR_OPTIONS = words('-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv')

/** Omits encoder versions and creation times, so that equal input results in equal files. */
const REPRODUCIBLE_OPTIONS = words('-fflags +bitexact -flags:v +bitexact -map_metadata -1')

/** The file extension, and thus the container, of a segment in each format. */
export const segmentExtension = { mp4: 'mp4', webm: 'webm', gif: 'mkv' } as const

export interface SegmentEncoding {
  /** PNG files, as absolute paths, each with the number of frames for which it is shown. */
  images: { file: string; frames: number }[]
  fps: number
  format: VideoFormat
  /** The output file, absolute. */
  out: string
}

/**
 * Encodes images as a segment of a video.
 *
 * @param list path of a temporary file for the list of images
 * @throws VideoError `ffmpeg-failed`, or the signal's reason
 */
export async function encodeSegment(
  { images, fps, format, out }: SegmentEncoding,
  list: string,
  signal: AbortSignal,
): Promise<void> {
  const frames = images.reduce((sum, image) => sum + image.frames, 0)
  const last = images.at(-1)
  if (!last) return
  // The concat demuxer ignores the duration of the last entry, so it is listed twice.
  const lines = [...images, last].map(
    ({ file, frames }) => `file '${quoted(file)}'\noption framerate ${fps}\nduration ${(frames / fps).toFixed(6)}`,
  )
  await writeFile(list, `ffconcat version 1.0\n${lines.join('\n')}\n`)
  const toBt709 = format === 'gif' ? [] : ['scale=out_color_matrix=bt709:out_range=tv', 'format=yuv420p']
  // Colors are converted before frames are repeated: an image shown for a minute is converted only once.
  const filters = [...toBt709, `fps=${fps}`, 'tpad=stop_mode=clone:stop=-1']
  await runFfmpeg(
    [
      ...words('-f concat -safe 0'),
      ...['-i', list, '-vf', filters.join(','), '-frames:v', String(frames), '-r', String(fps)],
      ...encoderOptions(format, fps),
      ...(format === 'gif' ? [] : COLOR_OPTIONS),
      '-an',
      ...REPRODUCIBLE_OPTIONS,
      out,
    ],
    signal,
  )
}

export interface VideoFile {
  /** Files of the segments, absolute, in order. */
  segments: string[]
  format: VideoFormat
  fps: number
  /** Seconds. */
  length: number
  /** A file with title and chapters in ffmpeg's own format (FFMETADATA1). */
  metadata?: string
  /** A WebVTT file. */
  captions?: string
  /** Audio files, with the time in seconds at which each starts. */
  narration: { time: number; file: string }[]
  /** The output file, absolute. */
  out: string
}

/**
 * Joins segments into a video and adds metadata, captions and narration. GIFs have none of these.
 *
 * @param list path of a temporary file for the list of segments
 * @throws VideoError `ffmpeg-failed`, or the signal's reason
 */
export async function joinSegments(
  { segments, format, fps, length, metadata, captions, narration, out }: VideoFile,
  list: string,
  signal: AbortSignal,
): Promise<void> {
  await writeFile(list, `ffconcat version 1.0\n${segments.map((file) => `file '${quoted(file)}'`).join('\n')}\n`)
  const video = [...words('-f concat -safe 0'), '-i', list]
  if (format === 'gif') {
    // stats_mode=full also counts static regions; otherwise, the colors of small, briefly shown details would be lost.
    const palette = `fps=${fps},split[a][b];[a]palettegen=stats_mode=full:max_colors=128[p];[b][p]paletteuse=dither=none:diff_mode=rectangle`
    return runFfmpeg([...video, '-filter_complex', palette, ...words('-loop 0 -fflags +bitexact'), out], signal)
  }
  const inputs = [...video]
  const maps = words('-map 0:v')
  let nextInput = 1
  if (metadata !== undefined) {
    inputs.push('-i', metadata)
    maps.push('-map_metadata', String(nextInput), '-map_chapters', String(nextInput))
    nextInput++
  }
  if (captions !== undefined) {
    inputs.push('-i', captions)
    maps.push('-map', String(nextInput), '-c:s', format === 'mp4' ? 'mov_text' : 'webvtt')
    maps.push('-metadata:s:s:0', 'language=eng')
    nextInput++
  }
  for (const { file } of narration) inputs.push('-i', file)
  if (narration.length > 0) {
    const delayed = narration.map(
      ({ time }, index) =>
        `[${nextInput + index}:a]aresample=48000,aformat=channel_layouts=stereo,adelay=${Math.round(time * 1000)}:all=1[a${index}]`,
    )
    const labels = narration.map((_, index) => `[a${index}]`).join('')
    const mixed = `${labels}amix=inputs=${narration.length}:normalize=0:dropout_transition=0,apad,atrim=0:${length.toFixed(3)}[sound]`
    maps.push('-filter_complex', [...delayed, mixed].join(';'), '-map', '[sound]')
    maps.push(...words(format === 'mp4' ? '-c:a aac -b:a 160k' : '-c:a libopus -b:a 96k'))
  }
  await runFfmpeg(
    [
      ...inputs,
      ...maps,
      ...words('-c:v copy -fflags +bitexact -flags:a +bitexact'),
      ...(format === 'mp4' ? words('-movflags +faststart') : []),
      out,
    ],
    signal,
  )
}

const ffprobeOutput = z.object({
  format: z.object({ duration: z.coerce.number().positive() }),
  streams: z.array(z.object({ codec_type: z.string() })),
})

/**
 * @returns the duration of an audio file in seconds
 * @throws VideoError `unreadable-audio`
 */
export async function audioSeconds(file: string): Promise<number> {
  const { stdout, failed } = await execa(
    'ffprobe',
    [...words('-v error -of json -show_entries format=duration:stream=codec_type'), file],
    { reject: false, stdin: 'ignore' },
  )
  const output = ffprobeOutput.safeParse(failed ? undefined : json(stdout))
  if (!output.success || !output.data.streams.some(({ codec_type: kind }) => kind === 'audio'))
    throw new VideoError({ kind: 'unreadable-audio', file })
  return output.data.format.duration
}

async function runFfmpeg(args: string[], cancelSignal: AbortSignal): Promise<void> {
  const { failed, stderr, exitCode } = await execa(
    'ffmpeg',
    [...words('-hide_banner -loglevel error -nostdin -y'), ...args],
    { reject: false, cancelSignal, stdin: 'ignore' },
  )
  cancelSignal.throwIfAborted()
  if (failed)
    throw new VideoError({
      kind: 'ffmpeg-failed',
      exitStatus: exitCode,
      stderr: stderr.trim().split('\n').slice(-STDERR_LINES).join('\n'),
    })
}

/** Escapes a path for a single-quoted ffconcat string: close the quotes, add an escaped quote, open them again. */
function quoted(file: string): string {
  return file.replaceAll("'", `'\\''`)
}
