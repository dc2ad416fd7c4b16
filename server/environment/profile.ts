import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { z } from 'zod'
import type { Profile } from '../../shared/deck/contract.ts'
import type { Executor } from '../executor/executor.ts'
import type { ProcessRegistry } from '../executor/process-registry.ts'
import { json } from '../../shared/json.ts'
import { devShellEnvironment } from './nix/dev-shell.ts'
import { nix, NixError } from './nix/nix.ts'
import { prefetchedOn } from './nix/prefetch.ts'
import { type DeckPaths, packageRoot } from '../lib/paths.ts'
import { shellQuote } from '../lib/shell-quote.ts'
import { runTool } from '../executor/run-tool.ts'

/** What the steps run against, ready to be used. */
export interface ProfileRuntime {
  name: Profile
  /** Variables of the steps' shells, on top of the user's own few (see `shellEnvironment`). */
  env: Record<string, string>
  /** A script that runs in the workdir before each step of the deck, and before each script of a task: where the step runs, like the step. */
  beforeStep?: string
  /** What the user should know although steps can run. */
  notice?: string
  /** When `prefetch` has made everything: nothing is downloaded since. */
  prefetched?: Date
  /** Why steps cannot run although the deck can be shown; told on every step. */
  problem?: string
}

/** Nix before this locks the content of a `path:` input and ignores edits (facts: measured with 2.8). */
const NIX_FOR_NIXOS: [number, number] = [2, 26]

/** Exit status of `nix/lab/env.sh` before the lab was prepared (see nix/lab/common.sh). */
const LAB_NOT_PREPARED = 8

/** Exit status of `nix/lab/prepare.sh` for missing packages (see nix/lab/common.sh). */
export const LAB_PACKAGES_MISSING = 4

/** Major and minor version of the Nix on the PATH; undefined where there is none. */
export async function nixVersion(): Promise<[number, number] | undefined> {
  const { stdout } = await execa('nix', ['--version'], { reject: false })
  const match = /(\d+)\.(\d+)/.exec(typeof stdout === 'string' ? stdout : '')
  return match ? [Number(match[1]), Number(match[2])] : undefined
}

/** `nixos` where Nix is new enough and nixpkgs can be had (the network, or the flake's inputs in the store), else `lab`. */
export async function chooseProfile(flake: string, signal: AbortSignal): Promise<Profile> {
  const version = await nixVersion()
  if (!version || version[0] < NIX_FOR_NIXOS[0] || (version[0] === NIX_FOR_NIXOS[0] && version[1] < NIX_FOR_NIXOS[1]))
    return 'lab'
  const features = ['--extra-experimental-features', 'nix-command flakes']
  const reference = existsSync(join(flake, 'flake.lock')) ? `path:${flake}` : 'github:NixOS/nixpkgs/nixos-26.05'
  const { exitCode } = await execa('nix', [...features, 'flake', 'metadata', reference], {
    reject: false,
    timeout: 15_000,
    cancelSignal: signal,
  })
  signal.throwIfAborted()
  return exitCode === 0 ? 'nixos' : 'lab'
}

/** Seconds that making a workdir ready for a step may take: the lab does it in a tenth of one. */
const READY = 60

/** Makes the workdir of an executor ready for a step. What goes wrong is told by the step itself. */
export async function prepareStep(
  { beforeStep }: Pick<ProfileRuntime, 'beforeStep'>,
  executor: Pick<Executor, 'script'>,
): Promise<void> {
  if (beforeStep !== undefined) await executor.script(beforeStep, READY)
}

const labScript = (name: string) => join(packageRoot, 'nix', 'lab', name)

/** Debian packages that the lab needs and this machine lacks. */
export async function missingLabPackages(): Promise<string[]> {
  const { stdout } = await execa('bash', [labScript('prepare.sh'), '--missing'], { reject: false })
  return (stdout ?? '').split('\n').filter(Boolean)
}

/**
 * Prepares the offline lab: nothing to do where it is there already.
 *
 * @param onProgress called with each line of progress
 * @returns the lab; with `problem` where it cannot be had, in the words of the script that tried
 * @throws the signal's reason
 */
export async function labProfile(
  cache: string,
  onProgress: (line: string) => void,
  signal: AbortSignal,
  registry: ProcessRegistry,
): Promise<ProfileRuntime> {
  const { exit, errors } = await runTool('bash', [labScript('prepare.sh'), cache], {
    onLine: onProgress,
    signal,
    registry,
  })
  if (exit !== 0)
    return {
      name: 'lab',
      env: {},
      problem: errors.join('\n').trim() || `The offline lab could not be prepared (exit status ${exit}).`,
    }
  const { stdout } = await execa('bash', [labScript('env.sh'), cache])
  return {
    name: 'lab',
    env: Object.fromEntries(stdout.split('\n').filter(Boolean).map(keyValue)),
    // A broken flake.nix cannot be locked: the step then runs all the same, and Nix itself says what is wrong.
    beforeStep: `bash ${shellQuote(labScript('lock.sh'))} ${shellQuote(cache)} .`,
  }
}

