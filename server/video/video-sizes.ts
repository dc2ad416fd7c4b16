import type { Shot } from './frame-capturer.ts'

/** The sizes of videos by name, in pixels. What is twice as fine is the same page, drawn finer. */
export const filmSizes: Record<string, Pick<Shot, 'width' | 'height' | 'scale'>> = {
  '720p': { width: 1280, height: 720, scale: 1 },
  '1080p': { width: 1920, height: 1080, scale: 1 },
  '2160p': { width: 3840, height: 2160, scale: 2 },
  vertical: { width: 1080, height: 1920, scale: 2 },
}
