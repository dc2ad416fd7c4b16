import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test as base } from '@playwright/test'
import type { Terminal } from '@xterm/xterm'
import { freePort } from '../server/test/free-port.ts'
import { type OtherDeck, otherDeck } from './deck.ts'
import { processes, screen, startTalk, step, type Talk, terminal } from './talk.ts'

/** Faults on purpose, while a talk is given: what the speaker sees, what goes on, what is cleaned up (docs/reliability.md). */

const isRoot = process.getuid?.() === 0
const there = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0

const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: Faults
understudy: { cols: 60, rows: 10 }
fonts: { provider: none }
layout: stage
---

# Faults

\`\`\`sh {step=long terminal=long}
for i in $(seq 100000); do echo count-$i; sleep 0.1; done
\`\`\`

\`\`\`sh {step=short terminal=short}
echo it works
\`\`\`

---
layout: stage
---

# A machine

\`\`\`sh {step=machine}
qemu-system-x86_64 -name fault-on-purpose -display none -nodefaults -S
\`\`\`
`

/** One deck and one cache, so that it is built once. */
const test = base.extend<
  { start: (options?: Partial<Parameters<typeof startTalk>[0]>) => Promise<Talk> },
  { place: { deck: OtherDeck; cache: string; folder: string } }
>({
  place: [
    async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), 'understudy-faults-'))
      const deck = await otherDeck(slides)
      await use({ deck, folder, cache: join(folder, 'cache') })
      await deck.remove()
      rmSync(folder, { recursive: true })
    },
    { scope: 'worker' },
  ],
  start: async ({ place }, use) => {
    const talks: Talk[] = []
    await use(async (options = {}) => {
      const talk = await startTalk({
        deck: place.deck.file,
        args: ['--profile', 'host'],
        ...options,
        env: { UNDERSTUDY_CACHE: place.cache, ...options.env },
      })
      talks.push(talk)
      return talk
    })
    for (const talk of talks) await talk.stop()
    expect(await processes(/^sleep 0\.1$|fault-on-purpose/)).toEqual([])
  },
})

const choose = (page: Page, name: string) => page.getByRole('tab', { name }).click()
const run = (page: Page, id: string) =>
  step(page, id)
    .getByRole('button', { name: `Run ${id}` })
    .click()
const state = (page: Page, id: string) => expect(step(page, id))
/** The number that the long step has come to, as a window shows it. */
const counted = async (page: Page) =>
  Math.max(0, ...[...(await screen(page, 'long')).matchAll(/count-(\d+)/g)].map(([, number]) => Number(number)))

async function goesOn(page: Page) {
  const before = await counted(page)
  await expect.poll(() => counted(page)).toBeGreaterThan(before)
}

/** Notes how long it takes until a fault is seen, or is over: for docs/reliability.md. */
async function measured(what: string, until: Promise<unknown>) {
  const before = Date.now()
  await until
  test.info().annotations.push({ type: 'measured', description: `${what}: ${Date.now() - before} ms` })
}

/** Types into the terminal that is shown, all at once: what the terminal prints meanwhile does not come between the letters. */
async function type(page: Page, name: string, text: string) {
  await terminal(page, name).locator('.xterm').click()
  await page.keyboard.insertText(text)
}

test('the server is killed: the window says so and keeps its screen, what ran is ended by the next start, and the window comes back by itself', async ({
  page,
  start,
}) => {
  const port = await freePort()
  const talk = await start({ port })
  await page.goto(talk.link)
  await run(page, 'long')
  await expect.poll(() => counted(page)).toBeGreaterThan(3)
  await talk.stop('SIGKILL')
  await measured('the loss is shown', expect(page.getByText('Connection lost.')).toBeVisible())
  expect(await counted(page)).toBeGreaterThan(3)

  await measured('started again', start({ port }))
  await measured('the window is back', expect(page.getByText('Connection lost.')).toBeHidden())
  expect(await processes(/^sleep 0\.1$/)).toEqual([])
  await state(page, 'long').toHaveAttribute('data-state', 'idle')
  await run(page, 'long')
  await expect.poll(() => counted(page)).toBeGreaterThan(0)
})

test('the shell is killed: its step says why, the other terminals go on, and the next run has a fresh shell', async ({
  page,
  start,
}) => {
  const talk = await start()
  await page.goto(talk.link)
  await run(page, 'long')
  await expect.poll(() => counted(page)).toBeGreaterThan(3)
  const shell = execFileSync('pgrep', ['-P', String(talk.process.pid), '-f', 'rcfile'], { encoding: 'utf8' }).trim()
  process.kill(Number(shell), 'SIGKILL')
  await measured('the end is shown', state(page, 'long').toHaveAttribute('data-state', 'ended'))
  await expect(step(page, 'long')).toContainText('The shell was ended by signal 9')
  await choose(page, 'short')
  await run(page, 'short')
  await state(page, 'short').toHaveAttribute('data-state', 'succeeded')
  await run(page, 'long')
  await state(page, 'long').toHaveAttribute('data-state', 'running')
  await choose(page, 'long')
  await goesOn(page)
})

