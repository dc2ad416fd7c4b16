import { expect } from '@playwright/test'
import { testsOf } from './deck.ts'
import { systemFonts, terminalOverflow } from './layout-checks.ts'
import { screen, step, terminal } from './talk.ts'

const bullets = (count: number) => Array.from({ length: count }, (_, index) => `- Point ${index + 1}`).join('\n')

/** A deck without fonts of its own. Its terminals are on layouts that leave them different amounts of space. */
const slides = `---
theme: none
addons: [slidev-addon-understudy]
fonts: { provider: none }
understudy: { cols: 80, rows: 16 }
layout: stage
---

# Symbols

\`\`\`sh {step=symbols terminal=symbols}
printf '❯ ─│┌┐ █░ ←→ ✓✔✗✖●○★ ⠋⠙ λ ≤ … é я\\n'
\`\`\`

---

# A terminal below a list

${bullets(4)}

\`\`\`sh {step=lines terminal=below}
seq 1 60
\`\`\`

<Terminal name="below" />

A line below the terminal.

---
layout: two-cols
---

# A terminal in a column

${bullets(3)}

::right::

\`\`\`sh {step=column terminal=column}
seq 1 60
\`\`\`

<div>
<Terminal name="column" />
</div>

---
layout: stage
---

# A terminal with little space

${bullets(8)}

\`\`\`sh {step=little terminal=little}
seq 1 60
\`\`\`
`

const test = testsOf(slides)

test('terminals and commands use the fonts that the addon brings, symbols included', async ({ page, talk }) => {
  await page.goto(talk.link)
  await step(page, 'symbols').getByRole('button', { name: 'Run symbols' }).click()
  await expect(step(page, 'symbols')).toHaveAttribute('data-state', 'succeeded')
  await expect.poll(() => screen(page, 'symbols')).toMatch(/^❯ ─│┌┐ █░ ←→ ✓✔✗✖●○★ ⠋⠙ λ ≤ … é я$/m)
  await expect.poll(() => systemFonts(page, '[data-terminal="symbols"] *')).toEqual([])
  await expect.poll(() => systemFonts(page, '.understudy-command code *')).toEqual([])
})

for (const [slide, name] of [
  [2, 'below'],
  [3, 'column'],
] as const)
  test(`the terminal "${name}" fills the space that its slide has left, and shows its last line`, async ({
    page,
    talk,
  }) => {
    await page.goto(talk.link)
    for (const viewport of [
      { width: 1280, height: 720 },
      { width: 1024, height: 768 },
      { width: 3840, height: 2160 },
      // The size of a page on a screen of 1280 × 720 at a zoom of 200 %.
      { width: 640, height: 360 },
    ]) {
      await page.setViewportSize(viewport)
      await page.goto(`${talk.origin}/${slide}`)
      await expect(terminal(page, name).locator('.xterm-rows')).toBeVisible()
      await expect.poll(() => terminalOverflow(page, name)).toEqual([])
      const { height = 0 } = (await terminal(page, name).boundingBox()) ?? {}
      const { height: page_ = 1 } = (await page.locator(`.slidev-page-${slide}`).boundingBox()) ?? {}
      expect(height / page_, `${viewport.width} × ${viewport.height}`).toBeGreaterThan(0.25)
    }
  })

test('the presenter is warned of a terminal whose text is too small, and the audience is not', async ({
  page,
  talk,
}) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/4`)
  await expect(terminal(page, 'little').locator('.xterm-rows')).toBeVisible()
  await expect(page.getByText(/hard to read from the back/)).toHaveCount(0)
  await page.goto(`${talk.origin}/presenter/4`)
  await expect(terminal(page, 'little').getByText(/Text of \d+ px is hard to read from the back/)).toBeVisible()
  await page.goto(`${talk.origin}/presenter/1`)
  await expect(terminal(page, 'symbols').locator('.xterm-rows')).toBeVisible()
  await expect(page.getByText(/hard to read from the back/)).toHaveCount(0)
})
