import { z } from 'zod'

/** Reasons for refusing a request about a class, with the data for the message. */
export const classRefusals = [
  z.strictObject({ kind: z.literal('unknown-learner'), learner: z.string() }),
  /** The learner has no open window in which to answer a request to join. */
  z.strictObject({ kind: z.literal('learner-offline'), learner: z.string() }),
  /** The learner has allowed a request that the instructor had already withdrawn. */
  z.strictObject({ kind: z.literal('join-not-requested') }),
] as const

export const classRefusal = z.discriminatedUnion('kind', classRefusals)
export type ClassRefusal = z.infer<typeof classRefusal>

/** @returns the message for the instructor or the learner */
export function describeClassRefusal(refusal: ClassRefusal): string {
  switch (refusal.kind) {
    case 'unknown-learner':
      return `This class has no learner "${refusal.learner}".`
    case 'learner-offline':
      return `${refusal.learner} has no open window and cannot answer. Try again when ${refusal.learner} is online.`
    case 'join-not-requested':
      return 'The instructor has withdrawn the request.'
  }
}
