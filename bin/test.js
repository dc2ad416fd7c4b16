// Runs the tests. `npm test` runs all parts; `node bin/test.js PART [NAME …] [OPTION …]` runs one part, with names of
// test files and options of Vitest or Playwright. The last line of the output counts the tests.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkNode, compileServer, installPackages, root } from './install.js'
import { countProblems, readPlaywrightReport } from './test/reports.js'
import { installPrograms } from './test/programs.js'

/**
 * Result of a part. `failed` may exceed `failures.length`: a linter reports many problems as one message.
 *
 * @typedef {{ file: string, name: string, message: string }} Failure
 * @typedef {{ file: string, name: string, reason?: string }} Skipped
 * @typedef {{ passed: number, failed: number, failures: Failure[], skipped: Skipped[] }} Result
 */

/** @type {Record<string, (args: string[]) => Promise<Result>>} */
const parts = {
  lint: () => check('lint', 'npm', ['run', '--silent', 'lint']),
  types: () => check('types', 'npm', ['run', '--silent', 'typecheck']),
  unit: (args) => vitest('unit', args),
  lab: (args) => vitest('lab', args),
  e2e: playwright,
}

const [only, ...names] = process.argv.slice(2)
if (only !== undefined && !(only in parts)) {
  console.error(
    `Unknown part "${only}". Use one of: ${Object.keys(parts).join(', ')}; without a part, all of them run.`,
  )
  process.exit(1)
}
const testArgs = only === 'e2e' ? browserTestFilters(names) : names

const startedAt = Date.now()
checkNode()
await installPackages({ tests: true })
await compileServer()
const folder = mkdtempSync(join(tmpdir(), 'understudy-test-'))
// A complete run prepares the lab in its own cache and removes it. A single part uses the user's cache, in which the
// lab may already exist.
if (only === undefined) process.env.UNDERSTUDY_CACHE ??= join(folder, 'cache')
const missing = only === undefined || only === 'lab' || only === 'e2e' ? installPrograms() : []

/** @type {Map<string, Result>} */
const results = new Map()
/** Seconds that each part took. */
const durations = new Map([['setup', (Date.now() - startedAt) / 1000]])
if (only !== undefined) await run(only)
else {
  // The static checks use one core, and the unit tests mostly wait. The parts continue after a failure, so that one run
  // shows all problems.
  await Promise.all([run('lint'), run('types').then(() => run('unit'))])
  await run('lab')
  await run('e2e')
}
rmSync(folder, { recursive: true, force: true })
process.exit(summarize())

async function run(part) {
  const partStartedAt = Date.now()
  results.set(part, await parts[part](testArgs))
  durations.set(part, (Date.now() - partStartedAt) / 1000)
}

/**
 * Runs a program that prints problems instead of tests. Prints its output when it has ended, because another part may
 * be running at the same time.
 */
async function check(part, program, args) {
  const { status, output } = await start(program, args, { capture: true })
  console.log(`\n== ${part}\n${output.trim() || 'no problems'}`)
  if (status === 0) return { passed: 0, failed: 0, failures: [], skipped: [] }
  const failed = countProblems(output)
  const message = `${failed} problem${failed === 1 ? '' : 's'}, listed under "== ${part}" above`
  return { passed: 0, failed, failures: [{ file: part, name: [program, ...args].join(' '), message }], skipped: [] }
}

async function vitest(project, args) {
  console.log(`\n== ${project}`)
  const report = join(folder, `${project}.json`)
  const { status } = await start(
    process.execPath,
    [join(root, 'node_modules', 'vitest', 'vitest.mjs'), ...['run', '--project', project, ...args]],
    { env: { UNDERSTUDY_TEST_REPORT: report } },
  )
  return completed(project, status, existsSync(report) && JSON.parse(readFileSync(report, 'utf8')))
}

