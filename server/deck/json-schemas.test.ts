import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../lib/paths.ts'
import { jsonSchemas } from './json-schemas.ts'

const schemas = Object.entries(jsonSchemas())

test.each(schemas)('schema/%s.json is current (write it with: npm run schemas)', async (name, schema) => {
  const written: unknown = JSON.parse(await readFile(join(packageRoot, 'schema', `${name}.json`), 'utf8'))
  expect(written).toEqual(JSON.parse(JSON.stringify(schema)))
})

/** Paths of the keys without a description. */
function undescribed(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([name, value]: [string, unknown]) => {
    if (name !== 'properties') return undescribed(value, path)
    return Object.entries(value as Record<string, { description?: string }>).flatMap(([key, property]) => [
      ...(property.description === undefined ? [`${path}.${key}`] : []),
      ...undescribed(property, `${path}.${key}`),
    ])
  })
}

test.each(schemas)('every key in %s.json has a description', (_, schema) => {
  expect(undescribed(schema)).toEqual([])
})
