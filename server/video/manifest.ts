import { z } from 'zod'
import { profileSchema } from '../../shared/deck/contract.ts'
import { chapter } from '../../shared/video/timeline.ts'

/** The manifest of a video, `<name>.json`: which runs it shows and what it was rendered with. */
export const manifest = z.strictObject({
  version: z.literal(1),
  title: z.string(),
  /** When it was rendered (ISO 8601). */
  rendered: z.iso.datetime(),
  /** Seconds. */
  length: z.number().positive(),
  files: z.array(
    z.strictObject({
      file: z.string(),
      bytes: z.number().int().positive(),
      sha256: z.string(),
      /** Pixels, of videos and images. */
      width: z.number().int().positive().optional(),
      height: z.number().int().positive().optional(),
      /** Frames per second, of videos. */
      fps: z.number().positive().optional(),
    }),
  ),
  chapters: z.array(chapter),
  /** Every step on the slides that the video shows. */
  steps: z.array(
    z.strictObject({
      step: z.string(),
      slide: z.number().int().min(1),
      command: z.string(),
      /**
       * What the video shows of the step: the recording of a successful run, a failed run, the run of a live talk
       * (`given`), or nothing.
       */
      shown: z.enum(['recorded', 'failed', 'given', 'nothing']),
      /** When the step was run (ISO 8601). */
      date: z.iso.datetime().optional(),
      profile: profileSchema.optional(),
      nix: z.string().optional(),
      nixpkgs: z.string().optional(),
      /** The exit status; null if the step was stopped after it had become ready. */
      exit: z.number().int().nullable().optional(),
      seconds: z.number().nonnegative().optional(),
      /** Why the recording may be outdated. */
      stale: z.enum(['command changed', 'flake changed']).optional(),
      /** The problems of a failed run. */
      problems: z.array(z.string()).optional(),
    }),
  ),
  /** The versions of the programs that rendered the video. */
  made: z.strictObject({ understudy: z.string(), node: z.string(), ffmpeg: z.string(), chromium: z.string() }),
})
export type Manifest = z.infer<typeof manifest>
