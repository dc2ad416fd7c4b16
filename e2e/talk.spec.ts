import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readDeck } from '../server/deck/deck.ts'
import { deckPaths } from '../server/lib/paths.ts'
import { expect, processes, screen, step, terminal, test } from './talk.ts'
import { missingPrograms } from './programs.ts'

const deckFile = join(import.meta.dirname, '..', 'slides.md')
const { workdir } = deckPaths(deckFile)

/** Goes to the slide that has a step. */
async function goTo(page: import('@playwright/test').Page, origin: string, id: string) {
  const { steps } = await readDeck(deckFile)
  await page.goto(`${origin}/${steps.get(id)?.slide}`)
  await expect(step(page, id)).toBeVisible()
}

async function run(page: import('@playwright/test').Page, id: string) {
  await step(page, id).getByRole('button', { name: /^run/i }).click()
}

async function reaches(page: import('@playwright/test').Page, id: string, state: string, timeout = 120_000) {
  await expect(step(page, id)).toHaveAttribute('data-state', state, { timeout })
}

test.describe.configure({ mode: 'serial' })
const missing = missingPrograms({ nix: 'nix-bin' })
test.skip(missing !== undefined, missing)

test('the VM boots on its slide, serves the page, survives a reload and a new window, and is stopped by Interrupt', async ({
  stage,
  talk,
  context,
}) => {
  await goTo(stage, talk.origin, 'run-vm')
  await run(stage, 'run-vm')
  await reaches(stage, 'run-vm', 'ready')
  expect(await screen(stage, 'run-vm')).toContain('nix run .#run-vm')
  expect(await (await fetch('http://127.0.0.1:8080/')).text()).toContain('<div id="root"')
  expect((await fetch('http://127.0.0.1:8080/a/client/side/route')).status).toBe(200)
  await expect(stage.frameLocator('iframe[src^="http://127.0.0.1:8080"]').first().locator('#root')).not.toBeEmpty()

  const before = await screen(stage, 'run-vm')
  await stage.reload()
  await reaches(stage, 'run-vm', 'ready')
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

test('a port that is taken is named with its process', async ({ stage, talk }) => {
  const { createServer } = await import('node:http')
  const squatter = createServer().listen(8080, '127.0.0.1')
  try {
    await goTo(stage, talk.origin, 'run-vm')
    await run(stage, 'run-vm')
    await expect(stage.getByText(new RegExp(`Port 8080 is taken by process ${process.pid}`)).first()).toBeVisible()
  } finally {
    await new Promise((done) => squatter.close(done))
  }
})

test('the flake check boots the machine and succeeds; a broken shell of the SPA makes it fail', async ({
  stage,
  talk,
}) => {
  test.setTimeout(300_000)
  await goTo(stage, talk.origin, 'flake-check')
  await run(stage, 'flake-check')
  await reaches(stage, 'flake-check', 'succeeded')

  const page = join(workdir, 'spa', 'index.html')
  const good = await readFile(page, 'utf8')
  await writeFile(page, good.replace('id="root"', 'id="toor"'))
  try {
    await run(stage, 'flake-check')
    await reaches(stage, 'flake-check', 'running')
    await reaches(stage, 'flake-check', 'failed')
  } finally {
    await writeFile(page, good)
  }
})

test('both images are built and the sizes are read', async ({ stage, talk }) => {
  test.setTimeout(300_000)
  for (const id of ['build-ami', 'image-sizes', 'build-vmware', 'closure-size', 'why-depends']) {
    await goTo(stage, talk.origin, id)
    await run(stage, id)
    await reaches(stage, id, 'succeeded')
    if (id === 'image-sizes') expect(await screen(stage, await terminalOf(id))).toMatch(/\d+M\s+result/)
    if (id === 'why-depends') expect(await screen(stage, await terminalOf(id))).toContain('openssl')
  }
})

async function terminalOf(id: string): Promise<string> {
  return (await readDeck(deckFile)).steps.get(id)?.terminal ?? ''
}

test('the installation on a server is rehearsed in a VM', async ({ stage, talk }) => {
  test.setTimeout(300_000)
  await goTo(stage, talk.origin, 'anywhere-vm-test')
  await run(stage, 'anywhere-vm-test')
  await reaches(stage, 'anywhere-vm-test', 'succeeded', 240_000)
})

test('what the lab cannot do says why, and asks before it would cost money', async ({ stage, talk }) => {
  for (const id of ['hcloud-create', 'anywhere-deploy']) {
    await goTo(stage, talk.origin, id)
    await reaches(stage, id, 'unavailable')
  }
})

test('the speaker types in a terminal, and the clicker still turns the slides', async ({ stage, talk }) => {
  await goTo(stage, talk.origin, 'flake-check')
  const name = await terminalOf('flake-check')
  await terminal(stage, name).locator('.xterm').click()
  await stage.keyboard.type('clear; echo "typed $((40 + 2))"\n')
  await expect.poll(() => screen(stage, name)).toContain('typed 42')
  const slide = stage.url()
  await stage.keyboard.press('PageDown')
  await expect.poll(() => stage.url()).not.toBe(slide)
})
