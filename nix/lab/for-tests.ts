// What the tests of the flake and of the lab share: a prepared lab, workdirs
// in it, and the programs that run there.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import envPaths from 'env-paths'
import { execa, type Options, type ResultPromise } from 'execa'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { z } from 'zod'

const here = import.meta.dirname
const hasNix = spawnSync('nix', ['--version']).status === 0
const missing = 'there is no `nix` here: apt-get install nix-bin'

/** The bundled flake. */
export const flake = join(here, '..')

/** A directory of this test file's own, removed at its end. */
export const temp = mkdtempSync(join(tmpdir(), 'lab-'))

/** Where the lab is prepared: the user's cache, unless `UNDERSTUDY_CACHE` names another. */
export const cache = process.env.UNDERSTUDY_CACHE || envPaths('understudy', { suffix: '' }).cache

let environment: Record<string, string> = {}

/** A group of tests in a prepared lab. Where there is no Nix they are skipped, and the group's name says why. */
export function describeWithLab(name: string, tests: () => void) {
  if (!hasNix) return describe.skip(`${name} (skipped: ${missing})`, tests)
  describe.sequential(name, () => {
    beforeAll(prepareOnce, 300_000)
    tests()
  })
}

async function prepareOnce() {
  if (Object.keys(environment).length > 0) return
  const prepared = await execa(join(here, 'prepare.sh'), [cache], { reject: false, all: true })
  expect(prepared.exitCode, prepared.all).toBe(0)
  const { stdout } = await execa(join(here, 'env.sh'), [cache])
  environment = Object.fromEntries(
    stdout.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

afterAll(() => rmSync(temp, { recursive: true, force: true }))

/** Runs a program with the lab's environment; never throws. */
export function lab(workdir: string, file: string, args: string[], options: Options = {}) {
  return execa(file, args, { cwd: workdir, env: environment, reject: false, all: true, stdin: 'ignore', ...options })
}

/** A git repository with a copy of the bundled flake, locked to the lab. */
export async function makeWorkdir(edit: (workdir: string) => void = () => {}): Promise<string> {
  const workdir = mkdtempSync(join(temp, 'work-'))
  for (const name of readdirSync(flake)) {
    if (name !== 'lab') cpSync(join(flake, name), join(workdir, name), { recursive: true })
  }
  edit(workdir)
  await execa('git', ['init', '-q'], { cwd: workdir })
  await execa('git', ['add', '.'], { cwd: workdir })
  await lock(workdir)
  return workdir
}

/** Brings the lock file of a workdir up to date with its files. */
export const lock = (workdir: string) => execa(join(here, 'lock.sh'), [cache, workdir])

/** Runs prepare.sh; never throws. */
export const prepare = (...args: string[]) => execa(join(here, 'prepare.sh'), args, { reject: false })

/** Replaces a text in a file, which has to have it. */
export function replaceIn(file: string, from: string, to: string) {
  const text = readFileSync(file, 'utf8')
  expect(text, `${file} has what the test wants to change`).toContain(from)
  writeFileSync(file, text.replace(from, to))
}

/** The profile that all machines share. */
export const profile = 'nixos/profiles/spa-machine.nix'

/** Adds lines to it. */
export const addToProfile = (lines: string) => (workdir: string) =>
  replaceIn(
    join(workdir, profile),
    '  # #region closure',
    `${lines}
  # #region closure`,
  )

/** Builds an output of an edited flake, which fails; returns what Nix says. */
export async function failure(
  edit: (workdir: string) => void,
  output = 'nixosConfigurations.spa-ami.config.system.build.toplevel',
) {
  const workdir = await makeWorkdir(edit)
  const { exitCode, all } = await lab(workdir, 'nix', ['build', '-L', '--no-link', `.#${output}`])
  expect(exitCode, all as string).not.toBe(0)
  return all as string
}

/** Builds an output and returns its store path. */
export async function build(workdir: string, output: string): Promise<string> {
  const { exitCode, all, stdout } = await lab(workdir, 'nix', ['build', '--no-link', '--json', `.#${output}`])
  expect(exitCode, all as string).toBe(0)
  const built = z.tuple([z.object({ outputs: z.object({ out: z.string() }) })]).parse(JSON.parse(stdout as string))
  return built[0].outputs.out
}

/** What was printed while an output was built, now or earlier. */
export async function logOf(workdir: string, output: string): Promise<string> {
  return (await lab(workdir, 'nix', ['log', `.#${output}`])).stdout as string
}

/** Asks until a server answers; gives up when the process behind it ends. */
export async function page(url: string, machine: ResultPromise): Promise<string> {
  let ended = false
  void machine.finally(() => (ended = true)).catch(() => {})
  for (;;) {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined)
    if (response?.ok) return response.text()
    if (ended) throw new Error(`the machine has ended: ${String((await machine).all)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
