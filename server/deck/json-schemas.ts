import { z } from 'zod'
import { contractSchema, time } from '../../shared/deck/contract.ts'
import { settingsSchema, slideKeys } from './author-keys.ts'
import { taskSchema } from './task.ts'

/**
 * The schemas of what authors write, as JSON Schema: editors complete and explain the keys with them. `prepack` writes
 * them to schema/.
 */

const schemas = {
  contract: contractSchema.describe('The contract of a step: its requirements and expected results.'),
  frontmatter: z.looseObject(slideKeys).describe('The frontmatter of a slide.'),
  headmatter: z
    .looseObject({
      ...slideKeys,
      understudy: settingsSchema.optional().describe('Settings of Understudy for the whole deck.'),
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
