import { z } from 'zod'
import { profileSchema } from '../deck/contract.ts'

/** A requirement of a step (`needs` in its contract) that the environment of its terminal does not meet. */
export const missingRequirement = z.discriminatedUnion('kind', [
  /** `reason` is the author's explanation, if there is one. */
  z.strictObject({
    kind: z.literal('profile'),
    profiles: z.array(profileSchema),
    current: profileSchema,
    reason: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('program'), program: z.string() }),
  z.strictObject({ kind: z.literal('variable'), variable: z.string() }),
  z.strictObject({ kind: z.literal('network'), host: z.string() }),
  /** The profile could not be prepared; `problem` contains the reason and the fix. */
  z.strictObject({ kind: z.literal('profile-problem'), problem: z.string() }),
])
export type MissingRequirement = z.infer<typeof missingRequirement>

/** @returns a sentence for the user: the missing requirement, and what to do next */
export function describeMissingRequirement(missing: MissingRequirement): string {
  switch (missing.kind) {
    case 'profile':
      return (
        missing.reason ??
        `Runs only in the profile ${missing.profiles.join(' or ')}; the current one is ${missing.current}.`
      )
    case 'program':
      return `The program ${missing.program} is not installed.`
    case 'variable':
      return `The environment variable ${missing.variable} is not set. Export it before you start the talk.`
    case 'network':
      return `${missing.host} does not respond. Check the network connection.`
    case 'profile-problem':
      return missing.problem
  }
}
