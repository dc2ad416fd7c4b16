import { z } from 'zod'
import type { DeckIssue } from '../../shared/failures/deck-problem.ts'
import { similarName } from './similar-name.ts'

type ValueIssue = Extract<DeckIssue, { kind: 'invalid-value' | 'unknown-key' }>

/**
 * Converts the mistakes that a schema has found in a value. Each unknown key becomes a mistake of its own, with the key
 * that was probably meant.
 *
 * @param path the value's own position
 */
export function invalidValues(path: readonly string[], schema: z.ZodType, error: z.ZodError): ValueIssue[] {
  return error.issues.flatMap((issue): ValueIssue[] => {
    const key = [...path, ...issue.path]
    if (issue.code !== 'unrecognized_keys') return [{ kind: 'invalid-value', key, message: issue.message }]
    const known = knownKeys(schema, issue.path)
    return issue.keys.map((name) => {
      const suggestion = similarName(name, known)
      return { kind: 'unknown-key', key: [...key, name], ...(suggestion !== undefined && { suggestion }) }
    })
  })
}

const objectSchema = z.object({
  properties: z.record(z.string(), z.unknown()).default({}),
  additionalProperties: z.unknown(),
  anyOf: z.array(z.unknown()).default([]),
})

/** The keys that a schema permits at a position. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let nodes: unknown[] = [z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })]
  const objects = () => nodes.flatMap((node) => alternatives(node))
  for (const name of path)
    nodes = objects().map(({ properties, additionalProperties }) => properties[String(name)] ?? additionalProperties)
  return objects().flatMap(({ properties }) => Object.keys(properties))
}

function alternatives(node: unknown): z.infer<typeof objectSchema>[] {
  const parsed = objectSchema.safeParse(node)
  return parsed.success ? [parsed.data, ...parsed.data.anyOf.flatMap(alternatives)] : []
}
