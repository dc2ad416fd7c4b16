import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test as base } from '@playwright/test'
import type { Terminal } from '@xterm/xterm'
import { freePort } from '../server/test/free-port.ts'
import { type OtherDeck, otherDeck } from './deck.ts'
import { processes, screen, startTalk, step, type Talk, terminal } from './talk.ts'

/**
 * Fault injection during a talk: the messages to the presenter, the surviving processes, and the cleanup
 * (docs/reliability.md).
 */

const isRoot = process.getuid?.() === 0
const isInstalled = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0

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

/** All tests share a deck and a cache, so that the deck is built once. */
const test = base.extend<
  { start: (options?: Partial<Parameters<typeof startTalk>[0]>) => Promise<Talk> },
  { shared: { deck: OtherDeck; cache: string; folder: string } }
>({
  shared: [
    async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), 'understudy-faults-'))
      const deck = await otherDeck(slides)
      await use({ deck, folder, cache: join(folder, 'cache') })
      await deck.remove()
      rmSync(folder, { recursive: true })
    },
    { scope: 'worker' },
  ],
  start: async ({ shared }, use) => {
    const talks: Talk[] = []
    await use(async (options = {}) => {
      const talk = await startTalk({
        deck: shared.deck.file,
        args: ['--profile', 'host'],
        ...options,
        env: { UNDERSTUDY_CACHE: shared.cache, ...options.env },
      })
      talks.push(talk)
      return talk
    })
    for (const talk of talks) await talk.stop()
    expect(await processes(/^sleep 0\.1$|fault-on-purpose/)).toEqual([])
  },
})

const chooseTerminal = (page: Page, name: string) => page.getByRole('tab', { name }).click()
const run = (page: Page, id: string) =>
  step(page, id)
    .getByRole('button', { name: `Run ${id}` })
    .click()
const expectStep = (page: Page, id: string) => expect(step(page, id))
/** The last number of the long step on the screen. */
const lastCount = async (page: Page) =>
  Math.max(0, ...[...(await screen(page, 'long')).matchAll(/count-(\d+)/g)].map(([, number]) => Number(number)))

async function expectProgress(page: Page) {
  const before = await lastCount(page)
  await expect.poll(() => lastCount(page)).toBeGreaterThan(before)
}

/** Records the time until an event is visible or complete, for docs/reliability.md. */
async function measured(event: string, until: Promise<unknown>) {
  const before = Date.now()
  await until
  test.info().annotations.push({ type: 'measured', description: `${event}: ${Date.now() - before} ms` })
}

/** Inserts text into a visible terminal at once, so that output does not separate the letters. */
async function type(page: Page, name: string, text: string) {
  await terminal(page, name).locator('.xterm').click()
  await page.keyboard.insertText(text)
}

test('server killed: the window keeps its screen and reconnects, and the next start stops leftover processes', async ({
  page,
  start,
}) => {
  const port = await freePort()
  const talk = await start({ port })
  await page.goto(talk.link)
  await run(page, 'long')
  await expect.poll(() => lastCount(page)).toBeGreaterThan(3)
  await talk.stop('SIGKILL')
  await measured('loss shown', expect(page.getByText('Connection lost.')).toBeVisible())
  expect(await lastCount(page)).toBeGreaterThan(3)

  await measured('restarted', start({ port }))
  await measured('window reconnected', expect(page.getByText('Connection lost.')).toBeHidden())
  expect(await processes(/^sleep 0\.1$/)).toEqual([])
  await expectStep(page, 'long').toHaveAttribute('data-state', 'idle')
  await run(page, 'long')
  await expect.poll(() => lastCount(page)).toBeGreaterThan(0)
})

test('shell killed: its step shows the signal, other terminals keep running, and the next run has a new shell', async ({
  page,
  start,
}) => {
  const talk = await start()
  await page.goto(talk.link)
  await run(page, 'long')
  await expect.poll(() => lastCount(page)).toBeGreaterThan(3)
  const shell = execFileSync('pgrep', ['-P', String(talk.process.pid), '-f', 'rcfile'], { encoding: 'utf8' }).trim()
  process.kill(Number(shell), 'SIGKILL')
  await measured('end shown', expectStep(page, 'long').toHaveAttribute('data-state', 'ended'))
  await expect(step(page, 'long')).toContainText('The shell was killed by signal 9')
  await chooseTerminal(page, 'short')
  await run(page, 'short')
  await expectStep(page, 'short').toHaveAttribute('data-state', 'succeeded')
  await run(page, 'long')
  await expectStep(page, 'long').toHaveAttribute('data-state', 'running')
  await chooseTerminal(page, 'long')
  await expectProgress(page)
})

