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
import { describeProfileProblem } from './problems.ts'
import { type DeckPaths, packageRoot } from '../lib/paths.ts'
import { shellQuote } from '../lib/shell-quote.ts'
import { runTool } from '../executor/run-tool.ts'

/** The prepared environment of the steps. */
export interface ProfileRuntime {
  name: Profile
  /** Variables of the steps' shells, added to those of the user that `shellEnvironment` passes on. */
  env: Record<string, string>
  /** Script that runs in the workdir before each step of the deck and each script of a task, in their executor. */
  beforeStep?: string
  /** A restriction to report to the user. Steps can run nevertheless. */
  notice?: string
  /** Date of the last completed `prefetch`, after which Nix downloads nothing. */
  prefetched?: Date
  /** The reason why steps cannot run, shown on each step. The deck can be presented nevertheless. */
  problem?: string
}

/**
 * Oldest Nix for the profile `nixos`: older versions lock the content of a `path:` input and ignore edits (measured
 * with 2.8).
 */
const MIN_NIX_VERSION: [number, number] = [2, 26]

/** Exit status of `nix/lab/env.sh` if the lab is not prepared (see nix/lab/common.sh). */
const LAB_NOT_PREPARED = 8

/** Time limit for Nix to fetch the metadata of the flake's inputs. */
const METADATA_TIMEOUT_MS = 15_000

/** Time limit for entering a development shell that was entered before. */
const DEV_SHELL_TIMEOUT_MS = 60_000

/** Major and minor version of the Nix on the PATH; undefined if there is none. */
export async function nixVersion(): Promise<[number, number] | undefined> {
  const { stdout } = await execa('nix', ['--version'], { reject: false })
  const match = /(\d+)\.(\d+)/.exec(typeof stdout === 'string' ? stdout : '')
  return match ? [Number(match[1]), Number(match[2])] : undefined
}

/** Chooses `nixos` if Nix is recent enough and nixpkgs is available (from the network or the store), or else `lab`. */
export async function chooseProfile(flake: string, signal: AbortSignal): Promise<Profile> {
  const version = await nixVersion()
  if (
    !version ||
    version[0] < MIN_NIX_VERSION[0] ||
    (version[0] === MIN_NIX_VERSION[0] && version[1] < MIN_NIX_VERSION[1])
  )
    return 'lab'
  const features = ['--extra-experimental-features', 'nix-command flakes']
  const reference = existsSync(join(flake, 'flake.lock')) ? `path:${flake}` : 'github:NixOS/nixpkgs/nixos-26.05'
  // Without a network, Nix would repeat the download for four seconds at every start.
  const once = ['--option', 'download-attempts', '1']
  const { exitCode } = await execa('nix', [...features, ...once, 'flake', 'metadata', reference], {
    reject: false,
    timeout: METADATA_TIMEOUT_MS,
    cancelSignal: signal,
  })
  signal.throwIfAborted()
  return exitCode === 0 ? 'nixos' : 'lab'
}

/** Time limit for preparing the workdir before a step; the lab needs a tenth of a second. */
const PREPARE_TIMEOUT_SECONDS = 60

/** Prepares the workdir of an executor for a step. A failure is not reported, since it makes the step itself fail. */
export async function prepareStep(
  { beforeStep }: Pick<ProfileRuntime, 'beforeStep'>,
  executor: Pick<Executor, 'script'>,
): Promise<void> {
  if (beforeStep !== undefined) await executor.script(beforeStep, PREPARE_TIMEOUT_SECONDS)
}

const labScript = (name: string) => join(packageRoot, 'nix', 'lab', name)

/** The Debian packages that the lab needs and that are not installed. */
export async function missingLabPackages(): Promise<string[]> {
  const { stdout } = await execa('bash', [labScript('prepare.sh'), '--missing'], { reject: false })
  return stdout.split('\n').filter(Boolean)
}

