// Prepares a clone for running. Plain JavaScript without dependencies, since it runs before the packages are installed.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'server', 'dist')

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
export async function prepareClone() {
  if (!isClone()) return // Published packages are compiled.
  await installPackages()
  await compileServer()
}

/** @returns whether this is a clone of the repository, not a published package */
export function isClone() {
  return existsSync(join(root, 'server', 'tsconfig.json'))
}

/** @returns whether the npm packages are missing or older than the lockfile */
export function arePackagesOutdated() {
  // The last file that npm writes during an installation.
  return modifiedAt(join(root, 'node_modules', '.package-lock.json')) < modifiedAt(join(root, 'package-lock.json'))
}

/**
 * Installs the npm packages if they are missing or older than the lockfile. Exits if that fails.
 *
 * @param options.tests also install the packages that only the tests and the checks need
 */
export async function installPackages({ tests = false } = {}) {
  if (!arePackagesOutdated() && !(tests && areTestPackagesMissing())) return
  console.error('Installing the npm packages (about a minute) …')
  // Without the packages for the tests, the installation takes two thirds of the time.
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...(tests ? [] : ['--omit=dev'])])
}

/** Ends a child process when this process exits. @returns the child */
export function endWithThisProcess(child) {
  const stop = () => child.kill('SIGTERM')
  process.once('exit', stop)
  child.once('exit', () => process.off('exit', stop))
  return child
}

function areTestPackagesMissing() {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.keys(devDependencies).some((name) => !existsSync(join(root, 'node_modules', name, 'package.json')))
}

/**
 * Compiles the server if its sources have changed. Removes the types without checking them, which takes a second instead
 * of twenty; `npm run typecheck` and `npm pack` check them.
 *
 * @throws Error that names the file with invalid syntax
 */
export async function compileServer() {
  const stamp = join(dist, '.compiled')
  const sources = ['server', 'shared'].flatMap(sourcesIn)
  const inputs = [...sources, join('bin', 'install.js')].map((name) => modifiedAt(join(root, name)))
  if (modifiedAt(stamp) >= Math.max(...inputs)) return
  console.error('Compiling the server …')
  const { transformWithOxc } = await importVite()
  for (const source of sources) {
    const file = join(root, source)
    const target = join(dist, source.replace(/\.ts$/, '.js'))
    const { code } = await transformWithOxc(readFileSync(file, 'utf8'), file, {
      lang: 'ts',
      sourcemap: false,
      tsconfig: false,
      typescript: { onlyRemoveTypeImports: true, rewriteImportExtensions: 'rewrite' },
    })
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, code)
  }
  writeFileSync(stamp, '')
}

/** Loads the Vite that Slidev depends on. */
async function importVite() {
  const slidev = createRequire(join(root, 'package.json')).resolve('@slidev/cli/package.json')
  return import(pathToFileURL(createRequire(slidev).resolve('vite')).href)
}

/** @returns the sources that are compiled, relative to the project's folder */
function sourcesIn(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.ts') && !/^(dist|test)\/|\.(test|d)\.ts$/.test(name))
    .map((name) => join(folder, name))
}

/**
 * Runs a program in the project's folder, and exits if it fails.
 *
 * Its output goes to standard error, because the command that needs the program may print JSON to standard output.
 */
async function run(program, args) {
  const child = endWithThisProcess(spawn(program, args, { cwd: root, stdio: ['inherit', 2, 'inherit'] }))
  const { error, status, signal } = await new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }))
    child.once('exit', (status, signal) => resolve({ status, signal }))
  })
  if (error) {
    console.error(`Failed to start ${program}: ${error.message}`)
    process.exit(1)
  }
  if (signal) process.exit(130)
  if (status !== 0) {
    console.error(`\n${program} ${args.join(' ')} failed with exit status ${status}.`)
    process.exit(status)
  }
}

/** @returns modification time in milliseconds; 0 if the file does not exist */
function modifiedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
