import { parseTimeString } from '@slidev/parser/utils'
import { z } from 'zod'

/**
 * A contract: what a step needs and promises. It stands under `steps.<id>` in the frontmatter of the step's slide.
 * Unknown keys are errors, so that a misspelt promise is never silently ignored.
 */

/** A TCP port. */
const port = z.number().int().min(1).max(65535)

/** The name of an environment variable, as POSIX writes it. */
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of an environment variable')

/** What the steps run against: the bundled flake with nixpkgs, the offline lab, or, where a deck has no flake, this machine as it is. */
export const profileSchema = z.enum(['nixos', 'lab', 'host'])
export type Profile = z.infer<typeof profileSchema>

const needsKeys = z.strictObject({
  /** Programs that must be on the PATH of the step's terminal. */
  programs: z.array(z.string().min(1)).default([]),
  /** Environment variables that must be set and not empty. */
  env: z.array(variable).default([]),
  /** TCP ports of 127.0.0.1 that must be free when the step starts. */
  ports: z.array(port).default([]),
  /** What the step makes Nix build, as installables of the flake in the workdir: made before the talk by `prefetch`. */
  installables: z.array(z.string().regex(/^\.#\S+$/, 'must be of the flake in the workdir: .#<output>')).default([]),
  /** Hosts that must answer on port 443. */
  network: z.array(z.hostname()).default([]),
  /** The profiles in which the step can run at all; all of them unless given. */
  profiles: z.array(profileSchema).min(1).optional(),
  /** Why the step cannot run in another profile, told to the user as it stands. */
  reason: z.string().min(1).optional(),
})

/** Decks written before `reason` had that name say `because`. */
const needs = z.preprocess((value) => {
  if (typeof value !== 'object' || value === null || !('because' in value)) return value
  const { because, ...others } = value
  return { reason: because, ...others }
}, needsKeys)

const input = z.strictObject({
  /** What the field is called on the slide. */
  label: z.string().min(1),
  /** A regular expression that the whole value must match. Anything that one line can hold, unless given. */
  pattern: z.string().default('.+').refine(isRegExp, 'is not a regular expression'),
  /** An example, shown in the empty field. */
  placeholder: z.string().optional(),
})

/** One key: a character, or `ctrl-` and a letter. */
const key = z.string().regex(/^(ctrl-[a-z]|[!-~])$/, 'is no key: write one character, or ctrl-<letter>')

/** What a terminal sends for a key: Ctrl and a letter are the control characters 1 to 26 (ECMA-48). */
export function keyCode(name: string): string {
  return name.startsWith('ctrl-') ? String.fromCharCode(name.charCodeAt(5) - 96) : name
}

/** A length of time in seconds, written as Slidev writes them: `90s`, `5m`, `1:30`, or a number of seconds. */
export const time = z.union([z.number(), z.string()]).transform((text, context) => {
  try {
    const { seconds } = parseTimeString(text)
    if (seconds > 0) return seconds
  } catch {
    // Not a time: said below.
  }
  context.addIssue({ code: 'custom', message: `"${text}" is no time: write it as 90s, 2m or 1:30` })
  return z.NEVER
})

/** A regular expression (JavaScript's), matched against each line that the step prints, without colours. */
const pattern = z.string().min(1).refine(isRegExp, 'is not a regular expression')

const ready = z.union([
  z.strictObject({
    /** Asked again and again once the step runs; the step is ready when it answers 2xx. Only this machine is asked. */
    http: z
      .url()
      .regex(/^http:\/\/127\.0\.0\.1(:\d+)?(\/|$)/, 'must be a page of this machine: http://127.0.0.1:<port>/…'),
    /** Text that the answer must contain. */
    contains: z.string().min(1).optional(),
  }),
  /** Ready as soon as a line matches. */
  z.strictObject({ output: pattern }),
])

const expectation = z
  .strictObject({
    /** The exit status; 0 unless given. */
    exit: z.number().int().min(0).max(255).optional(),
    /** The step is meant to fail: any exit status but 0 will do. */
    failure: z.literal(true).optional(),
    /** A line that must be printed. */
    output: pattern.optional(),
  })
  .refine(({ exit, failure }) => exit === undefined || failure === undefined, 'write either "exit" or "failure"')

/** A value that a run of the step gives: kept with its recording, and shown by the component Measured. */
const capture = z
  .strictObject({
    /** Its first group is the value. */
    output: pattern
      .refine(
        (source) => !isRegExp(source) || new RegExp(`${source}|`).exec('')?.length === 2,
        'must have one group: (…)',
      )
      .optional(),
    /** What this prints is the value: run by bash in the workdir once the step is over. */
    script: z.string().min(1).optional(),
    /** What it is a number of; text unless given. */
    unit: z.enum(['bytes', 'seconds', 'text']).default('text'),
    /** What the value is called where it is shown. */
    label: z.string().min(1).optional(),
  })
  .refine(
    ({ output, script }) => (output === undefined) !== (script === undefined),
    'write either "output" or "script"',
  )

export const contractSchema = z.strictObject({
  needs: needs.prefault({}),
  /** What the user fills in: `{{name}}` in the command stands for the value, quoted for the shell. */
  inputs: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower-case letters, digits and dashes'), input)
    .default({}),
  /** A word that the user types before the step runs, because the step costs money or destroys something. */
  confirm: z
    .strictObject({
      /** What is about to happen. */
      warning: z.string().min(1),
      /** The word to type. */
      type: z.string().min(1),
    })
    .optional(),
  /** What the step must do. */
  expect: expectation.prefault({}),
  /** Steps that must have succeeded before. */
  depends: z.array(z.string()).default([]),
  /** How long it may take to its end, or until it is ready. In seconds. */
  timeout: time.default(600),
  /** Run by bash in the workdir once the step is over, or ready: the step has done what it promises if this exits with 0. */
  verify: z.string().min(1).optional(),
  /** Values that a run gives, by name. */
  capture: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower-case letters, digits and dashes'), capture)
    .default({}),
  /** Run by bash in the workdir after a rehearsal of the step, whatever its result. */
  cleanup: z.string().min(1).optional(),
  /** When the recording takes the place of the live terminal by itself. */
  fallback: z.array(z.enum(['missing', 'failure', 'timeout'])).default([]),
  /** For a step that keeps running: how to know that what it starts can be used. */
  ready: ready.optional(),
  /** The keys that end the step where Ctrl-C does not, one after the other: `[ctrl-a, x]` for QEMU's serial console. */
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
