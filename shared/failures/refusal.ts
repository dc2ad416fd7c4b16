import { z } from 'zod'
import { workshopRefusals } from '../protocol/workshop.ts'
import { describeTalkRefusal, talkRefusals } from './talk-refusal.ts'

const interim = z.strictObject({ kind: z.enum(workshopRefusals), message: z.string() })

/** Why the server did not carry out a request. It crosses the websocket; the browser shows the sentence of describeRefusal(). */
export const refusal = z.union([z.discriminatedUnion('kind', talkRefusals), interim])
export type Refusal = z.infer<typeof refusal>

/** One or two sentences for the user: what was refused, and what to do. */
export function describeRefusal(refusal: Refusal): string {
  if ('message' in refusal) return refusal.message
  return describeTalkRefusal(refusal)
}
