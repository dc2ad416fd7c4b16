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

test('prepareWorkdir copies the flake without the lab', async () => {
  expect(await prepareWorkdir(source, workdir)).toBe('created')
  expect(await flake()).toBe('{ }')
  expect(existsSync(join(workdir, 'lab'))).toBe(false)
  expect(await prepareWorkdir(source, workdir)).toBe('kept')
})

test('prepareWorkdir replaces a workdir without edits when the flake changes', async () => {
  await prepareWorkdir(source, workdir)
  await writeFile(join(source, 'flake.nix'), '{ new = 1; }')
  expect(await prepareWorkdir(source, workdir)).toBe('created')
  expect(await flake()).toBe('{ new = 1; }')
})

test('prepareWorkdir keeps edits when the flake changes; resetWorkdir discards them', async () => {
  await prepareWorkdir(source, workdir)
  await writeFile(join(workdir, 'flake.nix'), '{ mine = 1; }')
  await writeFile(join(source, 'flake.nix'), '{ new = 1; }')
  expect(await prepareWorkdir(source, workdir)).toBe('kept-with-edits')
  expect(await flake()).toBe('{ mine = 1; }')
  await resetWorkdir(source, workdir)
  expect(await flake()).toBe('{ new = 1; }')
})

test('resetWorkdir keeps a lock file from the workdir until the project has one', async () => {
  await prepareWorkdir(source, workdir)
  await writeFile(join(workdir, 'flake.lock'), 'from the workdir')
  await resetWorkdir(source, workdir)
  expect(await readFile(join(workdir, 'flake.lock'), 'utf8')).toBe('from the workdir')
  // Visible to Nix but not committed, so that a lock file of the lab is not restored in the profile nixos.
  expect((await execa('git', ['ls-files', 'flake.lock'], { cwd: workdir })).stdout).toBe('flake.lock')
  expect((await execa('git', ['ls-tree', 'HEAD', 'flake.lock'], { cwd: workdir })).stdout).toBe('')
  await writeFile(join(source, 'flake.lock'), 'committed')
  await resetWorkdir(source, workdir)
  expect(await readFile(join(workdir, 'flake.lock'), 'utf8')).toBe('committed')
})

test('prepareWorkdir creates an empty repository for a deck without a flake', async () => {
  expect(await prepareWorkdir(join(folder, 'none'), workdir)).toBe('created')
  expect(existsSync(join(workdir, '.git'))).toBe(true)
})
