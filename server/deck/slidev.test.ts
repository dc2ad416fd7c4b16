import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import semver from 'semver'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../lib/paths.ts'
import { CLIENT_INTERNALS, loadSlidev, SUPPORTED_SLIDEV } from './slidev.ts'

const installed = join(packageRoot, 'node_modules/@slidev')

let folder: string
let deck: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-slidev-'))
  deck = join(folder, 'slides.md')
  await writeFile(deck, '# One\n\n---\n\n# Two\n')
})
afterEach(() => rm(folder, { recursive: true }))

/** Writes a file below the folder of the deck. */
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}

/** Installs a Slidev of some version in the folder of the deck, as pnpm does: only @slidev/cli is visible to the deck. */
async function installStrictly(version: string): Promise<string> {
  const store = join('node_modules/.pnpm/slidev/node_modules/@slidev')
  await write(`${store}/cli/package.json`, JSON.stringify({ name: '@slidev/cli', version, exports: { './*': './*' } }))
  await write(`${store}/cli/bin/slidev.mjs`, '')
  await write(
    `${store}/parser/package.json`,
    JSON.stringify({ name: '@slidev/parser', type: 'module', exports: { './fs': './fs.js' } }),
  )
  await write(
    `${store}/parser/fs.js`,
    'export const load = () => ({ slides: ["own"] })\n' +
      ['parse', 'parseRangeString', 'resolveConfig', 'injectPreparserExtensionLoader']
        .map((name) => `export const ${name} = () => {}\n`)
        .join(''),
  )
  await write(`${store}/client/package.json`, '{ "name": "@slidev/client" }')
  for (const file of CLIENT_INTERNALS) await write(`${store}/client/${file}`, '')
  await mkdir(join(folder, 'node_modules/@slidev'))
  await symlink(join(folder, store, 'cli'), join(folder, 'node_modules/@slidev/cli'))
  return join(folder, store)
}

describe('loadSlidev', () => {
  test("finds the addon's own Slidev for a deck without one", async () => {
    const { version, executable } = await loadSlidev(deck)
    expect(executable).toBe(join(installed, 'cli/bin/slidev.mjs'))
    expect(await readFile(join(installed, 'cli/package.json'), 'utf8')).toContain(`"version": "${version}"`)
  })

  test("prefers the deck's Slidev and the parser that only this Slidev sees", async () => {
    const store = await installStrictly('53.0.0')
    const { version, executable, parser } = await loadSlidev(deck)
    expect(version).toBe('53.0.0')
    expect(executable).toBe(join(store, 'cli/bin/slidev.mjs'))
    expect(await parser.load({ roots: [folder], userRoot: folder }, deck)).toEqual({ slides: ['own'] })
  })

  test.each(['0.43.5', '52.8.0', '52.19.1', '54.0.0', '54.0.0-beta.1'])('rejects Slidev %s', async (version) => {
    await installStrictly(version)
    await expect(loadSlidev(deck)).rejects.toThrow(
      new RegExp(
        `^Slidev ${version} is not supported .* requires @slidev/cli >=52.20.0 <54. Run: npm install "@slidev`,
      ),
    )
  })

  test.each([
    ['the executable', 'cli/bin/slidev.mjs', 'bin/slidev.mjs'],
    ['the parser', 'parser/fs.js', '@slidev/parser/fs'],
    ['a component of its client', 'client/internals/SlidesShow.vue', '@slidev/client/internals/SlidesShow.vue'],
  ])('names the version of a Slidev without %s', async (_, path, part) => {
    const store = await installStrictly('53.0.0')
    await rm(join(store, path))
    await expect(loadSlidev(deck)).rejects.toThrow(`Slidev 53.0.0 lacks ${part}`)
  })

  test('names the packages to install if neither the deck nor the addon has a Slidev', async () => {
    await cp(join(packageRoot, 'package.json'), join(folder, 'addon/package.json'))
    await expect(loadSlidev(deck, join(folder, 'addon'))).rejects.toThrow(
      'Slidev is not installed. Run: npm install @slidev/cli @slidev/theme-default',
    )
  })
})

test.each([
  ['52.20.1', true],
  ['53.0.0', true],
  ['53.99.0', true],
  ['53.0.0-beta.1', false],
])('the supported range contains %s: %j', (version, contained) => {
  expect(semver.satisfies(version, SUPPORTED_SLIDEV)).toBe(contained)
})

test('the checked components of the client are those that the client imports', async () => {
  const source = await readFile(join(packageRoot, 'client/slidev-internals.ts'), 'utf8')
  expect([...source.matchAll(/'@slidev\/client\/(.*)'/g)].map(([, file]) => file)).toEqual(CLIENT_INTERNALS)
})
