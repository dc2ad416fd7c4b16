import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { type OtherDeck, otherDeck } from './deck.ts'
import { serveFolder, slidevBuild } from './site.ts'
import { screen, startTalk, step, type Talk, terminal } from './talk.ts'

/** The names of components that this addon has or had, and of its internal components. */
const NAMES = ['Terminal', 'Measured', 'ShareLink', 'Step', 'Panel', 'Lines', 'Messages', 'Files', 'History', 'Plan']

const slides = `---
theme: ../theme
addons: [slidev-addon-understudy, ./neighbor]
fonts: { provider: none }
favicon: 'data:,'
understudy: { cols: 60, rows: 10, keys: { run: x, copy: false } }
layout: stage
---

# The theme's layout

\`\`\`sh {step=here}
echo here
\`\`\`

---

# Components

${NAMES.map((name) => `<${name} value="build.size" />`).join('\n')}

<MeasuredChart :values="['build.size']" />

---
layout: understudy-stage
---

# The addon's layout

\`\`\`sh {step=there}
echo there
\`\`\`

---

# The addon's terminal

<div class="h-60"><UnderstudyTerminal /></div>
`

/** A global layer that others must not replace. */
const layer = (name: string) => `<template><div class="layer-${name}" /></template>`

const files = {
  ...Object.fromEntries(
    NAMES.map((name) => [`talk2/components/${name}.vue`, `<template><p>the deck's own ${name}</p></template>`]),
  ),
  'talk2/global-bottom.vue': layer('deck'),
  'talk2/custom-nav-controls.vue': '<template><button class="deck-control">mine</button></template>',
  'talk2/setup/main.ts': `export default ({ app }) => { app.config.globalProperties.$owner = 'deck'; document.documentElement.dataset.deck = 'set up' }`,
  'talk2/setup/shortcuts.ts': `export default (nav, base) => [...base, { key: 'l', fn: () => (document.documentElement.dataset.pressed = 'l') }]`,
  'talk2/setup/preparser.ts': `export default () => [{ name: 'deck', transformRawLines(lines) { lines.forEach((line, index) => (lines[index] = line.replace("# Components", "# Prepared components"))) } }]`,
  'talk2/setup/transformers.ts': `export default () => ({ pre: [(ctx) => { ctx.s.replace("The addon's terminal", "Transformed") }] })`,
  'theme/package.json': '{"name":"slidev-theme-own","version":"1.0.0"}',
  'theme/layouts/stage.vue': `<template><div class="slidev-layout theme-stage"><slot /></div></template>`,
  'theme/global-bottom.vue': layer('theme'),
  'neighbor/package.json': '{"name":"slidev-addon-neighbor","version":"1.0.0"}',
  'neighbor/components/MeasuredChart.vue': `<template><p>the neighbor's own MeasuredChart</p></template>`,
  'neighbor/global-bottom.vue': layer('neighbor'),
  'neighbor/setup/main.ts': `export default () => { document.documentElement.dataset.neighbor = 'set up' }`,
}

async function expectOwnThings(page: Page) {
  for (const name of NAMES) await expect(page.getByText(`the deck's own ${name}`, { exact: true })).toBeVisible()
  await expect(page.getByText("the neighbor's own MeasuredChart")).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Prepared components' })).toBeVisible()
  for (const name of ['deck', 'theme', 'neighbor']) await expect(page.locator(`.layer-${name}`)).toHaveCount(1)
  await expect(page.locator('html')).toHaveAttribute('data-deck', 'set up')
  await expect(page.locator('html')).toHaveAttribute('data-neighbor', 'set up')
  await expect(page.locator('.deck-control')).toHaveCount(1)
}

// The folder of the deck sorts after node_modules, which once decided which component was used.
let deck: OtherDeck
test.beforeAll(async () => {
  deck = await otherDeck(slides, { file: 'talk2/slides.md', files })
})
test.afterAll(() => deck.remove())

