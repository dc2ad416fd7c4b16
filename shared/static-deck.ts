import { z } from 'zod'
import { stepInfo } from './protocol/state.ts'

/** What a static site has to know of its deck, since no server tells it: `build` puts it there, as the JSON of `VITE_UNDERSTUDY_STATIC`. */
export const staticDeck = z.strictObject({
  grid: z.strictObject({ cols: z.number().int(), rows: z.number().int() }),
  steps: z.array(stepInfo),
})
export type StaticDeck = z.infer<typeof staticDeck>
