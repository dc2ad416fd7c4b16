import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../lib/paths.ts'

test.each(['security.md', 'reliability.md'])('each test that docs/%s names is there', async (name) => {
  const text = await readFile(join(packageRoot, 'docs', name), 'utf8')
  const named = [...text.matchAll(/`([^`]+\.(?:test|spec)\.ts)` “([^”]+)”/g)]
  expect(named.length).toBeGreaterThan(5)
  expect(text.match(/\.(test|spec)\.ts`/g)).toHaveLength(named.length)
  for (const [, file = '', title = ''] of named)
    expect(await readFile(join(packageRoot, file), 'utf8'), file).toContain(title)
})
