import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readDeck } from '../server/deck/deck.ts'
import { deckPaths } from '../server/lib/paths.ts'
import type { Page } from '@playwright/test'
import { expect, processes, screen, step, terminal, test } from './talk.ts'
import { missingPrograms } from './programs.ts'

const deckFile = join(import.meta.dirname, '..', 'slides.md')
const { workdir } = deckPaths(deckFile)

/** Opens the slide of a step. */
async function goTo(page: Page, origin: string, id: string) {
  const { steps } = await readDeck(deckFile)
  await page.goto(`${origin}/${steps.get(id)?.slide}`)
  await expect(step(page, id)).toBeVisible()
}

async function run(page: Page, id: string) {
  await step(page, id).getByRole('button', { name: /^run/i }).click()
}

async function expectState(page: Page, id: string, state: string, timeout = 120_000) {
  await expect(step(page, id)).toHaveAttribute('data-state', state, { timeout })
}

test.describe.configure({ mode: 'serial' })
const missing = missingPrograms({ nix: 'nix-bin' })
test.skip(missing !== undefined, missing)

test('a VM keeps running and serving its page across a reload and in a second window, until it is interrupted', async ({
  stage,
  talk,
  context,
}) => {
  await goTo(stage, talk.origin, 'run-vm')
  await run(stage, 'run-vm')
  await expectState(stage, 'run-vm', 'ready')
  expect(await screen(stage, 'run-vm')).toContain('nix run .#run-vm')
  expect(await (await fetch('http://127.0.0.1:8080/')).text()).toContain('<div id="root"')
  expect((await fetch('http://127.0.0.1:8080/a/client/side/route')).status).toBe(200)
  await expect(
    stage.locator('iframe[src^="http://127.0.0.1:8080"]').first().contentFrame().locator('#root'),
  ).not.toBeEmpty()

  const before = await screen(stage, 'run-vm')
  await stage.reload()
  await expectState(stage, 'run-vm', 'ready')
  await expect.poll(() => screen(stage, 'run-vm')).toBe(before)
  const second = await context.newPage()
  await second.goto(stage.url())
  await expect.poll(() => screen(second, 'run-vm')).toBe(before)
  await second.close()

  await step(stage, 'run-vm')
    .getByRole('button', { name: /interrupt/i })
    .click()
  await expect(step(stage, 'run-vm')).toHaveAttribute('data-state', /succeeded|failed/)
  await expect.poll(() => processes(/qemu-system/)).toEqual([])
})

test('a step whose port is in use names the process that uses it', async ({ stage, talk }) => {
  const { createServer } = await import('node:http')
  const blocker = createServer().listen(8080, '127.0.0.1')
  try {
    await goTo(stage, talk.origin, 'run-vm')
    await run(stage, 'run-vm')
    await expect(stage.getByText(new RegExp(`Port 8080 is in use by process ${process.pid}`)).first()).toBeVisible()
  } finally {
    await new Promise((resolve) => blocker.close(resolve))
  }
})

test('the flake check boots the machine and succeeds, and fails if the page has no root element', async ({
  stage,
  talk,
}) => {
  test.setTimeout(300_000)
  await goTo(stage, talk.origin, 'flake-check')
  await run(stage, 'flake-check')
  await expectState(stage, 'flake-check', 'succeeded')

  const page = join(workdir, 'spa', 'index.html')
  const good = await readFile(page, 'utf8')
  await writeFile(page, good.replace('id="root"', 'id="wrong"'))
  try {
    await run(stage, 'flake-check')
    await expectState(stage, 'flake-check', 'running')
    await expectState(stage, 'flake-check', 'failed')
  } finally {
    await writeFile(page, good)
  }
})

test('the image steps succeed and print their sizes', async ({ stage, talk }) => {
  test.setTimeout(300_000)
  for (const id of ['build-ami', 'image-sizes', 'build-vmware', 'closure-size', 'why-depends']) {
    await goTo(stage, talk.origin, id)
    await run(stage, id)
    await expectState(stage, id, 'succeeded')
    if (id === 'image-sizes') expect(await screen(stage, await terminalOf(id))).toMatch(/\d+M\s+result/)
    if (id === 'why-depends') expect(await screen(stage, await terminalOf(id))).toContain('openssl')
  }
})

async function terminalOf(id: string): Promise<string> {
  return (await readDeck(deckFile)).steps.get(id)?.terminal ?? ''
}

test('the installation test in a VM succeeds', async ({ stage, talk }) => {
  test.setTimeout(300_000)
  await goTo(stage, talk.origin, 'anywhere-vm-test')
  await run(stage, 'anywhere-vm-test')
  await expectState(stage, 'anywhere-vm-test', 'succeeded', 240_000)
})

test('steps that need a cloud server are unavailable in the lab', async ({ stage, talk }) => {
  for (const id of ['hcloud-create', 'anywhere-deploy']) {
    await goTo(stage, talk.origin, id)
    await expectState(stage, id, 'unavailable')
  }
})

test('the clicker turns the slides while a terminal has the focus', async ({ stage, talk }) => {
  await goTo(stage, talk.origin, 'flake-check')
  const name = await terminalOf('flake-check')
  await terminal(stage, name).locator('.xterm').click()
  await stage.keyboard.type('clear; echo "typed $((40 + 2))"\n')
  await expect.poll(() => screen(stage, name)).toContain('typed 42')
  const slide = stage.url()
  await stage.keyboard.press('PageDown')
  await expect.poll(() => stage.url()).not.toBe(slide)
})
