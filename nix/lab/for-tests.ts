// Helpers for tests that need a prepared lab: create workdirs, and build and run
// the outputs of their flakes.
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
const missing = '`nix` is not on PATH: apt-get install nix-bin'

/** The bundled flake. */
export const flake = join(here, '..')

/** A temporary directory of this test file. Removed after the last test. */
export const temp = mkdtempSync(join(tmpdir(), 'lab-'))

/** The directory in which the lab is prepared: `UNDERSTUDY_CACHE`, or the user's cache. */
export const cache = process.env.UNDERSTUDY_CACHE || envPaths('understudy', { suffix: '' }).cache

let environment: Record<string, string> = {}

/** Groups tests that need a prepared lab. Without Nix they are skipped, and the group's name gives the reason. */
export function describeWithLab(name: string, tests: () => void) {
  if (!hasNix) return describe.skip(`${name} (skipped: ${missing})`, tests)
  describe(name, () => {
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

/** Runs a program in the lab's environment. Never throws. */
export function lab(workdir: string, file: string, args: string[], options: Options = {}) {
  return execa(file, args, { cwd: workdir, env: environment, reject: false, all: true, stdin: 'ignore', ...options })
}

/** Creates a Git repository with a copy of the bundled flake, locked to the lab's inputs. */
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

/** Updates the lock file of a workdir after an edit. */
export const lock = (workdir: string) => execa(join(here, 'lock.sh'), [cache, workdir])

/** Runs prepare.sh. Never throws. */
export const prepare = (...args: string[]) => execa(join(here, 'prepare.sh'), args, { reject: false })

/** Replaces text in a file. The test fails if the file does not contain it. */
export function replaceIn(file: string, from: string, to: string) {
  const text = readFileSync(file, 'utf8')
  expect(text, `${file} contains the text to replace`).toContain(from)
  writeFileSync(file, text.replace(from, to))
}

/** Path in the flake of the profile that all machines share. */
export const profile = 'nixos/profiles/spa-machine.nix'

/** Returns an edit that adds lines to the profile. */
export const addToProfile = (lines: string) => (workdir: string) =>
  replaceIn(
    join(workdir, profile),
    '  # #region closure',
    `${lines}
  # #region closure`,
  )

/** Builds an output of an edited flake and expects the build to fail. Returns the output of Nix. */
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

/** Returns the build log of an output, which may have been built earlier. */
export async function logOf(workdir: string, output: string): Promise<string> {
  return (await lab(workdir, 'nix', ['log', `.#${output}`])).stdout as string
}

/** Requests a URL until it responds with success, and returns the body. Throws when the server's process ends. */
export async function page(url: string, server: ResultPromise): Promise<string> {
  const state = { ended: false }
  void server.finally(() => (state.ended = true)).catch(() => {})
  for (;;) {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined)
    if (response?.ok) return response.text()
    if (state.ended) throw new Error(`The server process has ended: ${String((await server).all)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
