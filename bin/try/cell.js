// Runs the parts of a cell on the system that it is started on. Started by bin/try.js, which imports it for --here.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const PORT = 4390
/** Time for one part, in milliseconds. */
const PART_TIMEOUT = 30 * 60_000
/** A step that needs a second, and one that boots the virtual machine. */
const STEPS = ['flake-check', 'run-vm']
const SECOND = 1000

/**
 * Clones the repository, starts the talk, and runs steps and tests.
 *
 * @param options.user expect that Debian packages cannot be installed
 * @param options.full run every test
 * @param print receives a line for each part
 */
export async function runCell({ user, full }, print) {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-try-'))
  const clone = join(folder, 'talk')
  const cache = join(folder, 'cache')
  const env = { ...process.env, UNDERSTUDY_CACHE: cache }
  const parts = []
  const part = async (name, run) => {
    const startedAt = Date.now()
    const processorBefore = childrenProcessorSeconds()
    let passed = true
    let detail
    try {
      detail = await run()
    } catch (error) {
      passed = false
      detail = error.message
    }
    const seconds = (Date.now() - startedAt) / SECOND
    const processor = childrenProcessorSeconds() - processorBefore
    parts.push({ name, passed, seconds, processor, detail })
    const time = `${seconds.toFixed(1).padStart(6)} s, processor ${processor.toFixed(0).padStart(3)} s`
    print(`${passed ? '✔' : '✖'} ${name.padEnd(28)} ${time}  ${detail ?? ''}`)
    return passed
  }
  const npm = (script, ...args) => command('npm', ['run', '--silent', script, '--', ...args], { cwd: clone, env })

  try {
    if (
      (await part('clone to link', () => cloneAndStart(folder, clone, env, user))) &&
      (await part('second start', () => startOnce(clone, env, user)))
    ) {
      if (user) await part('doctor', () => expectMissingPackages(clone, env))
      else if (!full)
        await part(`steps ${STEPS.join(', ')}`, () => npm('rehearse', ...STEPS, '--no-record', '--profile=lab'))
      await part(full ? 'npm test' : 'unit tests', () =>
        full ? command('npm', ['test'], { cwd: clone, env: process.env }) : npm('test:unit'),
      )
    }
    return { passed: parts.every(({ passed }) => passed), parts, versions: versions(clone, cache) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function cloneAndStart(folder, clone, env, user) {
  commitChanges()
  await command('git', ['clone', '--quiet', repository, clone], { cwd: folder, env })
  return startOnce(clone, env, user)
}

/** In a root directory, the repository is a copy with the uncommitted changes of the author. */
function commitChanges() {
  const git = (...args) => spawnSync('git', ['-C', repository, ...args], { encoding: 'utf8' })
  if (!process.env.UNDERSTUDY_ROOT || git('status', '--porcelain').stdout === '') return
  git('add', '--all')
  git('-c', 'user.name=try', '-c', 'user.email=try@localhost', 'commit', '--quiet', '--message', 'Uncommitted changes')
}

/** Starts the talk, opens its page, and stops it. @returns the times at which the preparations were completed */
async function startOnce(clone, env, user) {
  const startedAt = Date.now()
  const args = ['start', '--', '--no-open', `--port=${PORT}`]
  const child = spawn('npm', args, { cwd: clone, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  const times = []
  const link = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
        const at = ((Date.now() - startedAt) / SECOND).toFixed(0)
        if (/^added \d+ packages/m.test(text)) times.push(`npm packages ${at} s`)
        if (/✔ The offline lab is ready/.test(text)) times.push(`lab ${at} s`)
        if (/✔ Build the deck/.test(text)) times.push(`deck ${at} s`)
        if (output.includes('Press Ctrl-C')) resolve(/Slides\s+(\S+)/.exec(output)?.[1] ?? '')
      })
    child.once('error', reject)
    child.once('exit', (status) => reject(new Error(`npm start ended with status ${status}:\n${output}`)))
  })
  const timeout = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), PART_TIMEOUT)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    await expectPage(await link)
    if (user && !/As root: apt-get install .*nix-bin/.test(output))
      throw new Error(`npm start does not name the missing packages:\n${output}`)
    times.push(`link ${((Date.now() - startedAt) / SECOND).toFixed(1)} s`)
    if (/warning/i.test(output)) times.push(`warning: ${/.*warning.*/i.exec(output)[0]}`)
    return times.join(', ')
  } finally {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGINT')
    await ended
    clearTimeout(timeout)
  }
}

/** Opens the link as a browser does: it sets a cookie and redirects to the page. */
async function expectPage(link) {
  const login = await fetch(link, { redirect: 'manual' })
  const cookie = login.headers.getSetCookie().map((value) => value.split(';')[0])
  const page = await fetch(new URL('/', link), { headers: { cookie: cookie.join('; ') } })
  const html = await page.text()
  if (!page.ok || !html.includes('<div id="app"')) throw new Error(`The page answers ${page.status}:\n${html}`)
  const { status } = await fetch(new URL('/', link))
  if (status < 400) throw new Error(`The page answers ${status} without the token.`)
}

/** Without root, doctor names the packages that the steps need. */
async function expectMissingPackages(clone, env) {
  const { stdout } = spawnSync('npm', ['run', '--silent', 'doctor'], { cwd: clone, env, encoding: 'utf8' })
  if (!/nix-bin/.test(stdout)) throw new Error(`npm run doctor does not name the missing packages:\n${stdout}`)
  return 'names the missing packages'
}

/** Runs a command whose last line of output is the result. @throws Error with the end of the output if it fails */
async function command(program, args, { cwd, env }) {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 2 * PART_TIMEOUT })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const status = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  const lines = output.trim().split('\n')
  if (status !== 0) {
    const end = lines.filter((line) => !line.startsWith('Skipped: ')).slice(-60)
    throw new Error(`${program} ${args.join(' ')} ended with status ${status}:\n${end.join('\n')}`)
  }
  return lines.findLast((line) => /\d+ passed/.test(line))?.trim()
}

/** Processor time of all ended child processes and their descendants, in seconds. */
function childrenProcessorSeconds() {
  if (!existsSync('/proc/self/stat')) return 0
  const TICKS_PER_SECOND = 100
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND
}

/** The versions of what the cell consists of. */
function versions(clone, cache) {
  const version = (program, ...args) =>
    /\d[\w.+~-]*/.exec(spawnSync(program, args, { encoding: 'utf8' }).stdout ?? '')?.[0]
  const manifest = join(clone, 'node_modules', '@slidev', 'cli', 'package.json')
  const debs = existsSync(join(cache, 'debs')) ? readdirSync(join(cache, 'debs')) : []
  const deb = (pattern) => debs.map((name) => pattern.exec(decodeURIComponent(name))?.[1]).find(Boolean)
  return {
    debian: existsSync('/etc/debian_version') ? readFileSync('/etc/debian_version', 'utf8').trim() : undefined,
    node: process.versions.node,
    npm: version('npm', '--version'),
    slidev: existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined,
    guest: deb(/^linux-image-(\d[^-_]*)/),
    nix: version('nix', '--version'),
    qemu: deb(/^qemu-system-x86_(?:\d+:)?(\d[\d.]*)/),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const flags = process.argv.slice(2)
  const result = await runCell({ user: flags.includes('--user'), full: flags.includes('--full') }, console.log)
  const RESULT_PIPE = 3
  writeSync(RESULT_PIPE, JSON.stringify(result))
  process.exit(result.passed ? 0 : 1)
}
