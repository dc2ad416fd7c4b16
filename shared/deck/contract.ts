import { z } from 'zod'
import { parseTime } from './time.ts'

/**
 * The contract of a step: its requirements and expected results, declared under `steps.<id>` in the frontmatter of its
 * slide. Unknown keys are errors, so that a misspelled key is never ignored.
 */

/** A TCP port. */
const port = z.number().int().min(1).max(65535)

/** The name of an environment variable, as POSIX defines it. */
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of an environment variable')

/**
 * The environment of the steps: the deck's flake with nixpkgs, with the offline lab, or this machine without a flake.
 */
export const profileSchema = z.enum(['nixos', 'lab', 'host'])
export type Profile = z.infer<typeof profileSchema>

const needsKeys = z.strictObject({
  /** Programs that must be on the PATH of the step's terminal. */
  programs: z.array(z.string().min(1)).default([]),
  /** Environment variables that must be set and not empty. */
  env: z.array(variable).default([]),
  /** TCP ports of 127.0.0.1 that must be free when the step starts. */
  ports: z.array(port).default([]),
  /** Installables of the flake in the workdir that the step builds; `prefetch` builds them before the talk. */
  installables: z
    .array(z.string().regex(/^\.#\S+$/, 'must be an output of the flake in the workdir: .#<output>'))
    .default([]),
  /** Hosts that must answer on port 443. */
  network: z.array(z.hostname()).default([]),
  /** The profiles in which the step can run; all of them by default. */
  profiles: z.array(profileSchema).min(1).optional(),
  /** The reason why the step cannot run in other profiles; shown to the user verbatim. */
  reason: z.string().min(1).optional(),
})

/** Accepts `because`, the former name of `reason`. */
const needs = z.preprocess((value) => {
  if (typeof value !== 'object' || value === null || !('because' in value)) return value
  const { because, ...others } = value
  return { reason: because, ...others }
}, needsKeys)

const input = z.strictObject({
  /** Label of the field on the slide. */
  label: z.string().min(1),
  /** A regular expression that the whole value must match; by default any text without a line break. */
  pattern: z.string().default('.+').refine(isRegExp, 'is not a regular expression'),
  /** An example value, shown in the empty field. */
  placeholder: z.string().optional(),
})

/** One key: a character, or `ctrl-` and a letter. */
const key = z.string().regex(/^(ctrl-[a-z]|[!-~])$/, 'is not a key: use one character, or ctrl-<letter>')

/** The characters that a terminal sends for a key. Ctrl and a letter are the control characters 1 to 26 (ECMA-48). */
export function keyCode(name: string): string {
  return name.startsWith('ctrl-') ? String.fromCharCode(name.charCodeAt(5) - 96) : name
}

const INVALID_DURATION = 'use 90s, 2m or 1:30'

/** A duration in Slidev's notation (`90s`, `5m`, `1:30`, or a number of seconds), parsed to seconds. */
export const time = z
  .union([z.number(), z.string()], { error: ({ input }) => `Invalid duration "${String(input)}": ${INVALID_DURATION}` })
  .transform((text, context) => {
    const seconds = parseTime(text)
    if (seconds !== undefined && seconds > 0) return seconds
    context.addIssue({ code: 'custom', message: `Invalid duration "${text}": ${INVALID_DURATION}` })
    return z.NEVER
  })

/** A JavaScript regular expression, matched against each line of the step's output, without colors. */
const pattern = z.string().min(1).refine(isRegExp, 'is not a regular expression')

const ready = z.union([
  z.strictObject({
    /** Polled while the step runs; the step is ready when it responds with 2xx. Must be on this machine. */
    http: z
      .url()
      .regex(/^http:\/\/127\.0\.0\.1(:\d+)?(\/|$)/, 'must be a URL on this machine: http://127.0.0.1:<port>/…'),
    /** Text that the response must contain. */
    contains: z.string().min(1).optional(),
  }),
  /** Ready when a line of output matches. */
  z.strictObject({ output: pattern }),
])

const expectation = z
  .strictObject({
    /** The expected exit status; 0 by default. */
    exit: z.number().int().min(0).max(255).optional(),
    /** The step is expected to fail, with any exit status other than 0. */
    failure: z.literal(true).optional(),
    /** A line of output must match. */
    output: pattern.optional(),
  })
  .refine(({ exit, failure }) => exit === undefined || failure === undefined, 'set either "exit" or "failure"')

/** A value measured in a run of the step: saved with its recording, and shown by the component Measured. */
const capture = z
  .strictObject({
    /** The value is the first group of the first match. */
    output: pattern
      .refine(
        (source) => !isRegExp(source) || new RegExp(`${source}|`).exec('')?.length === 2,
        'must have exactly one group: (…)',
      )
      .optional(),
    /** The value is the output of this script, which bash runs in the workdir after the step. */
    script: z.string().min(1).optional(),
    /** Unit of the value. */
    unit: z.enum(['bytes', 'seconds', 'text']).default('text'),
    /** Label of the value on slides. */
    label: z.string().min(1).optional(),
  })
  .refine(({ output, script }) => (output === undefined) !== (script === undefined), 'set either "output" or "script"')

export const contractSchema = z.strictObject({
  needs: needs.prefault({}),
  /** Values that the user fills in. `{{name}}` in the command is replaced by the value, quoted for the shell. */
  inputs: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lowercase letters, digits and hyphens'), input)
    .default({}),
  /** Requires the user to type a word before the step runs, for steps that cost money or destroy data. */
  confirm: z
    .strictObject({
      /** Consequences of the step. */
      warning: z.string().min(1),
      /** The word to type. */
      type: z.string().min(1),
    })
    .optional(),
  /** Expected result of the step. */
  expect: expectation.prefault({}),
  /** Steps that must have succeeded before this one. */
  depends: z.array(z.string()).default([]),
  /** Longest time until the step ends or is ready, in seconds. */
  timeout: time.default(600),
  /**
   * Script that bash runs in the workdir when the step has ended or is ready. The step fails unless it exits with 0.
   */
  verify: z.string().min(1).optional(),
  /** Values to measure in each run, by name. */
  capture: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lowercase letters, digits and hyphens'), capture)
    .default({}),
  /** Script that bash runs in the workdir after each rehearsal of the step, even if the step has failed. */
  cleanup: z.string().min(1).optional(),
  /** Events on which the recording automatically replaces the live terminal. */
  fallback: z.array(z.enum(['missing', 'failure', 'timeout'])).default([]),
  /** The condition for a step that keeps running to be ready. */
  ready: ready.optional(),
  /** The sequence of keys that ends the step, if not Ctrl-C: `[ctrl-a, x]` for QEMU's serial console. */
  interrupt: z.array(key).min(1).default(['ctrl-c']),
})
export type Contract = z.infer<typeof contractSchema>

function isRegExp(source: string): boolean {
  try {
    new RegExp(source)
    return true
  } catch {
    return false
  }
}
