import { z } from 'zod'
import { contractSchema, time } from '../../shared/deck/contract.ts'
import { ID } from '../../shared/deck/fence.ts'
import { taskSchema } from './task.ts'

/**
 * The schemas of what authors write, as JSON Schema: editors complete and explain the keys with them. `prepack` writes
 * them to schema/.
 */

/** The addon's keys in the frontmatter of a slide. Slidev and themes define others. */
const slideKeys = {
  steps: z
    .record(z.string().regex(ID), contractSchema)
    .optional()
    .describe('The contracts of the steps on this slide, by their ids: requirements and expected results.'),
  runOnNext: z
    .boolean()
    .optional()
    .describe('"Next" runs the steps of this slide in turn after its clicks, and then turns the slide.'),
  pace: time.optional().describe('Planned time for this slide, such as 90s, 2m or 1:30.'),
  task: z.string().regex(ID).optional().describe('The task of the workshop on this slide: a folder in tasks/.'),
  narration: z.string().min(1).optional().describe("An audio file with the speaker's voice, for videos."),
}

const settings = z.strictObject({
  cols: z.number().int().min(20).max(400).default(88).describe('Columns of all terminals.'),
  rows: z.number().int().min(4).max(200).default(18).describe('Rows of all terminals.'),
  runOnNext: z.boolean().optional().describe('"Next" runs the steps of every slide in turn.'),
})

const schemas = {
  contract: contractSchema.describe('The contract of a step: its requirements and expected results.'),
  frontmatter: z.looseObject(slideKeys).describe('The frontmatter of a slide.'),
  headmatter: z
    .looseObject({
      ...slideKeys,
      understudy: settings.optional().describe('Settings of Understudy for the whole deck.'),
      duration: time.optional().describe('Planned time for the talk, such as 40min.'),
    })
    .describe('The first frontmatter of a deck.'),
  task: taskSchema.describe('The frontmatter of task.md.'),
}

/** The JSON Schemas, by the name of their file without its extension. */
export function jsonSchemas(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [
      name,
      // Values as authors write them, in the version of JSON Schema that YAML editors support.
      z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }),
    ]),
  )
}
