import { z } from 'zod'
import { profileSchema } from './deck/contract.ts'

/** The result of one check. */
export const finding = z.strictObject({
  name: z.string(),
  /** `warn`: the talk can run, but something is missing or slow. */
  state: z.enum(['ok', 'warn', 'fail']),
  detail: z.string(),
  /** A command to run, or an instruction. */
  fix: z.string().optional(),
})
export type Finding = z.infer<typeof finding>

/** What a machine has and lacks for a talk. */
export const diagnosis = z.strictObject({
  deck: z.string(),
  profile: profileSchema,
  /** Whether the talk can run: no finding has the state `fail`, and every step can be run or replayed. */
  ready: z.boolean(),
  machine: z.array(finding),
  steps: z.array(
    z.strictObject({
      step: z.string(),
      slide: z.number().int(),
      /** `ask`: the step cannot run here, and asks the user for input or confirmation, so that it has no recording. */
      can: z.enum(['run', 'replay', 'nothing', 'ask']),
      findings: z.array(finding),
    }),
  ),
})
export type Diagnosis = z.infer<typeof diagnosis>
