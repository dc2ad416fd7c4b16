import { z } from 'zod'

/**
 * Valid messages made from the schemas of the protocol, so that tests cover messages that are added later.
 */

/** The part of JSON Schema that zod writes for messages. */
interface JsonSchema {
  type?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: JsonSchema | boolean
  items?: JsonSchema
  pattern?: string
  minimum?: number
  minLength?: number
}

/** Values that match the patterns of the protocol: ids, and hashes in hex. */
const STRINGS = ['count', '0'.repeat(64), 'flake.nix']

/**
 * Returns a message that its schema accepts.
 *
 * @param given fields with the values that the test requires
 */
export function sampleMessage<Schema extends z.ZodType>(schema: Schema, given: object = {}): z.infer<Schema> {
  const sample = sampleOf(z.toJSONSchema(schema, { io: 'input' }) as JsonSchema) as object
  return schema.parse({ ...sample, ...given })
}

function sampleOf(schema: JsonSchema): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return sampleOf(schema.anyOf[0] ?? {})
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([name]) => schema.required?.includes(name))
          .map(([name, property]) => [name, sampleOf(property)]),
      )
    case 'array':
      return []
    case 'boolean':
      return true
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1)
    case 'string': {
      const pattern = new RegExp(schema.pattern ?? '')
      return STRINGS.find((text) => pattern.test(text) && text.length >= (schema.minLength ?? 0)) ?? ''
    }
    default:
      return null
  }
}