test('QEMU is killed: its step fails, and its terminal has its prompt again', async ({ page, start }) => {
  test.skip(!there('qemu-system-x86_64'), 'QEMU is not installed (apt-get install qemu-system-x86)')
  const talk = await start()
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/2`)
  await run(page, 'machine')
  await expect.poll(() => processes(/^qemu-system\S* -name fault-on-purpose/)).toHaveLength(1)
  const [qemu] = await processes(/^qemu-system\S* -name fault-on-purpose/)
  process.kill(Number.parseInt(qemu ?? '', 10), 'SIGKILL')
  await measured('the failure is shown', state(page, 'machine').toHaveAttribute('data-state', 'failed'))
  await expect(step(page, 'machine').getByRole('status')).toHaveText('failed, exit 137')
  await expect(terminal(page, 'machine')).toHaveAttribute('data-state', 'prompt')
})

test('no pseudo-terminal is left: the step says what to do, what runs goes on, and once one is free it runs', async ({
  page,
  start,
}) => {
  const devpts =
    'mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,max=1 devpts /dev/pts && mount --bind /dev/pts/ptmx /dev/ptmx'
  test.skip(
    !isRoot || spawnSync('unshare', ['-m', 'sh', '-c', devpts]).status !== 0,
    'needs root, for a number of pseudo-terminals of its own',
  )
  const talk = await start({ through: ['unshare', '-m', 'sh', '-c', `${devpts} && exec "$@"`, 'sh'] })
  await page.goto(talk.link)
  await run(page, 'long')
  await expect.poll(() => counted(page)).toBeGreaterThan(3)
  await run(page, 'short')
  await measured(
    'the refusal is shown',
    expect(step(page, 'short').getByRole('alert')).toContainText('Cannot open a pseudo-terminal'),
  )
  await goesOn(page)
  execFileSync('nsenter', ['-t', String(talk.process.pid), '-m', 'mount', '-o', 'remount,max=10', '/dev/pts'])
  await run(page, 'short')
  await state(page, 'short').toHaveAttribute('data-state', 'succeeded')
})

test('no file can be opened any more: what runs goes on, keys reach it, and all is well once files are free', async ({
  page,
  start,
  context,
}) => {
  test.skip(!there('prlimit'), 'needs prlimit')
  const talk = await start()
  await page.goto(talk.link)
  await run(page, 'long')
  await expect.poll(() => counted(page)).toBeGreaterThan(3)
  const pid = String(talk.process.pid)
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
  // Up to the first number that is free: what is open stays open.
  let free = 0
  while (open.has(free)) free++
  execFileSync('prlimit', ['--pid', pid, `--nofile=${free}:`])
  await goesOn(page)
  await run(page, 'short')
  await measured(
    'the refusal is shown',
    expect(step(page, 'short').getByRole('alert')).toContainText('Too many open files'),
  )
  await type(page, 'long', 'typed meanwhile')
  // Also where it has scrolled away.
  const holds = (text: string) =>
    terminal(page, 'long').evaluate((box, text) => {
      const { active } = (box as HTMLElement & { terminal: Terminal }).terminal.buffer
      return Array.from({ length: active.length }, (_, row) => active.getLine(row)?.translateToString()).some((line) =>
        line?.includes(text),
      )
    }, text)
  await expect.poll(() => holds('typed meanwhile')).toBe(true)

  execFileSync('prlimit', ['--pid', pid, '--nofile=4096:'])
  const late = await context.newPage()
  await late.goto(talk.link)
  await expect.poll(() => counted(late)).toBeGreaterThan(3)
  await late.close()
  await run(page, 'short')
  await state(page, 'short').toHaveAttribute('data-state', 'succeeded')
})

test('the disk is full: what runs goes on, a new shell says what is wrong, and it starts once there is room', async ({
  page,
  start,
  place,
}) => {
  const disk = join(place.folder, 'disk')
  mkdirSync(disk)
  test.skip(
    !isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]).status !== 0,
    'needs to mount a small disk',
  )
  try {
    const cache = join(disk, 'cache')
    // As it was built for the tests before.
    if (spawnSync('test', ['-d', place.cache]).status === 0) cpSync(place.cache, cache, { recursive: true })
    mkdirSync(join(disk, 'tmp'))
    const talk = await start({ env: { UNDERSTUDY_CACHE: cache, TMPDIR: join(disk, 'tmp') } })
    await page.goto(talk.link)
    await run(page, 'long')
    await expect.poll(() => counted(page)).toBeGreaterThan(3)
    spawnSync('dd', ['if=/dev/zero', `of=${disk}/filler`, 'bs=1M'], { stdio: 'ignore' })
    await run(page, 'short')
    await measured(
      'the refusal is shown',
      expect(step(page, 'short').getByRole('alert')).toContainText('The disk is full'),
    )
    await goesOn(page)
    await page.reload()
    await goesOn(page)
    rmSync(join(disk, 'filler'))
    await run(page, 'short')
    await state(page, 'short').toHaveAttribute('data-state', 'succeeded')
    await talk.stop()
  } finally {
    execFileSync('umount', ['-l', disk])
  }
})

test('a second server of the same deck runs beside the first, and its end ends nothing of it', async ({
  page,
  start,
  context,
}) => {
  const first = await start()
  await page.goto(first.link)
  await run(page, 'long')
  await expect.poll(() => counted(page)).toBeGreaterThan(3)
  const second = await start()
  expect(second.output()).not.toContain('left behind')
  const other = await context.newPage()
  await other.goto(second.link)
  await state(other, 'long').toHaveAttribute('data-state', 'idle')
  await choose(other, 'short')
  await run(other, 'short')
  await state(other, 'short').toHaveAttribute('data-state', 'succeeded')
  expect(await second.stop()).toBe(0)
  await page.bringToFront()
  await goesOn(page)
})
