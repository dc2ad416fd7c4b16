import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../lib/paths.ts'

test.each(['security.md', 'reliability.md'])('every test that docs/%s names exists', async (name) => {
  const text = await readFile(join(packageRoot, 'docs', name), 'utf8')
  const named = [...text.matchAll(/`([^`]+\.(?:test|spec)\.ts)` “([^”]+)”/g)]
  expect(named.length).toBeGreaterThan(5)
  expect(text.match(/\.(test|spec)\.ts`/g)).toHaveLength(named.length)
  for (const [, file = '', title = ''] of named)
    expect(await readFile(join(packageRoot, file), 'utf8'), file).toContain(title)
})

test.each(['architecture.md', 'contributing.md'])('every file that docs/%s names exists', async (name) => {
  const text = await readFile(join(packageRoot, 'docs', name), 'utf8')
  const paths = [...text.matchAll(/`((?:shared|client|components|server|setup|layouts|bin|e2e|scripts)\/[\w./-]*)`/g)]
  expect(paths.length).toBeGreaterThan(5)
  for (const [, path = ''] of paths) {
    // Written by the compiler.
    if (path.startsWith('server/dist/')) continue
    expect(existsSync(join(packageRoot, path)), path).toBe(true)
  }
})
