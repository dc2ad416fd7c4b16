import { z } from 'zod'
import { describeMissingRequirement, missingRequirement } from './requirement.ts'
import { describeSessionFailure, sessionFailure } from './session.ts'
import { describeStepProblem, stepProblem } from './step-problem.ts'

/** The event that has caused a recording to be shown automatically (`fallback` in a step's contract). */
export const fallbackReason = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('missing'), missing: z.array(missingRequirement).min(1) }),
  z.strictObject({ kind: z.literal('timeout'), seconds: z.number() }),
  z.strictObject({ kind: z.literal('failed'), problems: z.array(stepProblem).min(1) }),
  z.strictObject({ kind: z.literal('ended'), failure: sessionFailure }),
])
export type FallbackReason = z.infer<typeof fallbackReason>

/** One or more sentences for the user. */
export function describeFallback(reason: FallbackReason): string {
  switch (reason.kind) {
    case 'missing':
      return reason.missing.map(describeMissingRequirement).join(' ')
    case 'timeout':
      return `The command takes longer than ${reason.seconds} s.`
    case 'failed':
      return reason.problems.map(describeStepProblem).join(' ')
    case 'ended':
      return describeSessionFailure(reason.failure)
  }
}
