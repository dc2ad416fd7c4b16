import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, type Page, test } from '@playwright/test'
import { execa } from 'execa'
import { freePort } from '../server/test/free-port.ts'
import { screen, step } from './talk.ts'

// The three ways to a deck of one's own, with the packed package and the real npm, in an empty folder. With
// UNDERSTUDY_TEST_INSTALL=1, `new` also installs its packages from the registry, through npx.

const root = fileURLToPath(new URL('..', import.meta.url))
const INSTALL = process.env.UNDERSTUDY_TEST_INSTALL === '1'

/** Time for an installation, and for the build of a deck. */
test.describe.configure({ mode: 'serial', timeout: 400_000 })

let folder: string
let tarball: string
/** The deck that is set up by hand; the others use its packages. */
let hand: string

test.beforeAll(async () => {
  test.setTimeout(120_000)
  const { failed } = await execa('npm', ['ping'], { reject: false, env: { npm_config_fetch_retries: '0' } })
  test.skip(failed, "npm's registry cannot be reached")
  folder = await mkdtemp(join(tmpdir(), 'understudy-own-'))
  const { stdout } = await execa('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root })
  tarball = join(folder, stdout.trim().split('\n').at(-1) ?? '')
  hand = join(folder, 'my-talk')
})

test.afterAll(async () => {
  if (folder) await rm(folder, { recursive: true })
})

/** Starts a deck with a command line, as typed in a shell. */
async function start(commandLine: string, cwd: string): Promise<{ link: string; stop: () => Promise<void> }> {
  const port = await freePort()
  const separator = commandLine.startsWith('npm ') ? ' --' : ''
  const child: ChildProcess = spawn('bash', ['-c', `exec ${commandLine}${separator} --port ${port} --no-open`], {
    cwd,
    env: { ...process.env, UNDERSTUDY_CACHE: join(folder, 'cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  let output = ''
  const link = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output += String(chunk)
        const found = /Slides\s+(http:\S+)/.exec(output)?.[1]
        if (found !== undefined) resolve(found)
      })
    void exited.then(() => reject(new Error(`the server exited before it printed its link:\n${output}`)))
  })
  return {
    link,
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

/**
 * Runs the step `hello` of a deck in the browser.
 *
 * @param slide its path: the number of the slide, and the clicks
 */
async function runHello(page: Page, commandLine: string, cwd: string, slide = '1'): Promise<void> {
  const talk = await start(commandLine, cwd)
  try {
    await page.goto(talk.link)
    await page.goto(`${new URL(talk.link).origin}/${slide}`)
    await step(page, 'hello').getByRole('button', { name: 'Run hello' }).click()
    await expect(step(page, 'hello')).toHaveAttribute('data-state', 'succeeded')
    await expect.poll(() => screen(page, 'hello')).toMatch(/^Hello from \w+$/m)
  } finally {
    await talk.stop()
  }
}

/** The fenced blocks of a section of docs/authoring.md. */
async function blocksOf(heading: string): Promise<{ language: string; code: string }[]> {
  const text = await readFile(join(root, 'docs/authoring.md'), 'utf8')
  const section = text.split(`### ${heading}\n`)[1]?.split('\n### ')[0] ?? ''
  return [...section.matchAll(/^(`{3,})(\w+)\n([^]*?)^\1$/gm)].map(([, , language = '', code = '']) => ({
    language,
    code,
  }))
}

test('the commands and the deck of "Set up a deck by hand" work as they are written', async ({ page }) => {
  const [setUp, deck, present, ...others] = await blocksOf('Set up a deck by hand')
  expect([setUp?.language, deck?.language, present?.language, others]).toEqual(['sh', 'md', 'sh', []])
  // Until the package is in a registry, the path of the packed file replaces its name.
  const commands = setUp?.code.replace(/^(npm install .*) slidev-addon-understudy$/m, `$1 ${tarball}`) ?? ''
  expect(commands).toContain(tarball)
  await execa('bash', ['-e', '-c', commands], {
    cwd: folder,
    env: { npm_config_audit: 'false', npm_config_fund: 'false' },
  })
  await writeFile(join(hand, 'slides.md'), deck?.code ?? '')
  await runHello(page, present?.code.trim() ?? '', hand)
})

test('add makes an existing deck run steps, and its hints name the scripts', async ({ page }) => {
  const old = join(folder, 'old')
  await mkdir(join(old, 'node_modules'), { recursive: true })
  await usePackages(old)
  await writeFile(join(old, 'package.json'), '{ "private": true, "scripts": { "dev": "slidev" } }\n')
  await writeFile(
    join(old, 'slides.md'),
    '---\ntitle: Old # mine\nfonts: { provider: none }\nlayout: stage\n---\n\n# Hello\n\n```sh {step=hello}\necho "Hello from $(uname -s)"\n```\n',
  )
  const added = await execa('npx', ['slidev-addon-understudy', 'add', 'slides.md', '--yes', '--addon', tarball], {
    cwd: old,
  })
  expect(added.stdout).toContain('Kept: scripts.dev: slidev')
  expect(await readFile(join(old, 'slides.md'), 'utf8')).toContain('title: Old # mine\n')
  await runHello(page, 'npm start', old)
  const play = await execa('npm', ['run', 'rehearse', '--', 'unknown'], { cwd: old, reject: false })
  expect(play.stderr).toContain('Unknown step "unknown"')
  const { stdout } = await execa('npx', ['slidev-addon-understudy', 'play'], { cwd: old })
  expect(stdout).toContain('record them with: npm run rehearse')
  expect(stdout).toContain('Play one with: npx slidev-addon-understudy play <step or number>')
})

test('new creates a deck whose steps were recorded by a rehearsal and run in the browser', async ({ page }) => {
  const created = join(folder, 'created')
  if (INSTALL) await execa('npx', ['--yes', tarball, 'new', 'created'], { cwd: folder, stdin: 'ignore' })
  else {
    await execa('npx', ['slidev-addon-understudy', 'new', '../created', '--no-install'], { cwd: hand })
    await mkdir(join(created, 'node_modules'))
    await usePackages(created)
    await execa('npm', ['run', 'rehearse'], { cwd: created, env: { UNDERSTUDY_CACHE: join(folder, 'cache') } })
  }
  // The package is in the folder, so that the deck can be installed on another machine.
  expect(await readdir(created)).toContain(tarball.slice(folder.length + 1))
  const manifest: unknown = JSON.parse(await readFile(join(created, 'package.json'), 'utf8'))
  expect(manifest).toMatchObject({
    dependencies: { 'slidev-addon-understudy': `file:${tarball.slice(folder.length + 1)}` },
  })
  expect((await readdir(join(created, 'recordings/host'))).filter((name) => name.endsWith('.cast'))).toEqual([
    'hello.cast',
    'serve.cast',
  ])
  await runHello(page, 'npm start', created, '2')
})

test('the result of import is built by Slidev, and its steps run', async ({ page }) => {
  await writeFile(
    join(hand, 'talk.md'),
    '---\ntitle: Imported\n---\n\nHello\n===\n\n<!-- column_layout: [1, 2] -->\n<!-- column: 0 -->\n{{ text }}\n<!-- pause -->\n<!-- column: 1 -->\n- $5 <host>\n<!-- reset_layout -->\n\n```bash +exec +id:hello\necho "Hello from $(uname -s)"\n```\n\n<!-- speaker_note: a note -->\n<!-- end_slide -->\n\n```rust {1|2} +line_numbers\nfn a() {}\nfn b() {}\n```\n\n```mermaid +render\ngraph LR\n  A --> B\n```\n',
  )
  await execa('npx', ['slidev-addon-understudy', 'import', 'talk.md', '--out', 'imported.md'], { cwd: hand })
  const again = await execa('npx', ['slidev-addon-understudy', 'import', 'talk.md', '--out', 'imported.md'], {
    cwd: hand,
    reject: false,
  })
  expect(again.exitCode).toBe(1)
  expect(again.stderr).toContain('imported.md exists')
  // The step appears with the click of the pause before it.
  await runHello(page, 'npx slidev-addon-understudy start imported.md', hand, '2?clicks=1')
})

/** Makes the packages of the deck that was set up by hand available in another folder. */
async function usePackages(target: string): Promise<void> {
  const modules = join(hand, 'node_modules')
  for (const name of await readdir(modules))
    if (name !== 'slidev-addon-understudy' && name !== '.bin' && name !== '.package-lock.json')
      await symlink(join(modules, name), join(target, 'node_modules', name))
  // A linked package would be a clone for Vite, whose files are outside of the deck.
  await cp(join(modules, 'slidev-addon-understudy'), join(target, 'node_modules/slidev-addon-understudy'), {
    recursive: true,
  })
  await mkdir(join(target, 'node_modules/.bin'))
  await symlink(
    '../slidev-addon-understudy/bin/understudy.js',
    join(target, 'node_modules/.bin/slidev-addon-understudy'),
  )
}
