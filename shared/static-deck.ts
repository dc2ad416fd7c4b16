import { z } from 'zod'
import { commandLineFacts, stepInfo } from './protocol/state.ts'

/**
 * The data that a static site needs about its deck. `build` embeds it as JSON in the variable `VITE_UNDERSTUDY_STATIC`.
 */
export const staticDeck = z.strictObject({
  grid: z.strictObject({ cols: z.number().int(), rows: z.number().int() }),
  steps: z.array(stepInfo),
  commands: commandLineFacts,
})
export type StaticDeck = z.infer<typeof staticDeck>