async function playwright(args) {
  console.log('\n== e2e')
  const report = join(folder, 'e2e.json')
  const browserMissing = missing.some(({ program }) => program === 'chromium') && !(await hasPlaywrightChromium())
  const { status } = await start(
    process.execPath,
    [
      join(root, 'node_modules', '@playwright', 'test', 'cli.js'),
      'test',
      `--reporter=${browserMissing ? 'json' : 'list,json'}`,
      ...(browserMissing ? ['--list'] : []),
      ...args,
    ],
    { env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report } },
  )
  const result = existsSync(report) && readPlaywrightReport(JSON.parse(readFileSync(report, 'utf8')))
  if (!browserMissing || !result) return completed('e2e', status, result)
  const reason = 'Chromium is not installed (apt-get install chromium)'
  console.log(`Skipped: ${reason}`)
  return { ...result, passed: 0, skipped: result.listed.map((test) => ({ ...test, reason })) }
}

/** @returns the result of a test runner; one failure if the runner itself failed without reporting any */
function completed(part, status, result) {
  if (result && (status === 0 || result.failed > 0)) return result
  const message = status === null ? 'killed by a signal' : `ended with exit status ${status}`
  const failure = { file: part, name: 'the test runner', message }
  const { passed = 0, failed = 0, failures = [], skipped = [] } = result || {}
  return { passed, failed: failed + 1, failures: [...failures, failure], skipped }
}

/** Converts names of test files, with or without `.spec.ts`, to patterns for Playwright. Options are not changed. */
function browserTestFilters(args) {
  const end = args.findIndex((arg) => arg.startsWith('-'))
  const names = end < 0 ? args : args.slice(0, end)
  const available = readdirSync(join(root, 'e2e')).filter((name) => name.endsWith('.spec.ts'))
  const files = names.map((name) => `${name.replace(/^e2e\//, '').replace(/\.spec\.ts$/, '')}.spec.ts`)
  const unknown = files.find((file) => !available.includes(file))
  if (unknown !== undefined) {
    const list = available.map((file) => file.replace('.spec.ts', '')).join(', ')
    console.error(`There is no e2e/${unknown}. Use one of: ${list}`)
    process.exit(1)
  }
  return [...files.map((file) => `/e2e/${file.replaceAll('.', '\\.')}$`), ...args.slice(names.length)]
}

async function hasPlaywrightChromium() {
  const { chromium } = await import('playwright-core')
  return existsSync(chromium.executablePath())
}

/** Starts a program in the project's folder. @returns its exit status and, if captured, its output */
async function start(program, args, { env = {}, capture = false } = {}) {
  const child = spawn(program, args, {
    cwd: root,
    stdio: ['inherit', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
    env: { ...process.env, ...env },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ status: 1, output: `${program} could not be started: ${error.message}` }))
    child.once('close', (status) => resolve({ status, output }))
  })
}

/** Prints failures, skipped tests, durations and, as the last line, the counts. @returns the exit status */
function summarize() {
  const all = [...results.values()]
  for (const { file, name, message } of all.flatMap(({ failures }) => failures))
    console.log(`\nFailed: ${file} › ${name}\n${String(message).split('\n').slice(0, 6).join('\n')}`)
  const skipped = all.flatMap(({ skipped }) => skipped)
  if (skipped.length > 0) console.log('')
  for (const { file, name, reason } of skipped) console.log(`Skipped: ${file} › ${name}${reason ? ` (${reason})` : ''}`)
  for (const { program, install } of missing)
    console.log(
      `Not installed: ${program} (${install}). ${program === 'git' ? 'Many tests fail without it.' : 'The tests that need it were skipped.'}`,
    )

  console.log('')
  for (const [part, seconds] of [...durations, ['total', (Date.now() - startedAt) / 1000]])
    console.log(`${part.padEnd(6)} ${formatDuration(seconds)}`)
  const sum = (count) => all.reduce((total, result) => total + count(result), 0)
  const failed = sum(({ failed }) => failed)
  console.log(`\n${sum(({ passed }) => passed)} passed, ${failed} failed, ${skipped.length} skipped`)
  return failed === 0 ? 0 : 1
}

function formatDuration(seconds) {
  const whole = Math.round(seconds)
  return `${String(Math.floor(whole / 60)).padStart(3)}:${String(whole % 60).padStart(2, '0')}`
}
