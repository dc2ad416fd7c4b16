import { type VideoFormat, videoFormats } from './ffmpeg.ts'

/** The formats of `record --format`: videos, the poster image (PNG) and the asciicast of a step. */
export type OutputFormat = VideoFormat | 'png' | 'cast'

export interface RenderSize {
  /** Pixels of the output, even numbers. */
  width: number
  height: number
  /** Output pixels per CSS pixel. With 2, a 2160p video shows the page of a 1080p video at twice the resolution. */
  scale: number
}

export interface RenderSettings extends RenderSize {
  fps: number
  /** Whether the page uses its dark color scheme. */
  dark: boolean
}

const FULL_HD: RenderSize = { width: 1920, height: 1080, scale: 1 }

/** The named values of `record --size`. */
export const videoSizes: Record<string, RenderSize> = {
  '720p': { width: 1280, height: 720, scale: 1 },
  '1080p': FULL_HD,
  '2160p': { width: 3840, height: 2160, scale: 2 },
  vertical: { width: 1080, height: 1920, scale: 2 },
}

const VIDEO_DEFAULTS = { ...FULL_HD, fps: 30 }
/** Small, for READMEs. GIF delays are multiples of 10 ms and browsers slow down delays below 20 ms: 20 fps is exact. */
const GIF_DEFAULTS = { width: 960, height: 540, scale: 1, fps: 20 }

/** Returns the settings for a format: the given size and frame rate, or the defaults of the format. */
export function renderSettings(
  format: OutputFormat,
  { size, fps, dark }: { size?: RenderSize | undefined; fps?: number | undefined; dark: boolean },
): RenderSettings {
  const defaults = format === 'gif' ? GIF_DEFAULTS : VIDEO_DEFAULTS
  return { ...defaults, ...size, ...(fps !== undefined && { fps }), dark }
}

export function isVideoFormat(format: OutputFormat): format is VideoFormat {
  return videoFormats.some((video) => video === format)
}

export function isVertical({ width, height }: Pick<RenderSize, 'width' | 'height'>): boolean {
  return height > width
}
