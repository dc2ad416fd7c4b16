// Writes the JSON Schemas of what authors write to schema/. `npm pack` runs it, after compiling the server.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jsonSchemas } from '../server/dist/server/deck/json-schemas.js'
import { root } from './install.js'

mkdirSync(join(root, 'schema'), { recursive: true })
for (const [name, schema] of Object.entries(jsonSchemas()))
  writeFileSync(join(root, 'schema', `${name}.json`), `${JSON.stringify(schema, undefined, 2)}\n`)
