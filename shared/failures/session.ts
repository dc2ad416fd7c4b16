import { z } from 'zod'

/**
 * The reason why a terminal's shell ended or did not run a step. Sessions produce these values;
 * describeSessionFailure() turns them into sentences for the user.
 */
export const sessionFailure = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('shell-exited'), exit: z.number().int() }),
  z.strictObject({ kind: z.literal('shell-killed'), signal: z.number().int() }),
  z.strictObject({ kind: z.literal('restarted') }),
  z.strictObject({ kind: z.literal('closed') }),
  z.strictObject({ kind: z.literal('talk-ended') }),
  z.strictObject({ kind: z.literal('no-first-prompt'), seconds: z.number() }),
  z.strictObject({ kind: z.literal('not-at-prompt'), terminal: z.string() }),
  z.strictObject({ kind: z.literal('control-characters'), step: z.string() }),
  z.strictObject({ kind: z.literal('unresponsive'), terminal: z.string() }),
  /** A line that the user had typed was queued before the step. */
  z.strictObject({ kind: z.literal('line-came-first'), terminal: z.string() }),
  /** Any other error, with its own message. */
  z.strictObject({ kind: z.literal('unexpected'), message: z.string() }),
])
export type SessionFailure = z.infer<typeof sessionFailure>

/** One or two sentences for the user. */
export function describeSessionFailure(failure: SessionFailure): string {
  switch (failure.kind) {
    case 'shell-exited':
      return `The shell exited with status ${failure.exit}.`
    case 'shell-killed':
      return `The shell was killed by signal ${failure.signal}.`
    case 'restarted':
      return 'The shell was restarted.'
    case 'closed':
      return 'The terminal was closed.'
    case 'talk-ended':
      return 'The talk has ended. Start it again.'
    case 'no-first-prompt':
      return `The shell did not show its first prompt within ${failure.seconds} seconds.`
    case 'not-at-prompt':
      return `Terminal "${failure.terminal}" is not at its prompt.`
    case 'control-characters':
      return `The command of step "${failure.step}" contains control characters, which cannot be typed.`
    case 'unresponsive':
      return `The shell of terminal "${failure.terminal}" does not respond. Restart it.`
    case 'line-came-first':
      return `A line typed in terminal "${failure.terminal}" ran first. Run the step again when it has finished, or interrupt it.`
    case 'unexpected':
      return failure.message
  }
}
