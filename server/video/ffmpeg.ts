import { writeFile } from 'node:fs/promises'
import { execa } from 'execa'
import { z } from 'zod'
import { json } from '../../shared/json.ts'

/** What is asked of ffmpeg. Its arguments are the whole of the film's encoding; nothing else knows of codecs. */

/** What a film is written as. */
export const videoFormats = ['mp4', 'webm', 'gif'] as const
export type VideoFormat = (typeof videoFormats)[number]

/** The oldest that can be told the rate of pictures in a list. */
const OLDEST = 5

/** ffmpeg is missing, too old, or did not do what it was asked. */
export class FfmpegError extends Error {
  override name = 'FfmpegError'
}

/**
 * @returns its version
 * @throws FfmpegError that says what to install
 */
export async function findFfmpeg(): Promise<string> {
  const install = 'Install it: apt-get install ffmpeg'
  const { stdout, failed } = await execa('ffmpeg', ['-version'], { reject: false, stdin: 'ignore' })
  const version = /^ffmpeg version n?([\w.+-]+)/.exec(stdout ?? '')?.[1]
  if (failed || version === undefined)
    throw new FfmpegError(`There is no ffmpeg here to write a video with. ${install}`)
  if (Number.parseInt(version) < OLDEST)
    throw new FfmpegError(`Here is ffmpeg ${version}; a video needs version ${OLDEST} or newer. ${install}`)
  for (const codec of ['libx264', 'libvpx-vp9']) {
    const known = await execa('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-h', `encoder=${codec}`], {
      reject: false,
      stdin: 'ignore',
    })
    if (!known.stdout.includes(codec)) throw new FfmpegError(`This ffmpeg was made without ${codec}. ${install}`)
  }
  return version
}

/**
 * How a part is encoded. One thread each, since the parts are encoded side by side, and so that the result does not depend on the
 * machine. Without B-frames, so that parts join without a gap. GIFs are made of lossless parts.
 */
function codec(format: VideoFormat, fps: number): string[] {
  const key = String(fps * 5)
  switch (format) {
    case 'mp4':
      return [
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-crf',
        '18',
        '-bf',
        '0',
        '-g',
        key,
        '-threads',
        '1',
        '-pix_fmt',
        'yuv420p',
      ]
    case 'webm':
      return [
        '-c:v',
        'libvpx-vp9',
        '-deadline',
        'good',
        '-cpu-used',
        '5',
        '-crf',
        '30',
        '-b:v',
        '0',
        '-auto-alt-ref',
        '0',
        '-lag-in-frames',
        '0',
        '-g',
        key,
        '-threads',
        '1',
        '-pix_fmt',
        'yuv420p',
      ]
    case 'gif':
      return ['-c:v', 'libx264rgb', '-preset', 'ultrafast', '-qp', '0', '-g', key, '-threads', '1']
  }
}

/** The colours of HDTV (BT.709), said as such. */
const COLOURS = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv']

/** The container of a part. */
export const partEnding = { mp4: 'mp4', webm: 'webm', gif: 'mkv' } as const

export interface Part {
  /** PNG files, absolute, each with the number of frames that it is shown. */
  pictures: { file: string; frames: number }[]
  fps: number
  format: VideoFormat
  /** Absolute. */
  out: string
}

/** Encodes pictures as a part of a film. @param list a file that may be written: the list of pictures */
export async function encodePart(
  { pictures, fps, format, out }: Part,
  list: string,
  signal: AbortSignal,
): Promise<void> {
  const frames = pictures.reduce((sum, picture) => sum + picture.frames, 0)
  const last = pictures.at(-1)
  if (!last) return
  const lines = [...pictures, last].map(
    ({ file, frames }) => `file '${quoted(file)}'\noption framerate ${fps}\nduration ${(frames / fps).toFixed(6)}`,
  )
  await writeFile(list, `ffconcat version 1.0\n${lines.join('\n')}\n`)
  const colours = format === 'gif' ? [] : ['scale=out_color_matrix=bt709:out_range=tv', 'format=yuv420p']
  // Converted before they are repeated: a picture that stands for a minute is converted once.
  const filters = [...colours, `fps=${fps}`, 'tpad=stop_mode=clone:stop=-1']
  await ffmpeg(
    [
      '-f',
      'concat',
      '-safe',
      '0',
      '-i',
      list,
      '-vf',
      filters.join(','),
      '-frames:v',
      String(frames),
      '-r',
      String(fps),
      ...codec(format, fps),
      ...(format === 'gif' ? [] : COLOURS),
      '-an',
      ...EXACT,
      out,
    ],
    signal,
  )
}

