import { z } from 'zod'
import { profileSchema } from '../deck/contract.ts'

/** A value that a run has captured. */
export const captured = z.strictObject({
  value: z.string(),
  unit: z.enum(['bytes', 'seconds', 'text']),
  label: z.string().optional(),
})
export type Captured = z.infer<typeof captured>

/** The content of `<step>.json`, beside the recording. */
export const metadata = z.strictObject({
  step: z.string(),
  command: z.string(),
  /** SHA-256 of the command as the slide showed it, hex. */
  hash: z.string(),
  /** Exit status; null if the step was still running, as a step that serves a page does. */
  exit: z.number().int().nullable(),
  seconds: z.number().nonnegative(),
  /** Seconds until the step was ready. */
  ready: z.number().nonnegative().optional(),
  date: z.iso.datetime(),
  profile: profileSchema,
  /** Version of Nix. */
  nix: z.string().optional(),
  /** The locked nixpkgs: a revision, or the path of the lab's. */
  nixpkgs: z.string().optional(),
  /** Fingerprint of the flake. */
  flake: z.string(),
  captures: z.record(z.string(), captured),
  /** SHA-256 of the recording, hex. */
  cast: z.string(),
})
export type Metadata = z.infer<typeof metadata>

/** A line of `history.jsonl`: the measurements of a run, saved if they differ from the previous ones. */
export const measurement = z.strictObject({
  step: z.string(),
  date: z.iso.datetime(),
  nixpkgs: z.string().optional(),
  captures: z.record(z.string(), captured),
})
export type Measurement = z.infer<typeof measurement>
