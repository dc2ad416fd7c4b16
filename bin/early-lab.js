// Prepares the offline lab while npm installs the packages. Plain JavaScript without dependencies, like install.js.
import { spawn, spawnSync } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { endWithThisProcess, root } from './install.js'

const scripts = {
  prepare: join(root, 'nix', 'lab', 'prepare.sh'),
  installPackages: join(root, 'server', 'environment', 'install-packages.sh'),
}

/** Oldest Nix for the profile `nixos`, as in server/environment/profile.ts. With an older one, the profile is `lab`. */
const MIN_NIX_VERSION = [2, 26]

/**
 * Starts to prepare the offline lab if a command will certainly need it. Failures are ignored, because the command then
 * prepares the lab itself and reports them.
 *
 * @param args arguments of the command line
 * @returns when the Debian packages of the lab are installed; the lab itself is prepared in the background. True if the
 * profile is `lab`.
 */
export async function prepareLabEarly(args) {
  if (!needsLab(args)) return false
  const missing = lines(spawnSync('bash', [scripts.prepare, '--missing'], { encoding: 'utf8' }).stdout)
  if (missing.length > 0) {
    if (!mayInstall(args)) return true
    console.error(`The offline lab needs these Debian packages: ${missing.join(', ')}.`)
    await end(startScript(scripts.installPackages, missing))
  }
  startScript(scripts.prepare, [cacheFolder()])
  return true
}

/** @returns whether the command certainly presents the talk of this repository in the offline lab */
export function needsLab([command, ...options]) {
  if (process.platform !== 'linux' || !['start', 'dev'].includes(command)) return false
  // Another deck may have no flake.
  if (options.some((option) => option.endsWith('.md') || option.startsWith('--deck'))) return false
  const at = options.findIndex((option) => /^--profile(=|$)/.test(option))
  if (at < 0) return !hasRecentNix()
  return (options[at].split('=')[1] ?? options[at + 1]) === 'lab'
}

function hasRecentNix() {
  const { stdout } = spawnSync('nix', ['--version'], { encoding: 'utf8' })
  const [, major, minor] = /(\d+)\.(\d+)/.exec(stdout ?? '') ?? [0, 0, 0]
  return major > MIN_NIX_VERSION[0] || (Number(major) === MIN_NIX_VERSION[0] && minor >= MIN_NIX_VERSION[1])
}

/** @returns whether packages can be installed without a question: the command asks if it runs in a terminal */
function mayInstall(args) {
  if (process.stdin.isTTY && process.stdout.isTTY && !args.includes('--yes')) return false
  return process.getuid() === 0 || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
}

/** As `deckPaths` in server/lib/paths.ts. */
function cacheFolder() {
  return process.env.UNDERSTUDY_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'understudy')
}

/** Starts a script that ends with this process. */
function startScript(script, args) {
  const child = endWithThisProcess(spawn('bash', [script, ...args], { stdio: 'ignore' }))
  child.once('error', () => {})
  child.unref()
  return child
}

function end(child) {
  // Unlike the lab, the packages must be complete before the command continues.
  child.ref()
  return new Promise((resolve) => child.once('error', resolve).once('exit', resolve))
}

function lines(text) {
  return (text ?? '').split('\n').filter(Boolean)
}