for (const command of ['start', 'dev'] as const)
  test.describe(command, () => {
    let talk: Talk
    test.beforeAll(async ({ browser }) => {
      test.setTimeout(300_000)
      talk = await startTalk({ command, deck: deck.file, args: ['--profile', 'host'] })
      // Vite compiles everything for the first window, and reloads it when it finds another package to bundle.
      const first = await browser.newPage()
      for (const path of ['', '/2', '/3', '/4']) {
        await first.goto(path === '' ? talk.link : `${talk.origin}${path}`)
        await expect(first.locator('h1:visible')).toBeVisible({ timeout: 120_000 })
      }
      await first.close()
    })
    test.afterAll(() => talk.stop())

    test(`${command}: components, layers, controls and setups of the deck, its theme and another addon work beside this addon's`, async ({
      page,
    }) => {
      await page.goto(talk.link)
      await page.goto(`${talk.origin}/2`)
      await expectOwnThings(page)
      await page.goto(`${talk.origin}/4`)
      await expect(page.getByRole('heading', { name: 'Transformed' })).toBeVisible()
    })

    test(`${command}: the theme's layout "stage" takes precedence, and "understudy-stage" is still the addon's`, async ({
      page,
    }) => {
      await page.goto(talk.link)
      await expect(page.locator('.theme-stage')).toBeVisible()
      await expect(step(page, 'here').getByRole('button', { name: 'Run here' })).toBeEnabled()
      await expect(terminal(page, 'here')).toHaveCount(0)
      await page.goto(`${talk.origin}/3`)
      await step(page, 'there').getByRole('button', { name: 'Run there' }).click()
      await expect(step(page, 'there')).toHaveAttribute('data-state', 'succeeded')
      await expect.poll(() => screen(page, 'there')).toMatch(/^there$/m)
    })

    test(`${command}: a terminal without a name on a slide without steps is a shell`, async ({ page }) => {
      await page.goto(talk.link)
      await page.goto(`${talk.origin}/4`)
      await expect(terminal(page, 'shell').locator('.xterm')).toBeVisible()
      await page.keyboard.press('t')
      await expect(terminal(page, 'shell').locator('textarea')).toBeFocused()
      await page.keyboard.type('clear; echo from-the-$((1+1))nd-shell\n')
      await expect.poll(() => screen(page, 'shell')).toContain('from-the-2nd-shell')
    })

    test(`${command}: keys that the deck sets or removes are the addon's keys and tooltips`, async ({ page }) => {
      await page.goto(talk.link)
      await page.goto(`${talk.origin}/3`)
      const there = step(page, 'there')
      await expect(there.getByRole('button', { name: 'Run there' })).toHaveAttribute('title', 'Run (x)')
      await expect(there.getByRole('button', { name: 'Copy there' })).toHaveAttribute('title', 'Copy the command')
      const before = await there.getByRole('status').textContent()
      await page.keyboard.press('r')
      await expect(there.getByRole('status')).toHaveText(before ?? '')
      await page.keyboard.press('x')
      await expect(there).toHaveAttribute('data-state', 'succeeded')
    })

    test(`${command}: a shortcut of the deck takes the addon's key, which the console and the server report`, async ({
      page,
    }) => {
      const warnings: string[] = []
      page.on('console', (message) => warnings.push(message.text()))
      await page.goto(talk.link)
      await expect(page.locator('.theme-stage')).toBeVisible()
      await page.keyboard.press('l')
      await expect(page.locator('html')).toHaveAttribute('data-pressed', 'l')
      expect(warnings.join('\n')).toContain('another setup/shortcuts.ts uses the key "l"')
      expect(talk.output()).toMatch(/setup\/shortcuts\.ts: uses the key "l"/)
      expect(talk.output()).toMatch(/components\/Terminal\.vue: replaces the component <Terminal>/)
      expect(talk.output()).not.toContain('Step.vue')
    })
  })

test('slidev on its own: a build contains the deck’s components, and nothing is said about conflicts', async ({
  page,
}) => {
  const out = join(deck.folder, 'site')
  const output = await slidevBuild(deck.file, out)
  expect(output).not.toMatch(/conflict/i)
  const site = await serveFolder(out)
  await page.goto(`${site.url}/2`)
  await expectOwnThings(page)
  site.close()
})
