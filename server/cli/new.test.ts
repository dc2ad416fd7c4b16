import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readDeck } from '../deck/deck.ts'
import { packageRoot } from '../lib/paths.ts'
import { checkDeck } from '../rehearsal/check-deck.ts'
import { addonSpec } from './addon-spec.ts'
import { createDeck } from './new.ts'

let folder: string
let printed: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-new-'))
  printed = ''
  vi.spyOn(console, 'log').mockImplementation((text: string) => void (printed += `${text}\n`))
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

const COMMANDS = ['start', 'dev', 'rehearse', 'lock']

/** Creates a deck that depends on a released version. */
const create = (name: string, install = false) =>
  createDeck({ folder: join(folder, name), addon: '1.2.3', install, commands: COMMANDS }, new AbortController().signal)

test('a new deck has steps with contracts, and scripts for the commands that exist', async () => {
  expect(await create('my-talk')).toBe(true)
  const deck = await readDeck(join(folder, 'my-talk/slides.md'))
  expect(deck.title).toBe('My talk')
  expect(deck.steps.get('hello')?.contract.expect).toEqual({ output: 'Hello from' })
  expect(deck.steps.get('serve')?.contract.ready).toMatchObject({ http: 'http://127.0.0.1:8000/' })
  expect(JSON.parse(await readFile(join(folder, 'my-talk/package.json'), 'utf8'))).toMatchObject({
    name: 'my-talk',
    private: true,
    type: 'module',
    scripts: {
      start: 'slidev-addon-understudy start',
      dev: 'slidev-addon-understudy dev',
      rehearse: 'slidev-addon-understudy rehearse',
    },
    dependencies: { 'slidev-addon-understudy': '1.2.3', '@slidev/cli': expect.any(String) },
  })
  const workflow = await readFile(join(folder, 'my-talk/.github/workflows/rehearse.yml'), 'utf8')
  expect(workflow.match(/npm run \w+/g)).toEqual(['npm run rehearse'])
})

test('check finds no problems in a new deck', async () => {
  await create('my-talk')
  const modules = join(folder, 'my-talk/node_modules')
  await mkdir(modules)
  await symlink(packageRoot, join(modules, 'slidev-addon-understudy'))
  await symlink(join(packageRoot, 'node_modules/@slidev'), join(modules, '@slidev'))
  expect(await checkDeck(join(folder, 'my-talk/slides.md'))).toEqual([])
})

test('new prints each file that it writes, and the next commands', async () => {
  await create('my-talk')
  for (const file of ['slides.md', 'package.json', '.gitignore', 'public/favicon.svg'])
    expect(printed).toMatch(new RegExp(`^Written: \\S*my-talk/${file}$`, 'm'))
  expect(printed).toMatch(/Next:\n {2}cd \S*my-talk'?\n {2}npm install\n/)
})

test.each([
  ["Ada's: talk", "Ada's: talk", 'Ada s talk', 'ada-s-talk'],
  ['a folder of another script', '講演', '講演', 'my-talk'],
  ['a folder without letters', '2026', 'My talk', '2026'],
  ['a folder with the name of the addon', 'slidev-addon-understudy', 'Slidev addon understudy', 'my-talk'],
])('%s gets a valid title and package name', async (_, name, title, packageName) => {
  await create(name)
  expect((await readDeck(join(folder, name, 'slides.md'))).title).toBe(title)
  expect(JSON.parse(await readFile(join(folder, name, 'package.json'), 'utf8'))).toMatchObject({ name: packageName })
})

test('new refuses a folder that contains something, and changes nothing in it', async () => {
  await mkdir(join(folder, 'full'))
  await writeFile(join(folder, 'full/slides.md'), '# Mine\n')
  await expect(create('full')).rejects.toThrow(/full is not empty\. Choose another name; .* add \S*full\/slides\.md/)
  expect(await readFile(join(folder, 'full/slides.md'), 'utf8')).toBe('# Mine\n')
  await writeFile(join(folder, 'file'), '')
  await expect(create('file')).rejects.toThrow('file is a file. Choose another name')
})

test('without npm, new names it and the command to continue with', async () => {
  vi.stubEnv('PATH', folder)
  await expect(create('my-talk', true)).rejects.toThrow(
    /^npm was not found\. .*\n.*Continue with: cd .*my-talk'? && npm/,
  )
})

test('without a network, new says so and names the command to continue with', async () => {
  // Port 9 (discard) refuses connections.
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9/')
  vi.stubEnv('npm_config_cache', join(folder, 'cache'))
  await expect(create('my-talk', true)).rejects.toThrow(
    /^npm cannot reach its registry \(ECONNREFUSED\).*\n.*Continue with/,
  )
})

test('a version that does not exist is named', async () => {
  const registry = createServer((_, response) => response.writeHead(404).end('{}')).listen(0, '127.0.0.1')
  await new Promise((resolve) => registry.once('listening', resolve))
  const address = registry.address()
  const port = typeof address === 'object' ? address?.port : undefined
  vi.stubEnv('npm_config_registry', `http://127.0.0.1:${port}/`)
  vi.stubEnv('npm_config_cache', join(folder, 'cache'))
  await expect(create('my-talk', true)).rejects.toThrow(/^npm cannot install a package: Not Found - GET .*@slidev/)
  registry.close()
})

test('any other failure of npm is shown with its output', async () => {
  await writeFile(
    join(folder, 'npm'),
    '#!/bin/sh\necho "npm error code EWEIRD" >&2\necho "npm error strange" >&2\nexit 1\n',
  )
  await chmod(join(folder, 'npm'), 0o755)
  vi.stubEnv('PATH', `${folder}:${process.env.PATH ?? ''}`)
  await expect(create('my-talk', true)).rejects.toThrow(/^npm install .* failed:\ncode EWEIRD\nstrange\n/)
})

test('a tarball is copied into the deck unless it is there; a missing one is an error', async () => {
  await mkdir(join(folder, 'deck'))
  await writeFile(join(folder, 'a.tgz'), 'package')
  const outside = await addonSpec(join(folder, 'a.tgz'), join(folder, 'deck'))
  expect(outside.spec).toBe('file:a.tgz')
  await outside.tarball?.put(join(folder, 'deck'), new AbortController().signal)
  expect(await readFile(join(folder, 'deck/a.tgz'), 'utf8')).toBe('package')
  expect(await addonSpec(`file:${join(folder, 'deck/a.tgz')}`, join(folder, 'deck'))).toEqual({ spec: 'file:a.tgz' })
  await expect(addonSpec('/missing.tgz', folder)).rejects.toThrow('/missing.tgz does not exist')
  expect(await addonSpec('https://example.org/a.tgz', folder)).toEqual({ spec: 'https://example.org/a.tgz' })
})
