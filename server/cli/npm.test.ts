import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { commandLine, NO_SCRIPTS, provideCommandLines } from '../../shared/command-line.ts'
import { packageRoot } from '../lib/paths.ts'
import { commandLinesIn } from './npm.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-hints-'))
})
afterEach(async () => {
  provideCommandLines(() => NO_SCRIPTS)
  await rm(folder, { recursive: true })
})

/** Composes hints as for a user in a folder whose package.json has these scripts. */
async function hintsWith(scripts: Record<string, string>, deck = 'slides.md', user = folder): Promise<void> {
  await writeFile(join(folder, 'package.json'), JSON.stringify({ scripts }))
  provideCommandLines(() => commandLinesIn(user, join(folder, deck)))
}

test('a hint names the script of package.json that runs the command', async () => {
  await hintsWith({ start: 'slidev-addon-understudy start', rehearse: 'exec node bin/understudy.js rehearse' })
  expect(commandLine('start')).toBe('npm start')
  expect(commandLine('start', '--port', '4030')).toBe('npm start -- --port 4030')
  expect(commandLine('rehearse', 'run-vm')).toBe('npm run rehearse -- run-vm')
})

test('a hint uses npx if package.json has no script for the command, or one that runs something else', async () => {
  await hintsWith({ build: 'slidev build', record: 'slidev-addon-understudy start' })
  expect(commandLine('build')).toBe('npx slidev-addon-understudy build')
  expect(commandLine('record', 'run-vm')).toBe('npx slidev-addon-understudy record run-vm')
  expect(commandLine('rehearse', 'run-vm')).toBe('npx slidev-addon-understudy rehearse run-vm')
})

test('a hint uses npx without a package.json', () => {
  provideCommandLines(() => commandLinesIn(folder))
  expect(commandLine('start', '--port', '4030')).toBe('npx slidev-addon-understudy start --port 4030')
})

test('a hint names the deck if it is not slides.md, unless the script does', async () => {
  await hintsWith(
    { start: 'slidev-addon-understudy start', rehearse: 'slidev-addon-understudy rehearse talks/one.md' },
    'talks/one.md',
  )
  expect(commandLine('start')).toBe('npm start -- talks/one.md')
  expect(commandLine('start', '--yes')).toBe('npm start -- talks/one.md --yes')
  expect(commandLine('rehearse', 'run-vm')).toBe('npm run rehearse -- run-vm')
  expect(commandLine('play')).toBe('npx slidev-addon-understudy play talks/one.md')
})

test('a hint does not name a script that is for another deck', async () => {
  await hintsWith({ start: 'slidev-addon-understudy start talks/two.md' }, 'talks/one.md')
  expect(commandLine('start')).toBe('npx slidev-addon-understudy start talks/one.md')
})

test('in a subfolder, hints name the scripts of the folder above', async () => {
  await mkdir(join(folder, 'talks'))
  await hintsWith({ start: 'slidev-addon-understudy start' }, 'talks/slides.md', join(folder, 'talks'))
  expect(commandLine('start')).toBe('npm start -- talks/slides.md')
  expect(commandLine('play')).toBe('npx slidev-addon-understudy play')
})

/** Files whose messages name scripts that the command has just written, or found. */
const WRITES_SCRIPTS = ['new.ts', 'add.ts', 'npm.ts'].map((name) => join(packageRoot, 'server/cli', name))

test('no message in the code names an npm script that a deck may lack', async () => {
  for (const part of ['server', 'shared', 'client', 'components', 'layouts', 'setup', 'nix/lab'])
    for (const entry of await readdir(join(packageRoot, part), { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name)
      if (
        !/\.(ts|vue|sh)$/.test(file) ||
        /\.test\.ts$|\/dist\/|node_modules/.test(file) ||
        WRITES_SCRIPTS.includes(file)
      )
        continue
      const code = (await readFile(file, 'utf8')).replace(/\/\*.*?\*\/|^\s*(\/\/|#).*$/gms, '')
      expect(code, file).not.toMatch(/npm (start|run [a-z])/)
    }
})