test('QEMU killed: its step fails and its terminal returns to the prompt', async ({ page, start }) => {
  test.skip(!isInstalled('qemu-system-x86_64'), 'QEMU is not installed (apt-get install qemu-system-x86)')
  const talk = await start()
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/2`)
  await run(page, 'machine')
  await expect.poll(() => processes(/^qemu-system\S* -name fault-on-purpose/)).toHaveLength(1)
  const [qemu] = await processes(/^qemu-system\S* -name fault-on-purpose/)
  process.kill(Number.parseInt(qemu ?? '', 10), 'SIGKILL')
  await measured('failure shown', expectStep(page, 'machine').toHaveAttribute('data-state', 'failed'))
  await expect(step(page, 'machine').getByRole('status')).toHaveText('failed, exit 137')
  await expect(terminal(page, 'machine')).toHaveAttribute('data-state', 'prompt')
})

test('pseudo-terminals exhausted: the step is refused, running steps continue, and it runs once one is free', async ({
  page,
  start,
}) => {
  const devpts =
    'mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,max=1 devpts /dev/pts && mount --bind /dev/pts/ptmx /dev/ptmx'
  test.skip(
    !isRoot || spawnSync('unshare', ['-m', 'sh', '-c', devpts]).status !== 0,
    'needs root, to limit the number of pseudo-terminals',
  )
  const talk = await start({ through: ['unshare', '-m', 'sh', '-c', `${devpts} && exec "$@"`, 'sh'] })
  await page.goto(talk.link)
  await run(page, 'long')
  await expect.poll(() => lastCount(page)).toBeGreaterThan(3)
  await run(page, 'short')
  await measured(
    'refusal shown',
    expect(step(page, 'short').getByRole('alert')).toContainText('Cannot open a pseudo-terminal'),
  )
  await expectProgress(page)
  execFileSync('nsenter', ['-t', String(talk.process.pid), '-m', 'mount', '-o', 'remount,max=10', '/dev/pts'])
  await run(page, 'short')
  await expectStep(page, 'short').toHaveAttribute('data-state', 'succeeded')
})

test('file descriptors exhausted: running steps continue and receive keys, and new steps run once some are free', async ({
  page,
  start,
  context,
}) => {
  test.skip(!isInstalled('prlimit'), 'needs prlimit')
  const talk = await start()
  await page.goto(talk.link)
  await run(page, 'long')
  await expect.poll(() => lastCount(page)).toBeGreaterThan(3)
  const pid = String(talk.process.pid)
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
  // The limit is the lowest free number, so that open files stay open.
  let free = 0
  while (open.has(free)) free++
  execFileSync('prlimit', ['--pid', pid, `--nofile=${free}:`])
  await expectProgress(page)
  await run(page, 'short')
  await measured('refusal shown', expect(step(page, 'short').getByRole('alert')).toContainText('Too many open files'))
  await type(page, 'long', 'typed meanwhile')
  // Searches the scrollback, too.
  const contains = (text: string) =>
    terminal(page, 'long').evaluate((box, text) => {
      const { active } = (box as HTMLElement & { terminal: Terminal }).terminal.buffer
      return Array.from({ length: active.length }, (_, row) => active.getLine(row)?.translateToString()).some((line) =>
        line?.includes(text),
      )
    }, text)
  await expect.poll(() => contains('typed meanwhile')).toBe(true)

  execFileSync('prlimit', ['--pid', pid, '--nofile=4096:'])
  const late = await context.newPage()
  await late.goto(talk.link)
  await expect.poll(() => lastCount(late)).toBeGreaterThan(3)
  await late.close()
  await run(page, 'short')
  await expectStep(page, 'short').toHaveAttribute('data-state', 'succeeded')
})

test('disk full: running steps continue, new shells are refused, and start once there is space', async ({
  page,
  start,
  shared,
}) => {
  const disk = join(shared.folder, 'disk')
  mkdirSync(disk)
  test.skip(
    !isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]).status !== 0,
    'needs to mount a small disk',
  )
  try {
    const cache = join(disk, 'cache')
    // Reuses the build of earlier tests, if any.
    if (spawnSync('test', ['-d', shared.cache]).status === 0) cpSync(shared.cache, cache, { recursive: true })
    mkdirSync(join(disk, 'tmp'))
    const talk = await start({ env: { UNDERSTUDY_CACHE: cache, TMPDIR: join(disk, 'tmp') } })
    await page.goto(talk.link)
    await run(page, 'long')
    await expect.poll(() => lastCount(page)).toBeGreaterThan(3)
    spawnSync('dd', ['if=/dev/zero', `of=${disk}/filler`, 'bs=1M'], { stdio: 'ignore' })
    await run(page, 'short')
    await measured('refusal shown', expect(step(page, 'short').getByRole('alert')).toContainText('The disk is full'))
    await expectProgress(page)
    await page.reload()
    await expectProgress(page)
    rmSync(join(disk, 'filler'))
    await run(page, 'short')
    await expectStep(page, 'short').toHaveAttribute('data-state', 'succeeded')
    await talk.stop()
  } finally {
    execFileSync('umount', ['-l', disk])
  }
})

test('a second server of the same deck does not affect the first, even when it stops', async ({
  page,
  start,
  context,
}) => {
  const first = await start()
  await page.goto(first.link)
  await run(page, 'long')
  await expect.poll(() => lastCount(page)).toBeGreaterThan(3)
  const second = await start()
  expect(second.output()).not.toContain('of an earlier server')
  const other = await context.newPage()
  await other.goto(second.link)
  await expectStep(other, 'long').toHaveAttribute('data-state', 'idle')
  await chooseTerminal(other, 'short')
  await run(other, 'short')
  await expectStep(other, 'short').toHaveAttribute('data-state', 'succeeded')
  expect(await second.stop()).toBe(0)
  await page.bringToFront()
  await expectProgress(page)
})