/** Nothing of the machine or of the hour is written into a file. */
const EXACT = ['-fflags', '+bitexact', '-flags:v', '+bitexact', '-map_metadata', '-1']

export interface Film {
  parts: string[]
  format: VideoFormat
  fps: number
  /** Seconds. */
  length: number
  /** Chapters and title in ffmpeg's own format (FFMETADATA1): a file. */
  metadata?: string
  /** WebVTT: a file. */
  captions?: string
  /** Sound files, with the second at which each begins. */
  narration: { time: number; file: string }[]
  out: string
}

/** Joins parts to a film. */
export async function joinParts(
  { parts, format, fps, length, metadata, captions, narration, out }: Film,
  list: string,
  signal: AbortSignal,
): Promise<void> {
  await writeFile(list, `ffconcat version 1.0\n${parts.map((part) => `file '${quoted(part)}'`).join('\n')}\n`)
  const parted = ['-f', 'concat', '-safe', '0', '-i', list]
  if (format === 'gif') {
    // Of what stands as of what moves: else the colour of a small thing that appears once is lost.
    const palette = `fps=${fps},split[a][b];[a]palettegen=stats_mode=full:max_colors=128[p];[b][p]paletteuse=dither=none:diff_mode=rectangle`
    return ffmpeg([...parted, '-filter_complex', palette, '-loop', '0', '-fflags', '+bitexact', out], signal)
  }
  const inputs = [...parted]
  const maps = ['-map', '0:v']
  let next = 1
  if (metadata !== undefined) {
    inputs.push('-i', metadata)
    maps.push('-map_metadata', String(next), '-map_chapters', String(next++))
  }
  if (captions !== undefined) {
    inputs.push('-i', captions)
    maps.push(
      '-map',
      String(next++),
      '-c:s',
      format === 'mp4' ? 'mov_text' : 'webvtt',
      '-metadata:s:s:0',
      'language=eng',
    )
  }
  for (const { file } of narration) inputs.push('-i', file)
  if (narration.length > 0) {
    const delayed = narration.map(
      ({ time }, index) =>
        `[${next + index}:a]aresample=48000,aformat=channel_layouts=stereo,adelay=${Math.round(time * 1000)}:all=1[a${index}]`,
    )
    const mixed = `${narration.map((_, index) => `[a${index}]`).join('')}amix=inputs=${narration.length}:normalize=0:dropout_transition=0,apad,atrim=0:${length.toFixed(3)}[sound]`
    maps.push(
      '-filter_complex',
      [...delayed, mixed].join(';'),
      '-map',
      '[sound]',
      ...(format === 'mp4' ? ['-c:a', 'aac', '-b:a', '160k'] : ['-c:a', 'libopus', '-b:a', '96k']),
    )
  }
  await ffmpeg(
    [
      ...inputs,
      ...maps,
      '-c:v',
      'copy',
      '-fflags',
      '+bitexact',
      '-flags:a',
      '+bitexact',
      ...(format === 'mp4' ? ['-movflags', '+faststart'] : []),
      out,
    ],
    signal,
  )
}

const probe = z.object({
  format: z.object({ duration: z.coerce.number().positive() }),
  streams: z.array(z.object({ codec_type: z.string() })),
})

/**
 * Seconds of a sound file.
 *
 * @throws FfmpegError where it is none
 */
export async function soundLength(file: string): Promise<number> {
  const { stdout } = await execa(
    'ffprobe',
    ['-v', 'error', '-of', 'json', '-show_entries', 'format=duration:stream=codec_type', file],
    { reject: false, stdin: 'ignore' },
  )
  const found = probe.safeParse(json(stdout ?? ''))
  if (!found.success || !found.data.streams.some(({ codec_type: kind }) => kind === 'audio'))
    throw new FfmpegError(`${file}: this is no sound file that ffmpeg can read.`)
  return found.data.format.duration
}

async function ffmpeg(args: string[], cancelSignal: AbortSignal): Promise<void> {
  const { failed, stderr } = await execa('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args], {
    reject: false,
    cancelSignal,
    stdin: 'ignore',
  })
  cancelSignal.throwIfAborted()
  if (failed)
    throw new FfmpegError(`ffmpeg could not write the video: ${stderr.trim().split('\n').slice(-3).join('\n')}`)
}

/** As ffconcat has it: within single quotes, one of them closes, is escaped, and opens again. */
function quoted(file: string): string {
  return file.replaceAll("'", `'\\''`)
}
