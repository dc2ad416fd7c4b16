import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, type Page } from '@playwright/test'
import { execa } from 'execa'
import { PDFDocument } from 'pdf-lib'
import { otherDeck, testsOf } from './deck.ts'
import { serveFolder } from './site.ts'
import { screen, startTalk, step, terminal } from './talk.ts'

/** Slidev's own features, on slides with steps. */

const FENCE = '```'
const runnable = (id: string) => `${FENCE}sh {step=${id}}\necho ran-${id}\n${FENCE}`

const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: Features
fonts: { provider: none }
favicon: 'data:,'
understudy: { cols: 60, rows: 10 }
comark: true
defaults: { layout: stage }
routeAlias: opening
zoom: 0.8
layout: stage
---

# Zoom

${runnable('zoomed')}

---
src: ./part.md#1,3
---

---
hide: true
---

# Hidden

${runnable('hidden')}

---
layout: two-cols
---

# Slots

<v-click>

${runnable('revealed')}

</v-click>

::right::

<div class="h-60"><Terminal /></div>

---
clicks: 3
---

# A switch

<v-switch>
<template #0>Nothing yet</template>
<template #1-3>

${runnable('switched')}

</template>
</v-switch>

---

# Beside other code

${runnable('beside')}

${FENCE}\`md magic-move
${FENCE}js
const before = 1
${FENCE}
${FENCE}js
const after = 2
${FENCE}
${FENCE}\`

::code-group

${FENCE}js [first.js]
first()
${FENCE}

${FENCE}js [second.js]
second()
${FENCE}

::

---
routeAlias: ending
layout: default
---

# The end

Text, and <Link to="opening">back</Link>

<div class="h-60"><Terminal name="beside" /></div>

<div class="h-20"><Terminal :name="'else' + 'where'" /></div>
`

const part = `# Imported one

${runnable('imported-one')}

---

# Not imported

${runnable('not-imported')}

---

# Imported three

${runnable('imported-three')}
`

const test = testsOf(slides, { files: { 'part.md': part } })

async function expectRun(page: Page, id: string, name = id) {
  await step(page, id)
    .getByRole('button', { name: `Run ${id}` })
    .click()
  await expect(step(page, id)).toHaveAttribute('data-state', 'succeeded')
  await expect.poll(() => screen(page, name)).toMatch(new RegExp(`^ran-${id}$`, 'm'))
}

test.describe('a talk', () => {
  test.beforeEach(async ({ page, talk }) => {
    await page.goto(talk.link)
    await expect(page.getByRole('heading', { name: 'Zoom' })).toBeVisible()
  })

  test('a step runs on a zoomed slide, and its terminal reports the cell under the pointer', async ({ page, talk }) => {
    await page.goto(`${talk.origin}/opening`)
    await expectRun(page, 'zoomed')
    await page.keyboard.press('t')
    await expect(page.locator('.xterm textarea:focus')).toBeAttached()
    await page.keyboard.type('clear; echo alpha-beta\n')
    await expect.poll(() => screen(page, 'zoomed')).toMatch(/^alpha-beta$/m)
    const rows = (await screen(page, 'zoomed')).split('\n')
    const grid = await terminal(page, 'zoomed').locator('.xterm-screen').boundingBox()
    if (!grid) throw new Error('the terminal has no screen')
    const row = rows.findIndex((text) => text.startsWith('alpha-beta'))
    await page.mouse.dblclick(grid.x + (grid.width / 60) * 4.5, grid.y + (grid.height / 10) * (row + 0.5))
    const selected = () =>
      terminal(page, 'zoomed').evaluate((box) =>
        (box as HTMLElement & { terminal: { getSelection: () => string } }).terminal.getSelection(),
      )
    await expect.poll(selected).toBe('alpha-beta')
  })

  test('imported slides have their steps; slides that are hidden or outside the range have none', async ({
    page,
    talk,
  }) => {
    await page.goto(`${talk.origin}/2`)
    await expectRun(page, 'imported-one')
    await page.goto(`${talk.origin}/3`)
    await expectRun(page, 'imported-three')
    await page.goto(`${talk.origin}/4`)
    await expect(page.getByRole('heading', { name: 'Slots' })).toBeVisible()
  })

  test('a step within v-click and slots appears with its click, and a terminal without a name shows it', async ({
    page,
    talk,
  }) => {
    await page.goto(`${talk.origin}/4`)
    await expect(terminal(page, 'revealed').locator('.xterm')).toBeVisible()
    const isHidden = () =>
      page
        .locator('.slidev-page-4 [data-step="revealed"]')
        .evaluate((element) => element.closest('.slidev-vclick-hidden') !== null)
    await expect.poll(isHidden).toBe(true)
    await page.keyboard.press('ArrowRight')
    await expect.poll(isHidden).toBe(false)
    await expectRun(page, 'revealed')
  })

  test('a step within v-switch appears with its click', async ({ page, talk }) => {
    await page.goto(`${talk.origin}/5`)
    await expect(page.getByText('Nothing yet')).toBeVisible()
    await page.keyboard.press('ArrowRight')
    await expectRun(page, 'switched')
    expect(new URL(page.url()).searchParams.get('clicks')).toBe('1')
  })

  test('magic-move and code groups keep working beside a step', async ({ page, talk }) => {
    await page.goto(`${talk.origin}/6`)
    await expectRun(page, 'beside')
    await expect(page.locator('.slidev-page-6')).toContainText('before')
    await expect(page.locator('.slidev-page-6')).not.toContainText('after')
    await page.keyboard.press('ArrowRight')
    await expect(page.locator('.slidev-page-6')).toContainText('after')
    await page.locator('.slidev-page-6').getByText('second.js').click()
    await expect(page.locator('.slidev-page-6').getByText('second()')).toBeVisible()
    await expect(page.locator('.slidev-page-6').getByText('first()')).toBeHidden()
  })

  test('a route alias opens a slide, whose terminals belong to other slides or to none', async ({ page, talk }) => {
    await page.goto(`${talk.origin}/ending`)
    await expect(terminal(page, 'beside').locator('.xterm')).toBeVisible()
    await expect(page.getByRole('alert')).toHaveText(/This deck has no terminal “elsewhere”\. It has: zoomed, /)
    await page.getByRole('link', { name: 'back' }).click()
    await expect(page.getByRole('heading', { name: 'Zoom' })).toBeVisible()
  })

  test('a drawing over a slide leaves its step runnable', async ({ page, talk }) => {
    await page.goto(`${talk.origin}/2`)
    await expect(step(page, 'imported-one')).toBeVisible()
    await page.mouse.move(60, 700)
    await page.getByRole('button', { name: 'Show drawing toolbar' }).click()
    await page.mouse.move(500, 600)
    await page.mouse.down()
    await page.mouse.move(700, 650, { steps: 5 })
    await page.mouse.up()
    await page.mouse.move(60, 700)
    await page.getByRole('button', { name: 'Hide drawing toolbar' }).click()
    await expectRun(page, 'imported-one')
  })

  test('previews of the presenter page and the overview have no buttons and start no shells', async ({
    page,
    talk,
  }) => {
    await page.goto(`${talk.origin}/presenter/2`)
    await expect(step(page, 'imported-one').getByRole('button', { name: 'Run imported-one' })).toBeVisible()
    const preview = page.locator('[data-step="imported-three"]:visible')
    await expect(preview).toBeVisible()
    await expect(preview.getByRole('button')).toHaveCount(0)
    await page.goto(`${talk.origin}/overview`)
    await expect(page.locator('[data-step="zoomed"]').first()).toBeVisible()
    await expect(page.locator('[data-step] button:visible')).toHaveCount(0)
    await expect(page.locator('.xterm')).toHaveCount(0)
  })
})

