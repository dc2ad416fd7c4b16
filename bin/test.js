// `npm test`: installs what the tests need and runs all of them. The last line counts them.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { checkNode, makeRunnable, root, run } from './install.js'

checkNode()
makeRunnable()
installSystemPackages()

const folder = mkdtempSync(join(tmpdir(), 'understudy-test-'))
// One cache for all parts: the lab is prepared once, and nothing stays behind.
process.env.UNDERSTUDY_CACHE ??= join(folder, 'cache')
const bin = (...path) => join(root, 'node_modules', ...path)
let failed = false

/** Runs one part; the others run all the same, so that one run shows everything that is wrong. */
function part(title, script, args, env = {}) {
  console.log(`\n== ${title}`)
  const { status } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  if (status !== 0) failed = true
}

const units = join(folder, 'units.json')
const browser = join(folder, 'browser.json')
part('Types of shared and server', bin('typescript', 'bin', 'tsc'), ['-b', 'server'])
part('Types', bin('vue-tsc', 'bin', 'vue-tsc.js'), ['--noEmit', '-p', 'tsconfig.json'])
part('Unit tests', bin('vitest', 'vitest.mjs'), [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${units}`,
])
part('Browser tests', bin('@playwright', 'test', 'cli.js'), ['test', '--reporter=list,json'], {
  PLAYWRIGHT_JSON_OUTPUT_FILE: browser,
})

const counts = { passed: 0, failed: 0, skipped: 0 }
/** Each test that failed and why, in a line or a few: said once more at the end, where it is not lost among what has passed. */
const failures = []
if (existsSync(units)) {
  const report = JSON.parse(readFileSync(units, 'utf8'))
  for (const { name, message, assertionResults } of report.testResults) {
    const broken = assertionResults.filter(({ status }) => status === 'failed')
    for (const { fullName, failureMessages } of broken)
      failures.push([relative(root, name), fullName, failureMessages[0]])
    if (broken.length === 0 && message) failures.push([relative(root, name), 'the file itself', message])
  }
  counts.passed += report.numPassedTests
  counts.failed += report.numFailedTests
  counts.skipped += report.numPendingTests + report.numTodoTests
}
if (existsSync(browser)) {
  const { stats, suites, errors } = JSON.parse(readFileSync(browser, 'utf8'))
  const specs = (suite) => [...suite.specs, ...(suite.suites ?? []).flatMap(specs)]
  for (const { ok, file, line, title, tests } of suites.flatMap(specs))
    if (!ok)
      failures.push([
        `e2e/${file}:${line}`,
        title,
        tests.flatMap(({ results }) => results).find(({ error }) => error)?.error.message,
      ])
  for (const { message } of errors) failures.push(['e2e', 'the browser tests themselves', message])
  counts.passed += stats.expected
  counts.failed += stats.unexpected + stats.flaky
  counts.skipped += stats.skipped
}
rmSync(folder, { recursive: true })
if (failed && counts.failed === 0) counts.failed = 1
for (const [file, name, message] of failures)
  console.log(`\nFailed: ${file} › ${name}\n${String(message).split('\n').slice(0, 6).join('\n')}`)
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exit(failed ? 1 : 0)

/** Chromium for the browser, Nix and git for the lab, ffmpeg for videos, an old player of recordings, containers for learners, programs that fill a terminal, a certificate for a proxy. Where they cannot be installed the tests that need them are skipped by name. */
function installSystemPackages() {
  const wanted = {
    chromium: 'chromium',
    nix: 'nix-bin',
    git: 'git',
    ffmpeg: 'ffmpeg',
    asciinema: 'asciinema',
    podman: 'podman',
    runc: 'runc',
    vim: 'vim',
    less: 'less',
    tmux: 'tmux',
    htop: 'htop',
    openssl: 'openssl',
  }
  const missing = Object.keys(wanted).filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0)
  if (missing.length === 0 || !existsSync('/usr/bin/apt-get')) return
  const packages = missing.map((program) => wanted[program])
  console.log(`Installing by apt-get: ${packages.join(', ')} …`)
  const words = process.getuid() === 0 ? [] : ['sudo']
  const apt = [...words, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get']
  run(apt[0] ?? '', [...apt.slice(1), 'update', '-qq'])
  run(apt[0] ?? '', [...apt.slice(1), 'install', '-y', '-qq', '--no-install-recommends', ...packages])
}