/** Features that the talk's commands need and that Nix still calls experimental. */
const FEATURES = 'extra-experimental-features = nix-command flakes'

/**
 * The bundled flake against nixpkgs, with the user's own Nix: the flake locked, and the steps in its development shell, so that a machine
 * that has only Nix can run every slide. After `prefetch` nothing is downloaded any more.
 *
 * @returns with `notice` where the flake could not be locked or its shell not be had: the steps then run with what is on the PATH
 */
export async function nixosProfile(
  { workdir, roots }: DeckPaths,
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<ProfileRuntime> {
  const prefetched = await prefetchedOn(roots, workdir, 'nixos')
  const config = [FEATURES, ...(prefetched ? ['substitute = false', 'flake-registry ='] : [])].join('\n')
  const profile: ProfileRuntime = { name: 'nixos', env: { NIX_CONFIG: config }, ...(prefetched && { prefetched }) }
  if (!existsSync(join(workdir, 'flake.nix'))) return profile
  const place = { workdir, env: shellEnvironment(profile, []), signal }
  try {
    await dropLabLock(workdir)
    if (!existsSync(join(workdir, 'flake.lock'))) await nix(place, 'nix', ['flake', 'lock'], onProgress)
    await mkdir(roots, { recursive: true, mode: 0o700 })
    profile.env = { ...(await devShellEnvironment(place, join(roots, 'dev-shell'), onProgress)), NIX_CONFIG: config }
  } catch (error) {
    if (!(error instanceof NixError)) throw error
    profile.notice = `The steps run with the programs of this machine: the flake's development shell cannot be had.\n${error.message}`
  }
  return profile
}

/** A workdir that was used in the lab is locked to it: `nixpkgs` is then a path in the store. */
async function dropLabLock(workdir: string): Promise<void> {
  const lock = labLock.safeParse(json(await readFile(join(workdir, 'flake.lock'), 'utf8').catch(() => '')))
  if (!lock.success) return
  await rm(join(workdir, 'flake.lock'))
  // Where the project has committed one, that is meant.
  await execa('git', ['checkout', 'HEAD', '--', 'flake.lock'], { cwd: workdir, reject: false })
}
const labLock = z.object({ nodes: z.object({ nixpkgs: z.object({ locked: z.object({ type: z.literal('path') }) }) }) })

/** A profile as far as it is there, without preparing anything: for the doctor. */
export async function presentProfile(name: Profile, paths: DeckPaths): Promise<ProfileRuntime> {
  if (name === 'host') return hostProfile()
  if (name === 'nixos') {
    const entered = existsSync(join(paths.roots, 'dev-shell'))
    const profile = await nixosProfile(
      entered ? paths : { ...paths, workdir: '' },
      () => {},
      AbortSignal.timeout(60_000),
    )
    return entered
      ? profile
      : { ...profile, notice: 'The development shell was not entered yet: npm start, or npm run prefetch' }
  }
  const missing = await missingLabPackages()
  if (missing.length > 0)
    return { ...hostProfile(), name, problem: `The offline lab needs these Debian packages: ${missing.join(', ')}.` }
  const { stdout, stderr, exitCode } = await execa('bash', [labScript('env.sh'), paths.cache], { reject: false })
  if (exitCode !== 0)
    return {
      ...hostProfile(),
      name,
      problem:
        exitCode === LAB_NOT_PREPARED ? 'The offline lab is not prepared yet: npm start does it.' : stderr.trim(),
    }
  return { ...hostProfile(), name, env: Object.fromEntries(stdout.split('\n').filter(Boolean).map(keyValue)) }
}

/** A deck without a flake: steps run with what this machine has. */
export function hostProfile(): ProfileRuntime {
  return { name: 'host', env: {} }
}

function keyValue(line: string): [string, string] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}

/** What a shell on a slide may know of the environment of the server: no tokens, unless a contract asks for them by name. */
const PASSED = [
  'HOME',
  'USER',
  'LOGNAME',
  'PATH',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'SSH_AUTH_SOCK',
  'XDG_RUNTIME_DIR',
  'NIX_SSL_CERT_FILE',
  'SSL_CERT_FILE',
  'QEMU_OPTS',
  'LAB_ACCEL',
]

/**
 * The environment of the steps' shells.
 *
 * @param asked variables that contracts of the deck name in `needs.env`
 */
export function shellEnvironment(profile: ProfileRuntime, asked: Iterable<string>): Record<string, string> {
  const env: Record<string, string> = {}
  for (const name of [...PASSED, ...asked]) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  return { ...env, ...profile.env }
}
