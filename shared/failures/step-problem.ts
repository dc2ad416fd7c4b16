import { z } from 'zod'
import { sessionFailure, describeSessionFailure } from './session.ts'

/** A condition of a step's contract that a run did not meet. */
export const stepProblem = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('exit-status'), exit: z.number().int().nullable(), expected: z.number().int() }),
  /** The contract expects a failure, but the step succeeded. */
  z.strictObject({ kind: z.literal('succeeded') }),
  z.strictObject({ kind: z.literal('ended-before-ready'), exit: z.number().int().nullable() }),
  z.strictObject({ kind: z.literal('no-output'), pattern: z.string() }),
  z.strictObject({ kind: z.literal('timeout'), seconds: z.number() }),
  /** `exit` is null if the script was stopped after `limit` seconds. `output` is the end of its output. */
  z.strictObject({
    kind: z.literal('verify'),
    exit: z.number().int().nullable(),
    limit: z.number(),
    output: z.string(),
  }),
  z.strictObject({
    kind: z.literal('capture-script'),
    capture: z.string(),
    exit: z.number().int().nullable(),
    output: z.string(),
  }),
  z.strictObject({ kind: z.literal('capture-missing'), capture: z.string() }),
  z.strictObject({ kind: z.literal('capture-not-a-number'), capture: z.string(), value: z.string(), unit: z.string() }),
  z.strictObject({ kind: z.literal('session'), failure: sessionFailure }),
  /** A rehearsal stopped the step: it ran out of time, or the user interrupted the rehearsal. */
  z.strictObject({ kind: z.literal('stopped'), seconds: z.number() }),
  z.strictObject({ kind: z.literal('rehearsal-interrupted') }),
  /** The step could not be started in the rehearsal; `message` contains the reason. */
  z.strictObject({ kind: z.literal('refused'), message: z.string() }),
])
export type StepProblem = z.infer<typeof stepProblem>

/** A sentence for the user. It may quote output of the step. */
export function describeStepProblem(problem: StepProblem): string {
  switch (problem.kind) {
    case 'exit-status':
      return `The exit status is ${problem.exit ?? 'unknown'}, not ${problem.expected}.`
    case 'succeeded':
      return 'The command succeeded, but its contract expects a failure.'
    case 'ended-before-ready':
      return `The command ended (exit status ${problem.exit ?? 'unknown'}) before it was ready.`
    case 'no-output':
      return `No line of the output matches /${problem.pattern}/.`
    case 'timeout':
      return `The command took longer than ${problem.seconds} s.`
    case 'verify':
      return `The verify script ${problem.exit === null ? `took longer than ${problem.limit} s` : `exited with status ${problem.exit}`}: ${quoted(problem.output)}`
    case 'capture-script':
      return `The script of capture "${problem.capture}" ${problem.exit === null ? 'was stopped' : `exited with status ${problem.exit}`}: ${quoted(problem.output)}`
    case 'capture-missing':
      return `No line of the output matches the capture "${problem.capture}".`
    case 'capture-not-a-number':
      return `The capture "${problem.capture}" is "${problem.value}", which is not a number of ${problem.unit}.`
    case 'session':
      return describeSessionFailure(problem.failure)
    case 'stopped':
      return `The command was interrupted after ${problem.seconds.toFixed(problem.seconds < 10 ? 1 : 0)} s.`
    case 'rehearsal-interrupted':
      return 'The rehearsal was interrupted.'
    case 'refused':
      return problem.message
  }
}

/** Limits of a quotation from a script's output: its last lines, and their last characters. */
const QUOTED = { lines: 3, characters: 300 }

function quoted(output: string): string {
  return output.split('\n').slice(-QUOTED.lines).join(' · ').slice(-QUOTED.characters) || 'no output'
}
