import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { packageRoot } from '../lib/paths.ts'
import { buildDeck } from './build.ts'
import { deckVersion } from './build-version.ts'

// One real build of a deck with every kind of input. The version decides whether the next start rebuilds the deck.

const FILES = {
  'talk/slides.md':
    '---\ntheme: ../theme\naddons: [slidev-addon-understudy]\n---\n\n# One\n\n<Uses />\n\n<<< @/snippets/a.sh\n',
  'talk/package.json': '{ "private": true, "type": "module" }',
  'talk/snippets/a.sh': 'echo one\n',
  'talk/components/Uses.vue':
    '<script setup>\nimport { a } from "../../outside/a.js"\nimport { b } from "linked"\nimport { c } from "installed"\nimport { d } from "../.hidden/d.js"\nimport { e } from "../tasks/e.js"\n</script>\n<template>{{ a }} {{ b }} {{ c }} {{ d }} {{ e }}</template>\n',
  'talk/.hidden/d.js': 'export const d = 1\n',
  'talk/tasks/e.js': 'export const e = 1\n',
  'outside/a.js': 'export const a = 1\n',
  'linked/package.json': '{ "name": "linked", "version": "1.0.0", "type": "module", "main": "index.js" }',
  'linked/index.js': 'export const b = 1\n',
  'talk/node_modules/installed/package.json':
    '{ "name": "installed", "version": "1.0.0", "type": "module", "main": "index.js" }',
  'talk/node_modules/installed/index.js': 'export const c = 1\n',
  'theme/styles/index.css': '.a { color: red; }\n',
  'theme/package.json': '{}',
}

let folder: string
let deck: { file: string; files: string[]; slides: [] }
let built: { version: string; folder: string }
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-build-'))
  vi.stubEnv('UNDERSTUDY_CACHE', join(folder, 'cache'))
  for (const [path, text] of Object.entries(FILES)) await write(path, text)
  for (const name of ['@slidev', 'vue'])
    await symlink(join(packageRoot, 'node_modules', name), join(folder, 'talk/node_modules', name))
  await symlink(packageRoot, join(folder, 'talk/node_modules/slidev-addon-understudy'))
  await symlink(join(folder, 'linked'), join(folder, 'talk/node_modules/linked'))
  const file = join(folder, 'talk/slides.md')
  deck = { file, files: [file], slides: [] }
  built = await buildDeck(deck, join(folder, 'cache/built'))
}, 300_000)
afterAll(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}

test('a deck that has not changed is not built again', async () => {
  const before = await stat(join(built.folder, 'index.html'))
  expect(await buildDeck(deck, join(folder, 'cache/built'))).toEqual(built)
  expect((await stat(join(built.folder, 'index.html'))).mtimeMs).toBe(before.mtimeMs)
})

describe('a deck is rebuilt after a change of', () => {
  test.each([
    ['the theme', 'theme/styles/index.css'],
    ['a snippet', 'talk/snippets/a.sh'],
    ['a file outside of the roots', 'outside/a.js'],
    ['a file in a hidden folder', 'talk/.hidden/d.js'],
    ['a file in a folder that is usually not part of the build', 'talk/tasks/e.js'],
    ['a linked package', 'linked/index.js'],
    ['the version of an installed package', 'talk/node_modules/installed/package.json'],
  ])('%s', async (_, path) => {
    const text = await readFile(join(folder, path), 'utf8')
    await write(path, text.replace('1.0.0', '1.0.1') + '\n')
    expect(await deckVersion(deck.file, deck.files)).not.toBe(built.version)
    await write(path, text)
    expect(await deckVersion(deck.file, deck.files)).toBe(built.version)
  })

  test('the components: a new one', async () => {
    await write('talk/components/New.vue', '<template />\n')
    expect(await deckVersion(deck.file, deck.files)).not.toBe(built.version)
    await rm(join(folder, 'talk/components/New.vue'))
  })
})
