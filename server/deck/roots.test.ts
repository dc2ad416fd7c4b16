import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findRoots } from './roots.ts'

let folder: string
let deck: string
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'understudy-roots-')))
  deck = join(folder, 'talk', 'slides.md')
  await write('talk/package.json', '{}')
})
afterEach(() => rm(folder, { recursive: true }))

/** Writes a file below the temporary folder. */
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}

/** Writes the frontmatter of the deck. */
const writeDeck = (headmatter: string) => write('talk/slides.md', `---\n${headmatter}\n---\n\n# Talk\n`)

/** Installs a package in the folder of the deck. */
const install = (name: string, slidev: object = {}) =>
  write(`talk/node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', slidev }))

test('roots are the theme, the addons and the deck', async () => {
  await writeDeck('theme: seriph\naddons: [one, slidev-addon-two, "@scope/three"]')
  await install('@slidev/theme-seriph')
  await install('slidev-addon-one')
  await install('slidev-addon-two')
  await install('@scope/three')
  const packages = join(folder, 'talk/node_modules')
  expect(await findRoots(deck)).toEqual({
    theme: join(packages, '@slidev/theme-seriph'),
    addons: ['slidev-addon-one', 'slidev-addon-two', '@scope/three'].map((name) => join(packages, name)),
    deck: join(folder, 'talk'),
    all: [
      ...['@slidev/theme-seriph', 'slidev-addon-one', 'slidev-addon-two', '@scope/three'].map((name) =>
        join(packages, name),
      ),
      join(folder, 'talk'),
    ],
    missing: [],
  })
})

describe('addons', () => {
  test('of the package.json and of other addons follow those of the deck', async () => {
    await write('talk/package.json', '{ "slidev": { "addons": ["project"] } }')
    await writeDeck('theme: none\naddons: [one, two]')
    await install('slidev-addon-one', { addons: ['nested'] })
    await install('slidev-addon-two')
    await install('slidev-addon-nested', { addons: ['one'] })
    await install('slidev-addon-project')
    const { addons } = await findRoots(deck)
    expect(addons.map((path) => path.replace(/.*addon-/, ''))).toEqual(['one', 'two', 'nested', 'project'])
  })

  test.each([
    ['defaults of the theme', 'theme: default'],
    ['"config"', 'theme: none\nconfig: { addons: [one] }'],
  ])('can be set in %s', async (_, headmatter) => {
    await writeDeck(headmatter)
    await install('@slidev/theme-default', { defaults: { addons: ['one'] } })
    await install('slidev-addon-one')
    expect((await findRoots(deck)).addons).toEqual([join(folder, 'talk/node_modules/slidev-addon-one')])
  })
})

test('relative paths of a theme start at the deck, those of addons at its parent', async () => {
  await writeDeck("theme: ../theme\naddons: [./addon, '@/own']")
  await write('theme/layouts/cover.vue', '')
  await write('addon/package.json', '{}')
  await write('talk/own/package.json', '{}')
  const roots = await findRoots(deck)
  expect(roots.all).toEqual(['theme', 'addon', 'talk/own', 'talk'].map((name) => join(folder, name)))
})

test('a linked package is found where it really is', async () => {
  await writeDeck('theme: none\naddons: [linked]')
  await write('local/package.json', '{}')
  await mkdir(join(folder, 'talk/node_modules'))
  await symlink(join(folder, 'local'), join(folder, 'talk/node_modules/slidev-addon-linked'))
  expect((await findRoots(deck)).addons).toEqual([join(folder, 'local')])
})

test.each([
  ['', { type: 'theme', name: 'default', package: '@slidev/theme-default' }],
  ['theme: geist', { type: 'theme', name: 'geist', package: 'slidev-theme-geist' }],
  ['theme: ./none', { type: 'theme', name: './none' }],
  ['theme: none\naddons: [qrcode]', { type: 'addon', name: 'qrcode', package: 'slidev-addon-qrcode' }],
  ['theme: none\naddons: [slidev-addon-x]', { type: 'addon', name: 'slidev-addon-x', package: 'slidev-addon-x' }],
  ['theme: none\naddons: ["@scope/x"]', { type: 'addon', name: '@scope/x', package: '@scope/x' }],
])('a theme or an addon that is not installed is reported: %s', async (headmatter, missing) => {
  await writeDeck(headmatter)
  const place = { file: 'slides.md', line: missing.type === 'theme' ? 2 : 3 }
  expect((await findRoots(deck)).missing).toEqual([{ ...place, severity: 'error', kind: 'missing-root', ...missing }])
})

test('theme: null means no theme', async () => {
  await writeDeck('theme: null')
  expect(await findRoots(deck)).toEqual({
    addons: [],
    deck: join(folder, 'talk'),
    all: [join(folder, 'talk')],
    missing: [],
  })
})
