import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import semver from 'semver'
import { z } from 'zod'
import { launchChromium } from '../bench/chromium.ts'
import { SUPPORTED_SLIDEV } from '../server/deck/slidev.ts'
import { packageRoot } from '../server/lib/paths.ts'
import { freePort } from '../server/test/free-port.ts'

// `npm run try-slidev -- VERSION [PACKAGE_MANAGER]`: installs the packed addon beside that version of Slidev in an empty
// deck, builds the deck, and runs a step in a browser. `--list` prints the newest patch of each supported minor version as
// JSON.

const DECK = `---
addons: [slidev-addon-understudy]
fonts: { provider: none }
steps:
  multiply:
    expect: { output: six times seven is 42 }
---

# A deck of another speaker

\`\`\`sh {step=multiply}
echo "six times seven is $((6 * 7))"
\`\`\`

<Terminal name="multiply" class="h-60" />
`

/** Packages that the addon shares with Slidev and that must not be installed twice: pages would load both. */
const SHARED_PACKAGES = [
  '@slidev/client',
  '@slidev/parser',
  'markdown-exit',
  'vue',
  'shiki',
  '@shikijs/core',
  'monaco-editor',
]

/** Time limit for the step, which also covers the start of the shell on a busy machine. */
const STEP_TIMEOUT_MS = 120_000

/** Command lines that install packages, and what else a deck needs with that package manager. */
const PACKAGE_MANAGERS: Record<string, { add: string[]; packages?: string[]; files?: Record<string, string> }> = {
  npm: { add: ['npm', 'install', '--no-audit', '--no-fund', '--loglevel=error'] },
  // Without markdown-it, plugins of Slidev that need 14 find 15, and Slidev does not start.
  pnpm: { add: ['npx', '--yes', 'pnpm@10', 'add', '--reporter=append-only'], packages: ['markdown-it@14'] },
  yarn: {
    add: ['npx', '--yes', '--package=@yarnpkg/cli-dist@4', 'yarn', 'add'],
    packages: ['markdown-it@14'],
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\nenableTelemetry: false\n', 'yarn.lock': '' },
  },
}

const [argument = '', packageManager = 'npm'] = process.argv.slice(2)
if (argument === '--list') console.log(JSON.stringify(await supportedVersions()))
else if (semver.valid(argument) !== null && packageManager in PACKAGE_MANAGERS) await tryVersion(argument)
else
  throw new Error(
    `Give a version of Slidev, such as 53.0.0, optionally followed by ${Object.keys(PACKAGE_MANAGERS).join(', ')}; or --list.`,
  )

/** The newest patch of each minor version of Slidev that the addon supports, oldest first. */
async function supportedVersions(): Promise<string[]> {
  const { stdout } = await execa('npm', ['view', '@slidev/cli', 'versions', '--json'])
  const newest = new Map<string, string>()
  for (const version of semver.sort(z.array(z.string()).parse(JSON.parse(stdout))))
    if (semver.satisfies(version, SUPPORTED_SLIDEV)) newest.set(version.replace(/\.\d+$/, ''), version)
  return [...newest.values()]
}

/** @throws Error with what does not work */
async function tryVersion(version: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-try-slidev-'))
  const cache = join(folder, 'cache')
  const run = (command: string, args: string[]) =>
    execa(command, args, { cwd: folder, env: { UNDERSTUDY_CACHE: cache }, stdio: ['ignore', 'inherit', 'inherit'] })
  try {
    const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', folder], { cwd: packageRoot })
    // The output begins with that of the script "prepack".
    const [packed] = z
      .array(z.object({ filename: z.string() }))
      .min(1)
      .parse(JSON.parse(stdout.slice(stdout.indexOf('[\n'))))
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
    await writeFile(join(folder, 'slides.md'), DECK)
    const { add: [program = '', ...add] = [], packages = [], files = {} } = PACKAGE_MANAGERS[packageManager] ?? {}
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    const addon = `slidev-addon-understudy@file:./${packed?.filename}`
    await run(program, [...add, addon, `@slidev/cli@${version}`, '@slidev/theme-default', ...packages])
    if (packageManager === 'npm') await expectSingleCopies(folder)
    await run(process.execPath, [commandIn(folder), 'build'])
    if (!existsSync(join(folder, 'dist', 'index.html'))) throw new Error('The built site has no index.html.')
    await runStep(folder, cache)
    console.log(`Slidev ${version} works on Node ${process.versions.node}, installed by ${packageManager}.`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The addon's command. Not run through npx, which ends before the command that it runs. */
function commandIn(folder: string): string {
  return join(folder, 'node_modules', 'slidev-addon-understudy', 'bin', 'understudy.js')
}

/** Checks that each shared package is installed once. */
async function expectSingleCopies(folder: string): Promise<void> {
  const { stdout } = await execa('npm', ['query', SHARED_PACKAGES.map((name) => `[name="${name}"]`).join(', ')], {
    cwd: folder,
  })
  const copies = z.array(z.object({ name: z.string(), version: z.string() })).parse(JSON.parse(stdout))
  for (const name of SHARED_PACKAGES) {
    const versions = copies.filter((copy) => copy.name === name).map((copy) => copy.version)
    if (versions.length !== 1) throw new Error(`${name} is installed ${versions.length} times: ${versions.join(', ')}`)
  }
  const { stdout: size } = await execa('du', ['-sm', 'node_modules'], { cwd: folder })
  console.log(`node_modules: ${size.split('\t')[0]} MB, one copy of ${SHARED_PACKAGES.join(', ')}`)
}

/** Starts the talk, runs its step in a browser, and waits until it has succeeded and its terminal shows the output. */
async function runStep(folder: string, cache: string): Promise<void> {
  const browser = await launchChromium()
  const port = String(await freePort())
  const server = spawn(
    process.execPath,
    [commandIn(folder), 'start', '--no-open', '--profile', 'host', '--port', port],
    {
      cwd: folder,
      env: { ...process.env, UNDERSTUDY_CACHE: cache },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = new Promise((resolve) => server.once('exit', resolve))
  try {
    const link = await new Promise<string>((resolve, reject) => {
      let output = ''
      server.stdout.on('data', (chunk: Buffer) => {
        output += String(chunk)
        const found = /Slides\s+(http\S+)/.exec(output)?.[1]
        if (found !== undefined) resolve(found)
      })
      void ended.then(() => reject(new Error(`The server ended before it printed its link:\n${output}`)))
    })
    const page = await browser.newPage()
    page.setDefaultTimeout(STEP_TIMEOUT_MS)
    const errors: string[] = []
    page.on('pageerror', ({ message }) => errors.push(message))
    await page.goto(link)
    await page.locator('[data-step="multiply"]').getByRole('button', { name: 'Run' }).first().click()
    await page.locator('[data-step="multiply"][data-state="succeeded"]').first().waitFor()
    await page.locator('[data-terminal="multiply"] .xterm-rows', { hasText: 'six times seven is 42' }).first().waitFor()
    if (errors.length > 0) throw new Error(`Errors on the page:\n${errors.join('\n')}`)
  } finally {
    await browser.close()
    server.kill('SIGINT')
    await ended
  }
}
