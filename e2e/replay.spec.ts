import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from '@playwright/test'
import { execa } from 'execa'
import { freePort } from '../server/test/free-port.ts'
import { testsOf } from './deck.ts'
import { screen, step, terminal } from './talk.ts'

const port = await freePort()

/** A step that serves a page until it is interrupted, one that prints for a while, and one whose program is gone on the day. */
const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: A talk with an understudy
fonts: { provider: none }
understudy: { cols: 60, rows: 10 }
layout: stage
steps:
  count:
    fallback: [failure]
    expect: { output: three }
    capture: { size: { script: cat size || echo 1000000, unit: bytes, label: Size } }
---

# Count

\`\`\`sh {step=count}
if [ -e broken ]; then echo oh no; (exit 1); else for word in one two three; do echo $word; sleep 0.6; done; fi
\`\`\`

---
layout: stage
steps:
  tool:
    needs: { programs: [understudy-demo-tool] }
    fallback: [missing]
---

# Tool

\`\`\`sh {step=tool}
understudy-demo-tool
\`\`\`

---
layout: stage
steps:
  serve:
    needs: { ports: [${port}] }
    ready: { http: 'http://127.0.0.1:${port}/', contains: served }
---

# Serve

\`\`\`sh {step=serve}
node -e 'require("http").createServer((_, r) => r.end("<h1>served</h1>")).listen(${port}, "127.0.0.1")'
\`\`\`

---

# Measured

<Measured value="count.size" />

<MeasuredOverTime value="count.size" />

<MeasuredOverTime value="tool.size" />
`

const test = testsOf(slides, {
  prepare: async (deck) => {
    const tools = join(dirname(deck.file), 'tools')
    await mkdir(tools)
    await writeFile(join(tools, 'understudy-demo-tool'), '#!/bin/sh\necho the tool has run\n')
    await chmod(join(tools, 'understudy-demo-tool'), 0o755)
    const rehearsal = await execa(
      process.execPath,
      ['bin/understudy.js', 'rehearse', '--deck', deck.file, '--json', join(dirname(deck.file), 'report.json')],
      {
        env: { PATH: `${tools}:${process.env.PATH}` },
        reject: false,
        all: true,
      },
    )
    expect(rehearsal.exitCode, rehearsal.all).toBe(0)
    expect(rehearsal.all).toContain('3 passed, 0 failed, 0 not run')
    await rm(tools, { recursive: true })
  },
})
test.describe.configure({ mode: 'serial' })

const bar = (page: import('@playwright/test').Page) => page.locator('.understudy-replay:visible')

test('one key puts the recording in place of the live terminal, in every window, and the same key takes it back', async ({
  page,
  talk,
  context,
}) => {
  await page.goto(talk.link)
  await expect(step(page, 'count').getByRole('button', { name: 'Run count' })).toBeEnabled()
  await page.keyboard.press('t')
  await page.keyboard.type('for i in $(seq 400); do echo live $i; sleep 0.05; done\n')
  await expect.poll(() => screen(page, 'count')).toContain('live 3')
  await page.keyboard.press('Shift+Escape')
  const others = [await context.newPage(), await context.newPage()]
  for (const other of others) {
    await other.goto(`${talk.origin}/1`)
    await expect.poll(() => screen(other, 'count')).toMatch(/live \d/)
  }

  await page.keyboard.press('l')
  for (const window of [page, ...others]) {
    await expect(bar(window)).toContainText('REPLAY')
    await expect(bar(window)).toContainText('host')
    await expect.poll(() => screen(window, 'count')).toMatch(/one\n\s*two\n\s*three/)
    expect(await screen(window, 'count')).not.toContain('live')
  }
  // Nobody types blindly behind it.
  await page.keyboard.press('t')
  await page.keyboard.type('echo typed\n')
  await page.keyboard.press('Shift+Escape')
  await page.keyboard.press('l')
  for (const window of [page, ...others]) {
    await expect(bar(window)).toBeHidden()
    // What ran went on meanwhile.
    await expect.poll(() => screen(window, 'count')).toMatch(/live \d{2}/)
  }
  await expect.poll(() => screen(page, 'count')).not.toContain('typed')
  await page.keyboard.press('t')
  await page.keyboard.press('Control+c')
  await page.keyboard.press('Shift+Escape')
  for (const other of others) await other.close()
})

test('while a replay is paused, "next" plays it from pause to pause, and turns the slide once it is over', async ({
  page,
  talk,
}) => {
  await page.goto(talk.link)
  await step(page, 'count').getByRole('button', { name: 'Replay count' }).click()
  const button = (name: string) => bar(page).getByRole('button', { name })
  const playback = () => bar(page).getAttribute('data-playback')
  // From its start, and slowly until it is paused: on a busy machine too, nothing has been shown by then.
  await button('Show the end of the replay').click()
  await expect.poll(playback).toBe('over')
  for (let click = 0; click < 2; click++) await button('Slow the replay down').click()
  await page.keyboard.press('k')
  await expect.poll(playback).toBe('playing')
  await page.keyboard.press('k')
  await expect.poll(playback).toBe('paused')
  for (let click = 0; click < 2; click++) await button('Speed the replay up').click()
  // All that the bar says from now on: what is read after a press may still be what was before it.
  const said = await bar(page).evaluateHandle((bar: HTMLElement) => {
    const said: string[] = []
    new MutationObserver(() => said.push(bar.dataset.playback ?? '')).observe(bar, {
      attributeFilter: ['data-playback'],
    })
    return said
  })
  let presses = 0
  for (let before: string[] = []; before.at(-1) !== 'over'; before = await said.jsonValue(), presses++) {
    await page.keyboard.press('ArrowRight')
    // One press too many, while it plays to the next pause.
    if (presses === 0) await page.keyboard.press('PageDown')
    await expect.poll(async () => (await said.jsonValue()).slice(before.length).at(-1)).toMatch(/paused|over/)
    expect(new URL(page.url()).pathname).toBe('/1')
  }
  expect(presses).toBeGreaterThan(1)
  await expect.poll(() => screen(page, 'count')).toContain('three')
  await page.keyboard.press('ArrowRight')
  await expect(page).toHaveURL(/\/2/)
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('l')
  await expect(bar(page)).toBeHidden()
})

