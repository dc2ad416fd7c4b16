import { z } from 'zod'
import { profileSchema } from '../../shared/deck/contract.ts'
import { chapter } from '../../shared/video/timeline.ts'

/** The manifest of a video, `<name>.json`: the runs that it shows and the programs that rendered it. */
export const manifest = z.strictObject({
  version: z.literal(1),
  title: z.string(),
  /** Date of the render (ISO 8601). */
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
       * The run that the video shows: the recording of a successful run, a failed run, the run of a live talk
       * (`given`), or no run.
       */
      shown: z.enum(['recorded', 'failed', 'given', 'nothing']),
      /** Date of the run (ISO 8601). */
      date: z.iso.datetime().optional(),
      profile: profileSchema.optional(),
      nix: z.string().optional(),
      nixpkgs: z.string().optional(),
      /** The exit status; null if the step was stopped after it had become ready. */
      exit: z.number().int().nullable().optional(),
      seconds: z.number().nonnegative().optional(),
      /** The reason why the recording may be outdated. */
      stale: z.enum(['command changed', 'flake changed']).optional(),
      /** The problems of a failed run. */
      problems: z.array(z.string()).optional(),
    }),
  ),
  /** The versions of the programs that rendered the video. */
  made: z.strictObject({ understudy: z.string(), node: z.string(), ffmpeg: z.string(), chromium: z.string() }),
})
export type Manifest = z.infer<typeof manifest>
