import { z } from 'zod'
import { contractSchema, time } from '../../shared/deck/contract.ts'
import { ID } from '../../shared/deck/fence.ts'
import { keysSchema } from '../../shared/deck/keys.ts'

/**
 * The keys that the addon defines in the frontmatter of a deck and its slides. Slidev and themes define others. The deck
 * is checked with these schemas, and editors complete and explain the keys with them (json-schemas.ts).
 */

const TASK_NAME = 'must be the name of a folder in tasks/: lowercase letters, digits and hyphens'

/** The keys in the frontmatter of a slide. */
export const slideKeys = {
  steps: z
    .record(z.string().regex(ID), contractSchema)
    .optional()
    .describe('The contracts of the steps on this slide, by their ids: requirements and expected results.'),
  runOnNext: z
    .boolean('must be true or false')
    .optional()
    .describe('"Next" runs the steps of this slide in turn after its clicks, and then turns the slide.'),
  pace: time.optional().describe('Planned time for this slide, such as 90s, 2m or 1:30.'),
  task: z
    .string(TASK_NAME)
    .regex(ID, TASK_NAME)
    .optional()
    .describe('The task of the workshop on this slide: a folder in tasks/.'),
  narration: z.string().min(1).optional().describe("An audio file with the speaker's voice, for videos."),
}

/** `steps` before its contracts are checked: a slide and its importers each declare a part of a contract. */
export const declaredContractsSchema = z
  .record(z.string(), z.unknown(), 'must map the id of each step to its contract')
  .nullish()

/** `understudy` in the headmatter. Fewer than 20 columns are useless; more than 400 are illegible for an audience. */
export const settingsSchema = z.strictObject({
  cols: z.number().int().min(20).max(400).default(88).describe('Columns of all terminals.'),
  rows: z.number().int().min(4).max(200).default(18).describe('Rows of all terminals.'),
  runOnNext: z.boolean().optional().describe('"Next" runs the steps of every slide in turn.'),
  keys: keysSchema.optional().describe("The addon's keys on the slides that differ from the default."),
})
