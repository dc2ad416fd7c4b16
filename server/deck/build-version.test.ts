import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { packageRoot } from '../lib/paths.ts'
import { deckVersion } from './build-version.ts'

/** Time limit for computing the version of this repository's deck, in milliseconds. It is computed at every start. */
const TIME_LIMIT_MS = 300

let folder: string
let deck: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-version-'))
  deck = join(folder, 'talk', 'slides.md')
  await write('talk/slides.md', '---\ntheme: ../theme\naddons: [./addon, installed]\n---\n\n# Talk\n')
  await write('talk/package.json', '{ "dependencies": { "installed": "1.0.0", "local": "file:../local" } }')
  await write('talk/node_modules/installed/package.json', '{ "version": "1.0.0" }')
  await write('talk/node_modules/installed/index.js', '')
  await write('theme/layouts/cover.vue', '<template />')
  await write('addon/package.json', '{ "slidev": { "addons": ["./nested"] } }')
  await write('nested/components/Nested.vue', '<template />')
  await write('local/package.json', '{}')
  await write('local/index.js', '')
  await symlink(join(folder, 'local'), join(folder, 'talk', 'node_modules', 'local'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), content)
}

const version = () => deckVersion(deck, [deck])

describe('the version of a build changes with', () => {
  test.each([
    ['the slides', 'talk/slides.md'],
    ['a component of the deck', 'talk/components/Chart.vue'],
    ['a folder that a component imports from', 'talk/lib/numbers.ts'],
    ['an imported slide', 'talk/slides/intro.md'],
    ['a snippet', 'talk/snippets/example.hs'],
    ['the configuration of Vite', 'talk/vite.config.ts'],
    ['an environment file of Vite', 'talk/.env.production'],
    ['a saved drawing', 'talk/.slidev/drawings/1.svg'],
    ['a local theme', 'theme/layouts/cover.vue'],
    ['a local addon', 'addon/styles/index.css'],
    ['an addon of a local addon', 'nested/components/Nested.vue'],
    ['a local package', 'local/index.js'],
    ['the lock file', 'talk/package-lock.json'],
    ['the lock file of the workspace', 'pnpm-lock.yaml'],
    ['the version of an installed addon', 'talk/node_modules/installed/package.json'],
  ])('%s', async (_, path) => {
    const before = await version()
    await write(path, '{ "version": "1.0.1" }')
    expect(await version()).not.toBe(before)
  })

  test('a linked folder', async () => {
    await write('images/a.svg', '<svg/>')
    await symlink(join(folder, 'images'), join(folder, 'talk', 'public'))
    const before = await version()
    await write('images/a.svg', '<svg>')
    expect(await version()).not.toBe(before)
  })
})

describe('the version of a build does not change with', () => {
  test.each([
    ['the built site', 'talk/dist/index.html'],
    ['a video', 'talk/videos/talk.mp4'],
    ['the script of a task', 'talk/tasks/port/check'],
    ['a test', 'talk/components/Chart.test.ts'],
    ['the readme', 'talk/README.md'],
    ['the backup of an editor', 'talk/slides.md~'],
    ['the Git repository', 'talk/.git/index'],
    ['other files of an installed package', 'talk/node_modules/installed/index.js'],
  ])('%s', async (_, path) => {
    const before = await version()
    await write(path, 'changed')
    expect(await version()).toBe(before)
  })
})

test('the version of a build does not change with the cache, even in the folder of the deck', async () => {
  vi.stubEnv('UNDERSTUDY_CACHE', join(folder, 'talk', 'cache'))
  const before = await version()
  await write('talk/cache/decks/talk/workdir/flake.nix', '{ }')
  expect(await version()).toBe(before)
})

test('deckVersion follows each folder of a cycle of links once', async () => {
  await symlink(join(folder, 'talk'), join(folder, 'talk', 'loop'))
  expect(await version()).toMatch(/^[0-9a-f]{16}$/)
})

test(`the version of this repository's deck takes less than ${TIME_LIMIT_MS} ms`, async () => {
  const file = join(packageRoot, 'slides.md')
  await deckVersion(file, [file])
  const times: number[] = []
  for (let run = 0; run < 3; run++) {
    const start = performance.now()
    await deckVersion(file, [file])
    times.push(performance.now() - start)
  }
  // The fastest run, because other programs on the machine may slow a run down.
  expect(Math.min(...times)).toBeLessThan(TIME_LIMIT_MS)
})