test('what a run in the talk measures stands on the slides at once, beside what was measured before', async ({
  page,
  talk,
}) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/4`)
  const value = page.locator('.understudy-measured:visible')
  const [line, unknown] = [0, 1].map((index) => page.locator('.understudy-over-time:visible').nth(index))
  if (!line || !unknown) throw new Error('unreachable')
  await expect(value).toContainText(/1\.0 MB \(host, \d+ \w+ 20\d\d\)/)
  await expect(line).toContainText('the first measurement')
  await expect(unknown).toContainText('tool.size over time: not measured yet. npm run rehearse -- tool')

  await page.goto(`${talk.origin}/1`)
  await expect(terminal(page, 'count')).toHaveAttribute('data-state', 'prompt')
  await page.keyboard.press('t')
  await page.keyboard.type("clear; echo 3000000 > size; echo wri''tten\n")
  await expect.poll(() => screen(page, 'count')).toContain('written')
  await page.keyboard.press('Shift+Escape')
  await expect(terminal(page, 'count')).toHaveAttribute('data-state', 'prompt')
  await page.keyboard.press('r')
  await expect(step(page, 'count')).toHaveAttribute('data-state', 'succeeded')
  await page.goto(`${talk.origin}/4`)
  await expect(value).toContainText('3.0 MB (host, just now)')
  await expect(line).toContainText('+2.0 MB (+200.0 %) since')
  await expect(line.getByRole('img')).toHaveAccessibleName(/1\.0 MB, .* 3\.0 MB$/)
})

test('a step that fails on stage is followed by its recording, which says why it is there', async ({ page, talk }) => {
  await page.goto(talk.link)
  await expect(step(page, 'count').getByRole('button', { name: 'Run count' })).toBeEnabled()
  await expect(terminal(page, 'count')).toHaveAttribute('data-state', 'prompt')
  await page.keyboard.press('t')
  await page.keyboard.type('clear; touch broken\n')
  await expect.poll(() => screen(page, 'count')).not.toContain('live')
  await expect(terminal(page, 'count')).toHaveAttribute('data-state', 'prompt')
  await page.keyboard.press('Shift+Escape')
  await page.keyboard.press('r')
  await expect(step(page, 'count')).toHaveAttribute('data-state', 'failed')
  await expect(bar(page)).toContainText('Its exit status is 1')
  await expect.poll(() => screen(page, 'count')).toContain('three')
  await page.keyboard.press('l')
  await expect.poll(() => screen(page, 'count')).toContain('oh no')
})

test('a step whose program is not there shows its recording when it is run', async ({ page, talk }) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/2`)
  await expect(step(page, 'tool')).toHaveAttribute('data-state', 'unavailable')
  await step(page, 'tool').getByRole('button', { name: 'Run tool' }).click()
  await expect(bar(page)).toContainText('understudy-demo-tool is not installed')
  await expect.poll(() => screen(page, 'tool')).toContain('the tool has run')
})

test('a replay is paused, stepped, sped up and skipped; the page is there as the picture that was taken', async ({
  page,
  talk,
}) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/3`)
  await step(page, 'serve').getByRole('button', { name: 'Replay serve' }).click()
  await expect(bar(page)).toBeVisible()
  await bar(page).getByRole('button', { name: 'Show the end of the replay' }).click()
  const picture = page.getByRole('img', { name: 'The page of serve, as it was when it was recorded' })
  await expect(picture).toBeVisible()
  expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(960)

  await page.goto(`${talk.origin}/1`)
  await step(page, 'count').getByRole('button', { name: 'Replay count' }).click()
  await bar(page).getByRole('button', { name: 'Pause the replay' }).click()
  await expect(bar(page).getByRole('button', { name: 'Play the replay' })).toBeVisible()
  await bar(page).getByRole('button', { name: 'Speed the replay up' }).click()
  await expect(bar(page)).toContainText('2×')
  await bar(page).getByRole('button', { name: 'Show the end of the replay' }).click()
  await expect.poll(() => screen(page, 'count')).toContain('three')
  await bar(page).getByRole('button', { name: 'Live terminal of count' }).click()
  await expect(bar(page)).toBeHidden()
})

test("the doctor tells in the presenter's window what is missing, and which recordings are stale", async ({
  page,
  talk,
  deck,
}) => {
  await deck.write(slides.replace('echo oh no', 'echo oh dear'))
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/presenter/1`)
  const button = page.locator('.understudy-doctor-open')
  await expect(button).toContainText('1 stale', { timeout: 60_000 })
  await button.click()
  const doctor = page.getByRole('dialog', { name: 'Doctor' })
  await expect(doctor).toContainText('The talk can be given')
  await expect(doctor).toContainText('The program understudy-demo-tool is not installed.')
  await expect(doctor).toContainText('Stale: the command changed')
  await expect(doctor.locator('tr', { hasText: 'tool' }).first()).toContainText('replay only')
})