/**
 * Prepares the offline lab, unless it is already prepared.
 *
 * @param cache folder of the user's cache, absolute
 * @param onProgress receives each line of progress
 * @returns the lab, with `problem` if it cannot be prepared
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
      problem: describeProfileProblem({ kind: 'lab-failed', exit, output: errors.join('\n') }),
    }
  const { stdout } = await execa('bash', [labScript('env.sh'), cache])
  return {
    name: 'lab',
    env: parseVariables(stdout),
    // An invalid flake.nix cannot be locked. The step runs nevertheless, and shows Nix's message.
    beforeStep: `bash ${shellQuote(labScript('lock.sh'))} ${shellQuote(cache)} .`,
  }
}

/** Experimental features of Nix that the commands of a talk need. */
const FEATURES = 'extra-experimental-features = nix-command flakes'

/**
 * Prepares the profile `nixos`: locks the flake against nixpkgs, and enters its development shell, so that the steps
 * require only Nix on the machine. After `prefetch`, Nix downloads nothing.
 *
 * @returns the profile, with `notice` if the flake cannot be locked or its shell entered; steps then use the programs
 * on the PATH
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
  const context = { workdir, env: shellEnvironment(profile, []), signal }
  try {
    await removeLabLock(workdir)
    if (!existsSync(join(workdir, 'flake.lock'))) await nix(context, 'nix', ['flake', 'lock'], onProgress)
    await mkdir(roots, { recursive: true, mode: 0o700 })
    profile.env = { ...(await devShellEnvironment(context, join(roots, 'dev-shell'), onProgress)), NIX_CONFIG: config }
  } catch (error) {
    if (!(error instanceof NixError)) throw error
    profile.notice = describeProfileProblem({ kind: 'no-dev-shell', reason: error.message })
  }
  return profile
}

/** Removes a lock file that the lab has written, in which `nixpkgs` is a path in the store. */
async function removeLabLock(workdir: string): Promise<void> {
  const lock = labLock.safeParse(json(await readFile(join(workdir, 'flake.lock'), 'utf8').catch(() => '')))
  if (!lock.success) return
  await rm(join(workdir, 'flake.lock'))
  // Restores the project's lock file, if there is one.
  await execa('git', ['checkout', 'HEAD', '--', 'flake.lock'], { cwd: workdir, reject: false })
}
const labLock = z.object({ nodes: z.object({ nixpkgs: z.object({ locked: z.object({ type: z.literal('path') }) }) }) })

/** The current state of a profile, without preparing anything. Used by the doctor. */
export async function presentProfile(name: Profile, paths: DeckPaths): Promise<ProfileRuntime> {
  if (name === 'host') return hostProfile()
  if (name === 'nixos') {
    const entered = existsSync(join(paths.roots, 'dev-shell'))
    const profile = await nixosProfile(
      entered ? paths : { ...paths, workdir: '' },
      () => {},
      AbortSignal.timeout(DEV_SHELL_TIMEOUT_MS),
    )
    return entered ? profile : { ...profile, notice: describeProfileProblem({ kind: 'dev-shell-not-entered' }) }
  }
  const missing = await missingLabPackages()
  if (missing.length > 0)
    return {
      name,
      env: {},
      problem: describeProfileProblem({ kind: 'lab-packages-missing', packages: missing }),
    }
  const { stdout, stderr, exitCode } = await execa('bash', [labScript('env.sh'), paths.cache], { reject: false })
  if (exitCode !== 0)
    return {
      name,
      env: {},
      problem: describeProfileProblem(
        exitCode === LAB_NOT_PREPARED
          ? { kind: 'lab-not-prepared' }
          : { kind: 'lab-environment-failed', output: stderr },
      ),
    }
  return { name, env: parseVariables(stdout) }
}

/** The profile of a deck without a flake: steps use the programs of this machine. */
export function hostProfile(): ProfileRuntime {
  return { name: 'host', env: {} }
}

/** Parses lines of the form `NAME=value`. */
function parseVariables(text: string): Record<string, string> {
  const lines = text.split('\n').filter(Boolean)
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

/**
 * Variables of the server that shells on slides inherit. Tokens are not included: a contract must list them in
 * `needs.env`.
 */
const INHERITED_VARIABLES = [
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
 * Composes the environment of the steps' shells.
 *
 * @param declared variables that the deck's contracts list in `needs.env`
 */
export function shellEnvironment(profile: ProfileRuntime, declared: Iterable<string>): Record<string, string> {
  const env: Record<string, string> = {}
  for (const name of [...INHERITED_VARIABLES, ...declared]) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  return { ...env, ...profile.env }
}
