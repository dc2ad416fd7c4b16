// Makes a fresh clone runnable. Plain JavaScript without dependencies: it runs before there are any.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Oldest Node that the packages run on. */
const NODE = [20, 19]

/** Exits with one clear message where Node is too old. */
export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > NODE[0] || (major === NODE[0] && minor >= NODE[1])) return
  console.error(`This needs Node ${NODE.join('.')} or newer; here is ${process.versions.node}. See https://nodejs.org`)
  process.exit(1)
}

/** In a clone: installs the npm packages and compiles the server, if they are missing or outdated. Exits if either fails. */
export function makeRunnable() {
  if (!existsSync(join(root, 'server', 'tsconfig.json'))) return // a published package, which contains the compiled server
  installPackages()
  const status = compileServer()
  if (status !== 0) process.exit(status)
}

/** Installs the npm packages if they are missing or older than the lockfile. Exits if that fails. */
export function installPackages() {
  const lock = join(root, 'package-lock.json')
  // The last file that npm writes.
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (time(installed) >= time(lock)) return
  console.error('Installing the npm packages (about a minute the first time) …')
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

/**
 * Compiles the server if its sources have changed. Type errors are printed.
 *
 * @returns the exit status of the compiler
 */
export function compileServer() {
  const stamp = join(root, 'server', 'dist', '.compiled')
  if (time(stamp) >= Math.max(newestSource(join(root, 'server')), newestSource(join(root, 'shared')))) return 0
  console.error('Compiling the server …')
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [compiler, '-b', join(root, 'server')], {
    cwd: root,
    stdio: ['inherit', 2, 'inherit'],
  })
  if (status === 0) writeFileSync(stamp, '')
  return status ?? 1
}

/** Runs a program in the project's folder; its failure is ours. What it prints is no output of the command that it is run for, which may be JSON. */
export function run(program, args, env = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: ['inherit', 2, 'inherit'],
    env: { ...process.env, ...env },
  })
  if (result.error) {
    console.error(`${program} could not be started: ${result.error.message}`)
    process.exit(1)
  }
  if (result.signal) process.exit(130)
  if (result.status !== 0) {
    console.error(`\n${program} ${args.join(' ')} failed with exit status ${result.status}.`)
    process.exit(result.status ?? 1)
  }
}

function time(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function newestSource(folder) {
  let newest = time(join(root, 'tsconfig.base.json'))
  for (const name of readdirSync(folder, { recursive: true }))
    if (!name.startsWith('dist') && /\.(ts|json|bash)$/.test(name)) newest = Math.max(newest, time(join(folder, name)))
  return newest
}
