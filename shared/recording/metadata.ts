import { z } from 'zod'
import { profileSchema } from '../deck/contract.ts'

/** A value that a run has given. */
export const captured = z.strictObject({
  value: z.string(),
  unit: z.enum(['bytes', 'seconds', 'text']),
  label: z.string().optional(),
})
export type Captured = z.infer<typeof captured>

/** What stands in `<step>.json` beside the recording. */
export const metadata = z.strictObject({
  step: z.string(),
  command: z.string(),
  /** SHA-256 of the command as the slide showed it, hex. */
  hash: z.string(),
  /** null where the step was still running, as one that serves a page does. */
  exit: z.number().int().nullable(),
  seconds: z.number().nonnegative(),
  /** Seconds until it was ready. */
  ready: z.number().nonnegative().optional(),
  date: z.iso.datetime(),
  profile: profileSchema,
  /** Version of Nix, and what nixpkgs was locked to: a revision, or the lab's path. */
  nix: z.string().optional(),
  nixpkgs: z.string().optional(),
  /** Fingerprint of the flake that the step ran against. */
  flake: z.string(),
  captures: z.record(z.string(), captured),
  /** SHA-256 of the recording, hex. */
  cast: z.string(),
})
export type Metadata = z.infer<typeof metadata>

/** A line of `history.jsonl`: what a run has measured, kept whenever it differs from the time before. */
export const measurement = z.strictObject({
  step: z.string(),
  date: z.iso.datetime(),
  nixpkgs: z.string().optional(),
  captures: z.record(z.string(), captured),
})
export type Measurement = z.infer<typeof measurement>
