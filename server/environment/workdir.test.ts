import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { prepareWorkdir, resetWorkdir } from './workdir.ts'

let folder: string
let source: string
let workdir: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-workdir-'))
  source = join(folder, 'nix')
  workdir = join(folder, 'cache', 'workdir')
  await mkdir(join(source, 'lab'), { recursive: true })
  await writeFile(join(source, 'flake.nix'), '{ }')
  await writeFile(join(source, 'lab', 'secret.nix'), '{ }')
})
afterEach(() => rm(folder, { recursive: true }))

const flake = () => readFile(join(workdir, 'flake.nix'), 'utf8')

test('the workdir holds the flake without the lab', async () => {
  expect(await prepareWorkdir(source, workdir)).toBe('made')
  expect(await flake()).toBe('{ }')
  expect(existsSync(join(workdir, 'lab'))).toBe(false)
  expect(await prepareWorkdir(source, workdir)).toBe('kept')
})

test('a new flake takes the place of a workdir without edits', async () => {
  await prepareWorkdir(source, workdir)
  await writeFile(join(source, 'flake.nix'), '{ new = 1; }')
  expect(await prepareWorkdir(source, workdir)).toBe('made')
  expect(await flake()).toBe('{ new = 1; }')
})

test('edits of the workdir survive a new flake, and only a reset throws them away', async () => {
  await prepareWorkdir(source, workdir)
  await writeFile(join(workdir, 'flake.nix'), '{ mine = 1; }')
  await writeFile(join(source, 'flake.nix'), '{ new = 1; }')
  expect(await prepareWorkdir(source, workdir)).toBe('kept-with-edits')
  expect(await flake()).toBe('{ mine = 1; }')
  await resetWorkdir(source, workdir)
  expect(await flake()).toBe('{ new = 1; }')
})

test('a lock file that was made in the workdir outlives a reset, until the project has its own', async () => {
  await prepareWorkdir(source, workdir)
  await writeFile(join(workdir, 'flake.lock'), 'made here')
  await resetWorkdir(source, workdir)
  expect(await readFile(join(workdir, 'flake.lock'), 'utf8')).toBe('made here')
  // Nix sees it, but it is not what the deck brings: a lock against the lab must not come back where nixpkgs is wanted.
  expect((await execa('git', ['ls-files', 'flake.lock'], { cwd: workdir })).stdout).toBe('flake.lock')
  expect((await execa('git', ['ls-tree', 'HEAD', 'flake.lock'], { cwd: workdir })).stdout).toBe('')
  await writeFile(join(source, 'flake.lock'), 'committed')
  await resetWorkdir(source, workdir)
  expect(await readFile(join(workdir, 'flake.lock'), 'utf8')).toBe('committed')
})

test('a deck without a flake has an empty workdir', async () => {
  expect(await prepareWorkdir(join(folder, 'none'), workdir)).toBe('made')
  expect(existsSync(join(workdir, '.git'))).toBe(true)
})
