import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type AddOptions, addToDeck } from './add.ts'

let folder: string
let printed: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-add-'))
  printed = ''
  vi.spyOn(console, 'log').mockImplementation((text: string) => void (printed += `${text}\n`))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), text)
  }
}

/** The files of the deck, with their contents. */
async function read(): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(folder.length + 1), await readFile(file, 'utf8')])),
  )
}

const add = (options: Partial<AddOptions> = {}, deck = 'slides.md') =>
  addToDeck(
    {
      deck: join(folder, deck),
      addon: '1.2.3',
      yes: true,
      dryRun: false,
      commands: ['start', 'dev', 'rehearse'],
      ...options,
    },
    new AbortController().signal,
  )

const DECK = {
  'package.json': '{\n  "scripts": {\n    "dev": "slidev"\n  }\n}\n',
  'slides.md': '---\ntheme: none # mine\n---\n\n# Hi\n',
  '.gitignore': 'node_modules\r\ndist/\r\n',
  'node_modules/@slidev/cli/package.json': '{ "version": "53.0.0" }',
}

test('add changes package.json, the headmatter and .gitignore, and nothing else', async () => {
  await write(DECK)
  await add()
  expect(await read()).toEqual({
    ...DECK,
    'package.json': `${JSON.stringify(
      {
        scripts: {
          dev: 'slidev',
          start: 'slidev-addon-understudy start',
          rehearse: 'slidev-addon-understudy rehearse',
        },
        dependencies: { 'slidev-addon-understudy': '1.2.3' },
      },
      undefined,
      2,
    )}\n`,
    'slides.md': '---\ntheme: none # mine\naddons:\n  - slidev-addon-understudy\n---\n\n# Hi\n',
    '.gitignore': 'node_modules\r\ndist/\r\nvideos\r\ncasts\r\n',
  })
  expect(printed).toContain('  + scripts.start: slidev-addon-understudy start\n')
  expect(printed).toContain("Kept: scripts.dev: slidev\n  Understudy's own: npx slidev-addon-understudy dev\n")
  expect(printed).toMatch(/Next:\n {2}npm install\n {2}npm start\n$/)
})

test('a second time, nothing is changed', async () => {
  await write(DECK)
  await add()
  const once = await read()
  await add()
  expect(await read()).toEqual(once)
  expect(printed).toContain('The deck already uses Understudy. Nothing to change.')
})

test('with --dry-run, or without a terminal to ask in, the changes are shown and not made', async () => {
  await write(DECK)
  await add({ dryRun: true })
  await expect(add({ yes: false })).rejects.toThrow('use --yes')
  expect(printed.match(/ {2}\+ addons: slidev-addon-understudy/g)).toHaveLength(2)
  expect(await read()).toEqual(DECK)
})

test('a missing theme, a missing Slidev and one that is too old are reported with their fix', async () => {
  await write({ 'slides.md': '---\ntheme: seriph\n---\n' })
  await add({ dryRun: true })
  expect(printed).toContain('Slidev is not installed. Install it with: npm install @slidev/cli\n')
  expect(printed).toMatch(/slides\.md: the theme "seriph" is not installed: npm install @slidev\/theme-seriph\n/)
  await write({ 'node_modules/@slidev/cli/package.json': '{ "version": "52.8.0" }' })
  await add({ dryRun: true })
  expect(printed).toContain(
    'Slidev 52.8.0 is too old: 52.20 or newer is required. Update it with: npm install @slidev/cli@',
  )
})

test('files of the deck that replace a part of the addon are named, except for keys that the deck has moved', async () => {
  await write({
    ...DECK,
    'slides.md': '---\ntheme: none\nunderstudy: { keys: { run: x } }\n---\n',
    'layouts/stage.vue': '<template><slot /></template>',
    'setup/shortcuts.ts': "export default () => [{ key: 'r' }, { key: 'l' }]",
  })
  await add({ dryRun: true })
  expect(printed).toMatch(/layouts\/stage\.vue: replaces the layout "stage"/)
  expect(printed).toMatch(/setup\/shortcuts\.ts: uses the key "l"/)
  expect(printed).not.toContain('uses the key "r"')
})

test('scripts name a deck that is not slides.md beside package.json', async () => {
  await write({ 'package.json': '{}\n', 'talks/one.md': '# One\n' })
  await add({}, 'talks/one.md')
  expect(JSON.parse((await read())['package.json'] ?? '')).toMatchObject({
    scripts: { start: 'slidev-addon-understudy start talks/one.md' },
  })
})

test('a deck that does not exist, or that cannot be edited, is named and nothing is changed', async () => {
  await expect(add()).rejects.toThrow(/slides\.md cannot be read\. Create a new one with: .* new <folder>/)
  await write({ ...DECK, 'slides.md': '---\n{ title: x }\n---\n' })
  await expect(add()).rejects.toThrow('Add this line to it: addons: [slidev-addon-understudy]')
  await write({ ...DECK, 'package.json': '{' })
  await expect(add()).rejects.toThrow('package.json is not a valid package.json')
  expect(await read()).toEqual({ ...DECK, 'package.json': '{' })
})
