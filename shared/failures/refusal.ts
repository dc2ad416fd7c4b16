import { z } from 'zod'
import { type ClassRefusal, classRefusals, describeClassRefusal } from './class-refusal.ts'
import { describeTalkRefusal, talkRefusals } from './talk-refusal.ts'
import { describeWorkshopRefusal, type WorkshopRefusal, workshopRefusals } from './workshop-refusal.ts'

/**
 * The reason why the server refused a request. Sent over the websocket; the browser shows the text of
 * describeRefusal().
 */
export const refusal = z.discriminatedUnion('kind', [...talkRefusals, ...workshopRefusals, ...classRefusals])
export type Refusal = z.infer<typeof refusal>

/** @returns one or two sentences for the user: the refused request, and what to do next */
export function describeRefusal(refusal: Refusal): string {
  if (isWorkshopRefusal(refusal)) return describeWorkshopRefusal(refusal)
  if (isClassRefusal(refusal)) return describeClassRefusal(refusal)
  return describeTalkRefusal(refusal)
}

const workshopKinds = new Set<string>(workshopRefusals.map(({ shape }) => shape.kind.value))
const classKinds = new Set<string>(classRefusals.map(({ shape }) => shape.kind.value))

function isWorkshopRefusal(refusal: Refusal): refusal is WorkshopRefusal {
  return workshopKinds.has(refusal.kind)
}

function isClassRefusal(refusal: Refusal): refusal is ClassRefusal {
  return classKinds.has(refusal.kind)
}
