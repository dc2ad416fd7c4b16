import { z } from 'zod'
import { profileSchema } from '../../shared/deck/contract.ts'
import { chapter } from '../../shared/video/timeline.ts'

/** What stands beside a film, in `<name>.json`: what it shows, of when, and what it was made with. */
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
      /** Pixels, of what is a picture or moves. */
      width: z.number().int().positive().optional(),
      height: z.number().int().positive().optional(),
      /** Of what moves. */
      fps: z.number().positive().optional(),
    }),
  ),
  chapters: z.array(chapter),
  /** Each step of the slides that are shown. */
  steps: z.array(
    z.strictObject({
      step: z.string(),
      slide: z.number().int().min(1),
      command: z.string(),
      /** What it shows of the step: a good run, one that failed, what was done in a talk, or nothing. */
      shown: z.enum(['recorded', 'failed', 'given', 'nothing']),
      /** When the run was. */
      date: z.iso.datetime().optional(),
      profile: profileSchema.optional(),
      nix: z.string().optional(),
      nixpkgs: z.string().optional(),
      exit: z.number().int().nullable().optional(),
      seconds: z.number().nonnegative().optional(),
      /** Why the run may not show what the step would do now. */
      stale: z.enum(['command changed', 'flake changed']).optional(),
      /** What was wrong with a run that failed. */
      problems: z.array(z.string()).optional(),
    }),
  ),
  made: z.strictObject({ understudy: z.string(), node: z.string(), ffmpeg: z.string(), chromium: z.string() }),
})
export type Manifest = z.infer<typeof manifest>
