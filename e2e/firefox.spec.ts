import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test as base } from '@playwright/test'
import { execa } from 'execa'
import type { Browser } from 'puppeteer-core'
import { testsOf } from './deck.ts'
import {
  dragOver,
  FIREFOX,
  launchFirefox,
  openPage,
  press,
  selection,
  terminalLines,
  terminalState,
  texts,
} from './firefox.ts'
import { missingPrograms } from './programs.ts'
import { startTalk, type Talk } from './talk.ts'
import { workshopDeck } from './workshop-deck.ts'

/** The talk and the workshop in Firefox ESR. All other browser tests run in Chromium. */

const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: A talk in Firefox
favicon: 'data:,'
fonts: { provider: none }
understudy: { cols: 60, rows: 12 }
layout: stage
---

# Multiply

\`\`\`sh {step=multiply}
echo "product: $((6 * 7))"
\`\`\`

<!-- Notes of the first slide. -->

---

# Second slide

<!-- Notes of the second slide. -->
`

const missing = missingPrograms(FIREFOX)

const test = testsOf(slides, {
  prepare: async (deck) => {
    const rehearsal = ['bin/understudy.js', 'rehearse', '--deck', deck.file]
    if (missing === undefined) await execa(process.execPath, rehearsal)
  },
}).extend<object, { firefox: Browser }>({
  firefox: [
    async ({}, use) => {
      const browser = await launchFirefox()
      await use(browser)
      await browser.close()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
})
test.skip(missing !== undefined, missing)

test('a step runs, its output appears, and keys reach the shell', async ({ firefox, talk }) => {
  const { page, errors } = await openPage(firefox, talk.link)
  await expect.poll(() => terminalState(page)).toBe('prompt')
  await page.locator('[aria-label="Run multiply"]').click()
  await expect.poll(() => terminalLines(page)).toContain('product: 42')
  await expect
    .poll(() => texts(page, '[data-step="multiply"] [role="status"]'))
    .toEqual([expect.stringMatching(/succeeded/)])
  await page.locator('[data-terminal] .xterm-screen').click()
  await page.keyboard.type('echo typed-$((1 + 1))\n')
  await expect.poll(() => terminalLines(page)).toContain('typed-2')
  expect(errors).toEqual([])
  await page.close()
})

test('the mouse selects the cells under it; the selection is copied, and pasted as a bracketed paste', async ({
  firefox,
  talk,
}) => {
  const { page, errors } = await openPage(firefox, talk.link)
  await expect.poll(() => terminalState(page)).toBe('prompt')
  await page.locator('[data-terminal] .xterm-screen').click()
  await page.keyboard.type('clear; echo abc-$((40 + 2))-xyz\n')
  await expect.poll(() => terminalLines(page)).toContain('abc-42-xyz')
  const line = (await terminalLines(page)).indexOf('abc-42-xyz')
  await dragOver(page, line, 2, 7)
  expect(await selection(page)).toBe('c-42-x')
  await press(page, 'Control+Shift+C')

  await page.keyboard.type("printf '\\e[?2004h'; cat -v\n")
  await expect.poll(() => terminalState(page)).toBe('busy')
  await press(page, 'Control+Shift+V')
  await page.keyboard.type('\n')
  await expect.poll(() => terminalLines(page)).toContain('^[[200~c-42-x^[[201~')
  await press(page, 'Control+c')
  await expect.poll(() => terminalState(page)).toBe('prompt')
  expect(errors).toEqual([])
  await page.close()
})

test('the clicker turns the slides from within a terminal, and the keys of the deck work afterwards', async ({
  firefox,
  talk,
}) => {
  const { page, errors } = await openPage(firefox, talk.link)
  await expect.poll(() => terminalState(page)).toBe('prompt')
  await page.locator('[data-terminal] .xterm-screen').click()
  await page.keyboard.press('PageDown')
  await expect.poll(() => new URL(page.url()).pathname).toBe('/2')
  // The terminal has been removed while it had the focus.
  await page.keyboard.press('PageUp')
  await expect.poll(() => new URL(page.url()).pathname).toBe('/1')
  await page.keyboard.press('l')
  await expect.poll(() => texts(page, '.understudy-replay')).toEqual([expect.stringMatching(/REPLAY/)])
  await expect.poll(() => terminalLines(page)).toContain('product: 42')
  await page.keyboard.press('l')
  await expect.poll(() => texts(page, '.understudy-replay')).toEqual([])
  expect(errors).toEqual([])
  await page.close()
})

test('the presenter’s window shows the notes, leads and follows the slides, and resets the stage', async ({
  firefox,
  talk,
}) => {
  const audience = await openPage(firefox, talk.link)
  const presenter = await openPage(firefox, talk.link.replace('/?', '/presenter/1?'))
  await expect.poll(() => texts(presenter.page, '.slidev-note')).toEqual(['Notes of the first slide.'])
  await presenter.page.keyboard.press('ArrowRight')
  await expect.poll(() => texts(presenter.page, '.slidev-note')).toEqual(['Notes of the second slide.'])
  await expect.poll(() => new URL(audience.page.url()).pathname).toBe('/2')
  await audience.page.bringToFront()
  await audience.page.keyboard.press('ArrowLeft')
  await expect.poll(() => texts(presenter.page, '.slidev-note')).toEqual(['Notes of the first slide.'])

  await audience.page.locator('[data-terminal] .xterm-screen').click()
  await audience.page.keyboard.type('echo before-$((1 + 2))\n')
  await expect.poll(() => terminalLines(presenter.page)).toContain('before-3')
  await presenter.page.bringToFront()
  await presenter.page.locator('.understudy-reset::-p-text(Reset)').click()
  await expect.poll(() => terminalLines(audience.page)).not.toContain('before-3')
  await expect.poll(() => terminalState(audience.page)).toBe('prompt')
  expect([...audience.errors, ...presenter.errors]).toEqual([])
  await audience.page.close()
  await presenter.page.close()
})

base('a learner edits and saves a file in the workshop', async () => {
  base.skip(missing !== undefined, missing)
  const deck = await workshopDeck()
  const folder = await mkdtemp(join(tmpdir(), 'understudy-firefox-'))
  let talk: Talk | undefined
  let firefox: Browser | undefined
  try {
    talk = await startTalk({
      command: 'workshop',
      deck: deck.file,
      args: ['--profile', 'host'],
      env: { UNDERSTUDY_CACHE: join(folder, 'cache'), UNDERSTUDY_DATA: join(folder, 'data') },
    })
    const workspace = (/Workspace\s+(\S+)/.exec(talk.output())?.[1] ?? '').replace(/^~/, homedir())
    firefox = await launchFirefox()
    const { page, errors } = await openPage(firefox, talk.link)
    await page.locator('[data-path="greet.sh"]').click()
    await expect.poll(() => texts(page, '.view-line')).toEqual([expect.stringMatching(/Good\smorning/), ''])
    await page.locator('.view-lines').click()
    await press(page, 'Control+a')
    await page.keyboard.type('echo "Good evening"')
    await press(page, 'Control+s')
    await expect.poll(() => readFile(join(workspace, 'greet.sh'), 'utf8')).toBe('echo "Good evening"')
    await page.locator('[data-panel="terminal"] .xterm-screen').click()
    await page.keyboard.type('bash greet.sh\n')
    await expect.poll(() => terminalLines(page)).toContain('Good evening')
    expect(errors).toEqual([])
  } finally {
    await firefox?.close()
    await talk?.stop()
    await deck.remove()
    await rm(folder, { recursive: true, force: true })
  }
})
