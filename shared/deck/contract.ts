import { z } from 'zod'
import { parseTime } from './time.ts'

/**
 * The contract of a step: its requirements and expected results, declared under `steps.<id>` in the frontmatter of its
 * slide. Unknown keys are errors, so that a misspelled key is never ignored. The descriptions are shown by editors (see
 * server/deck/json-schemas.ts).
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
  programs: z
    .array(z.string().min(1))
    .default([])
    .describe("Programs that must be on the PATH of the step's terminal."),
  env: z
    .array(variable)
    .default([])
    .describe('Environment variables that must be set and not empty. They are passed on to the shell.'),
  ports: z.array(port).default([]).describe('TCP ports of 127.0.0.1 that must be free when the step starts.'),
  installables: z
    .array(z.string().regex(/^\.#\S+$/, 'must be an output of the flake in the workdir: .#<output>'))
    .default([])
    .describe('Installables of the flake in the workdir that the step builds; `prefetch` builds them before the talk.'),
  network: z.array(z.hostname()).default([]).describe('Hosts that must answer on port 443.'),
  profiles: z
    .array(profileSchema)
    .min(1)
    .optional()
    .describe('The profiles in which the step can run; all of them by default.'),
  reason: z
    .string()
    .min(1)
    .optional()
    .describe('The reason why the step cannot run in other profiles; shown to the user verbatim.'),
})

/** Accepts `because`, the former name of `reason`. */
const needs = z.preprocess((value) => {
  if (typeof value !== 'object' || value === null || !('because' in value)) return value
  const { because, ...others } = value
  return { reason: because, ...others }
}, needsKeys)

const input = z.strictObject({
  label: z.string().min(1).describe('Label of the field on the slide.'),
  pattern: z
    .string()
    .default('.+')
    .refine(isRegExp, 'is not a regular expression')
    .describe('A regular expression that the whole value must match; by default any text without a line break.'),
  placeholder: z.string().optional().describe('An example value, shown in the empty field.'),
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
    http: z
      .url()
      .regex(/^http:\/\/127\.0\.0\.1(:\d+)?(\/|$)/, 'must be a URL on this machine: http://127.0.0.1:<port>/…')
      .describe('Polled while the step runs; the step is ready when it responds with 2xx. Must be on this machine.'),
    contains: z.string().min(1).optional().describe('Text that the response must contain.'),
  }),
  z.strictObject({ output: pattern.describe('The step is ready when a line of output matches.') }),
])

const expectation = z
  .strictObject({
    exit: z.number().int().min(0).max(255).optional().describe('The expected exit status; 0 by default.'),
    failure: z.literal(true).optional().describe('The step is expected to fail, with any exit status other than 0.'),
    output: pattern.optional().describe('A regular expression that a line of output must match.'),
  })
  .refine(({ exit, failure }) => exit === undefined || failure === undefined, 'set either "exit" or "failure"')

/** A value measured in a run of the step: saved with its recording, and shown by the component Measured. */
const capture = z
  .strictObject({
    output: pattern
      .refine(
        (source) => !isRegExp(source) || new RegExp(`${source}|`).exec('')?.length === 2,
        'must have exactly one group: (…)',
      )
      .optional()
      .describe('A regular expression with one group: the value is the group in the first match in the output.'),
    script: z
      .string()
      .min(1)
      .optional()
      .describe('The value is the output of this script, which bash runs in the workdir after the step.'),
    unit: z.enum(['bytes', 'seconds', 'text']).default('text').describe('Unit of the value.'),
    label: z.string().min(1).optional().describe('Label of the value on slides.'),
  })
  .refine(({ output, script }) => (output === undefined) !== (script === undefined), 'set either "output" or "script"')

export const contractSchema = z.strictObject({
  needs: needs.prefault({}).describe('Requirements of the step. It does not run while one of them is missing.'),
  inputs: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lowercase letters, digits and hyphens'), input)
    .default({})
    .describe('Values that the user fills in. {{name}} in the command is replaced by the value, quoted for the shell.'),
  confirm: z
    .strictObject({
      warning: z.string().min(1).describe('Consequences of the step.'),
      type: z.string().min(1).describe('The word to type.'),
    })
    .optional()
    .describe('Requires the user to type a word before the step runs: for steps that cost money or destroy data.'),
  expect: expectation.prefault({}).describe('Expected result of the step.'),
  depends: z.array(z.string()).default([]).describe('Steps that must have succeeded before this one.'),
  timeout: time
    .default(600)
    .describe('Longest time until the step ends or is ready, such as 90s, 5m or 1:30; by default 10m.'),
  verify: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Script that bash runs in the workdir when the step has ended or is ready. The step fails unless it exits with 0.',
    ),
  capture: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lowercase letters, digits and hyphens'), capture)
    .default({})
    .describe('Values to measure in each run, by name.'),
  cleanup: z
    .string()
    .min(1)
    .optional()
    .describe('Script that bash runs in the workdir after each rehearsal of the step, even if the step has failed.'),
  fallback: z
    .array(z.enum(['missing', 'failure', 'timeout']))
    .default([])
    .describe('Events on which the recording automatically replaces the live terminal.'),
  ready: ready.optional().describe('The condition for a step that keeps running to be ready.'),
  interrupt: z
    .array(key)
    .min(1)
    .default(['ctrl-c'])
    .describe('The sequence of keys that ends the step, if not Ctrl-C: [ctrl-a, x] for the serial console of QEMU.'),
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
