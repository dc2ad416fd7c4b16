import { expect, type Page } from '@playwright/test'
import { execa } from 'execa'
import { testsOf } from './deck.ts'
import { screen, step } from './talk.ts'

/** Slides that Slidev shows in its overview and as the presenter's next slide. */

const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: Previews
understudy: { cols: 60, rows: 10 }
fonts: { provider: none }
layout: stage
---

# One

\`\`\`sh {step=one}
echo "one of $((40 + 2))"
\`\`\`

---
layout: stage
---

# Two

\`\`\`sh {step=two}
printf '\\033[32mtwo of %s\\033[0m\\n' $((80 + 4))
\`\`\`

---
layout: stage
---

# Three

\`\`\`sh {step=three}
echo three
\`\`\`
`

const test = testsOf(slides, {
  prepare: async (deck) => {
    const rehearsal = await execa(process.execPath, ['bin/understudy.js', 'rehearse', '--deck', deck.file, 'two'], {
      reject: false,
      all: true,
    })
    expect(rehearsal.exitCode, rehearsal.all).toBe(0)
  },
})
test.describe.configure({ mode: 'serial' })

const snapshot = (page: Page, name: string) => page.getByRole('img', { name: `Screen of terminal ${name}` })

/** The state of each terminal, as the server reports it to a new window. */
const terminals = (page: Page) =>
  page.evaluate(async () => {
    const socket = new WebSocket('/understudy/socket')
    const { data } = await new Promise<MessageEvent<string>>((resolve) => (socket.onmessage = resolve))
    socket.close()
    const { terminals } = JSON.parse(data) as { terminals: { name: string; state: { state: string } }[] }
    return Object.fromEntries(terminals.map(({ name, state }) => [name, state.state]))
  })

test('the preview of the next slide shows the end of its recording', async ({ page, talk }) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/presenter/1`)
  await expect(snapshot(page, 'two')).toContainText('two of 84')
  await expect(snapshot(page, 'two')).toContainText('recorded')
  await expect(snapshot(page, 'two').getByText('two of 84')).toHaveCSS('color', /rgb\((111, 208, 140|29, 122, 60)\)/)
  const box = await snapshot(page, 'two').boundingBox()
  const line = await snapshot(page, 'two').getByText('two of 84').boundingBox()
  expect((line?.width ?? 0) / (box?.width ?? 1)).toBeGreaterThan(0.05)
  await expect.poll(() => terminals(page)).toEqual({ one: 'prompt', two: 'new', three: 'new' })
})

test('the overview shows the last snapshot of each terminal and starts no shell', async ({ page, talk }) => {
  await page.goto(talk.link)
  await page.getByRole('button', { name: 'Run one' }).click()
  await expect(step(page, 'one')).toHaveAttribute('data-state', 'succeeded')
  await expect.poll(() => screen(page, 'one')).toMatch(/^one of 42$/m)
  await page.keyboard.press('o')
  await expect(snapshot(page, 'one')).toContainText('one of 42')
  await expect(snapshot(page, 'one')).not.toContainText('recorded')
  await expect(snapshot(page, 'two')).toContainText('two of 84')
  await expect(page.getByText('Terminal “three” has not been used yet').last()).toBeVisible()
  await expect.poll(() => terminals(page)).toEqual({ one: 'prompt', two: 'new', three: 'new' })
})
