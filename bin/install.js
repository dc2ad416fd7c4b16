// Prepares a clone for running. Plain JavaScript without dependencies, since it runs before the packages are installed.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Oldest version of Node that the dependencies support. */
const MIN_NODE = [20, 19]

/** Exits with a message if Node is too old. */
export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return
  console.error(
    `Node ${process.versions.node} is too old. Install Node ${MIN_NODE.join('.')} or newer: https://nodejs.org`,
  )
  process.exit(1)
}

/**
 * Installs the npm packages and compiles the server, if they are missing or out of date. Exits if that fails. Does
 * nothing in a published package.
 */
export function prepareClone() {
  if (!existsSync(join(root, 'server', 'tsconfig.json'))) return // Published packages are compiled.
  installPackages()
  const status = compileServer()
  if (status !== 0) process.exit(status)
}

/** Installs the npm packages if they are missing or older than the lockfile. Exits if that fails. */
export function installPackages() {
  const lock = join(root, 'package-lock.json')
  // The last file that npm writes during an installation.
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (modifiedAt(installed) >= modifiedAt(lock)) return
  console.error('Installing the npm packages (about a minute) …')
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'])
}

/**
 * Compiles the server if its sources have changed. Type errors are printed.
 *
 * @returns exit status of the compiler
 */
export function compileServer() {
  const stamp = join(root, 'server', 'dist', '.compiled')
  if (modifiedAt(stamp) >= Math.max(newestSource(join(root, 'server')), newestSource(join(root, 'shared')))) return 0
  console.error('Compiling the server …')
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [compiler, '-b', join(root, 'server')], {
    cwd: root,
    stdio: ['inherit', 2, 'inherit'],
  })
  if (status === 0) writeFileSync(stamp, '')
  return status ?? 1
}

/**
 * Runs a program in the project's folder, and exits if it fails.
 *
 * Its output goes to standard error, because the command that needs the program may print JSON to standard output.
 */
export function run(program, args, env = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: ['inherit', 2, 'inherit'],
    env: { ...process.env, ...env },
  })
  if (result.error) {
    console.error(`Failed to start ${program}: ${result.error.message}`)
    process.exit(1)
  }
  if (result.signal) process.exit(130)
  if (result.status !== 0) {
    console.error(`\n${program} ${args.join(' ')} failed with exit status ${result.status}.`)
    process.exit(result.status ?? 1)
  }
}

/** @returns modification time in milliseconds; 0 if the file does not exist */
function modifiedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** @returns the latest modification time of the sources in a folder, in milliseconds */
function newestSource(folder) {
  let newest = modifiedAt(join(root, 'tsconfig.base.json'))
  for (const name of readdirSync(folder, { recursive: true }))
    if (!name.startsWith('dist') && /\.(ts|json|bash)$/.test(name))
      newest = Math.max(newest, modifiedAt(join(folder, name)))
  return newest
}