async function understudy(...args: string[]): Promise<void> {
  const { exitCode, all } = await execa(process.execPath, ['bin/understudy.js', ...args], { reject: false, all: true })
  expect(exitCode, all).toBe(0)
}

test('the static site works below a path, without errors in the console', async ({ page, deck }) => {
  test.setTimeout(300_000)
  const out = join(deck.folder, 'site')
  await understudy('build', deck.file, '--out', out)
  const site = await serveFolder(out, '/sub')
  const errors: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('websocket', (socket) => errors.push(socket.url()))
  await page.goto(`${site.url}/`)
  await expect(step(page, 'zoomed').getByRole('status')).toHaveText('not recorded')
  await page.keyboard.press('ArrowRight')
  await expect(page).toHaveURL(`${site.url}/#/2`)
  await expect(page.getByRole('heading', { name: 'Imported one' })).toBeVisible()
  expect(errors).toEqual([])
  site.close()
})

test('the export has the slides of the range, and a page for each of their clicks', async ({ deck }) => {
  test.setTimeout(600_000)
  const pictures = join(deck.folder, 'pictures')
  await understudy('export', deck.file, '--format', 'png', '--out', pictures, '--with-clicks', '--range', '1,4-5')
  expect((await readdir(pictures)).sort()).toEqual(
    ['1-00', '4-00', '4-01', '5-00', '5-01', '5-02', '5-03'].map((name) => `${name}.png`),
  )
  const [hidden, shown] = await Promise.all(['4-00.png', '4-01.png'].map((name) => readFile(join(pictures, name))))
  expect(hidden).not.toEqual(shown)
  const pdf = join(deck.folder, 'some.pdf')
  await understudy('export', deck.file, '--out', pdf, '--range', '2-3,7')
  expect((await PDFDocument.load(await readFile(pdf))).getPageCount()).toBe(3)
})

test('a snippet can be a step, and a page with a step can be imported twice, with the hash router', async ({
  page,
}) => {
  test.setTimeout(300_000)
  const deck = await otherDeck(
    `---
theme: none
addons: [slidev-addon-understudy]
fonts: { provider: none }
routerMode: hash
layout: stage
---

# A snippet

<<< @/snippets/hello.sh sh {step=snippet}

---
src: ./part.md#1
layout: stage
---

---
src: ./part.md#1
layout: stage
---
`,
    { files: { 'part.md': part, 'snippets/hello.sh': 'echo ran-snippet\n' } },
  )
  try {
    const talk = await startTalk({ deck: deck.file, args: ['--profile', 'host'] })
    try {
      await page.goto(talk.link)
      await expectRun(page, 'snippet')
      for (const slide of [2, 3]) {
        await page.keyboard.press('ArrowRight')
        await expect(page).toHaveURL(new RegExp(`#/${slide}$`))
        await expectRun(page, 'imported-one')
      }
    } finally {
      await talk.stop()
    }
  } finally {
    await deck.remove()
  }
})
