import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, type Page } from '@playwright/test'
import { execa } from 'execa'
import { freePort } from '../server/test/free-port.ts'
import { testsOf } from './deck.ts'
import { screen, step, terminal } from './talk.ts'

const port = await freePort()

/** A step that prints for a while, a step whose program is missing during the talk, and a step that serves a page. */
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

const bar = (page: Page) => page.locator('.understudy-replay:visible')

test('one key shows the recording in every window, and returns to the live terminal, which kept running', async ({
  page,
  talk,
  context,
}) => {
  await page.goto(talk.link)
  await expect(step(page, 'count').getByRole('button', { name: 'Run count' })).toBeEnabled()
  await page.keyboard.press('t')
  await expect(terminal(page, 'count').locator('textarea')).toBeFocused()
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
  // The live terminal receives no input during the replay.
  await page.keyboard.press('t')
  await expect(terminal(page, 'count').locator('textarea')).toBeFocused()
  await page.keyboard.type('echo typed\n')
  await page.keyboard.press('Shift+Escape')
  await page.keyboard.press('l')
  for (const window of [page, ...others]) {
    await expect(bar(window)).toBeHidden()
    // The command kept running in the meantime.
    await expect.poll(() => screen(window, 'count')).toMatch(/live \d{2}/)
  }
  await expect.poll(() => screen(page, 'count')).not.toContain('typed')
  await page.keyboard.press('t')
  await expect(page.locator('.xterm textarea:focus')).toBeAttached()
  await page.keyboard.press('Control+c')
  await page.keyboard.press('Shift+Escape')
  for (const other of others) await other.close()
})

test('"next" plays a paused replay from pause to pause, and turns the slide at its end', async ({ page, talk }) => {
  await page.goto(talk.link)
  await step(page, 'count').getByRole('button', { name: 'Replay count' }).click()
  const button = (name: string) => bar(page).getByRole('button', { name })
  const playback = () => bar(page).getAttribute('data-playback')
  // Plays slowly from the start until paused, so that no output has been shown yet, even on a busy machine.
  await button('Skip to the end of the replay').click()
  await expect.poll(playback).toBe('over')
  for (let click = 0; click < 2; click++) await button('Slow down the replay').click()
  await page.keyboard.press('k')
  await expect.poll(playback).toBe('playing')
  await page.keyboard.press('k')
  await expect.poll(playback).toBe('paused')
  for (let click = 0; click < 2; click++) await button('Speed up the replay').click()
  // Collects every later state of the bar, because a state that is read after a key press may predate the key press.
  const states = await bar(page).evaluateHandle((bar: HTMLElement) => {
    const states: string[] = []
    new MutationObserver(() => states.push(bar.dataset.playback ?? '')).observe(bar, {
      attributeFilter: ['data-playback'],
    })
    return states
  })
  let presses = 0
  for (let before: string[] = []; before.at(-1) !== 'over'; before = await states.jsonValue(), presses++) {
    await page.keyboard.press('ArrowRight')
    // An extra key press while the replay advances to its next pause.
    if (presses === 0) await page.keyboard.press('PageDown')
    await expect.poll(async () => (await states.jsonValue()).slice(before.length).at(-1)).toMatch(/paused|over/)
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

test('a measurement of a run appears on the slides at once, with the change since the rehearsal', async ({
  page,
  talk,
}) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/4`)
  const value = page.locator('.understudy-measured:visible')
  const [line, unknown] = [0, 1].map((index) => page.locator('.understudy-over-time:visible').nth(index))
  if (!line || !unknown) throw new Error('unreachable')
  await expect(value).toContainText(/1\.0 MB \(host, \d+ \w+ 20\d\d\)/)
  await expect(line).toContainText('first measurement')
  await expect(unknown).toContainText(/tool\.size over time: not measured yet\. npm run rehearse -- \S*slides\.md tool/)

  await page.goto(`${talk.origin}/1`)
  await expect(terminal(page, 'count')).toHaveAttribute('data-state', 'prompt')
  await page.keyboard.press('t')
  await expect(terminal(page, 'count').locator('textarea')).toBeFocused()
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

test('a step that fails is followed by its recording, with the reason', async ({ page, talk }) => {
  await page.goto(talk.link)
  await expect(step(page, 'count').getByRole('button', { name: 'Run count' })).toBeEnabled()
  await expect(terminal(page, 'count')).toHaveAttribute('data-state', 'prompt')
  await page.keyboard.press('t')
  await expect(terminal(page, 'count').locator('textarea')).toBeFocused()
  await page.keyboard.type('clear; touch broken\n')
  await expect.poll(() => screen(page, 'count')).not.toContain('live')
  await expect(terminal(page, 'count')).toHaveAttribute('data-state', 'prompt')
  await page.keyboard.press('Shift+Escape')
  await page.keyboard.press('r')
  await expect(step(page, 'count')).toHaveAttribute('data-state', 'failed')
  await expect(bar(page)).toContainText('The exit status is 1')
  await expect.poll(() => screen(page, 'count')).toContain('three')
  await page.keyboard.press('l')
  await expect.poll(() => screen(page, 'count')).toContain('oh no')
})

test('running a step whose program is not installed shows its recording', async ({ page, talk }) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/2`)
  await expect(step(page, 'tool')).toHaveAttribute('data-state', 'unavailable')
  await step(page, 'tool').getByRole('button', { name: 'Run tool' }).click()
  await expect(bar(page)).toContainText('understudy-demo-tool is not installed')
  await expect.poll(() => screen(page, 'tool')).toContain('the tool has run')
})

test('the buttons of a replay pause, speed up and skip the replay, and the thumbnail replaces the page', async ({
  page,
  talk,
}) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/3`)
  await step(page, 'serve').getByRole('button', { name: 'Replay serve' }).click()
  await expect(bar(page)).toBeVisible()
  await bar(page).getByRole('button', { name: 'Skip to the end of the replay' }).click()
  const thumbnail = page.getByRole('img', { name: 'Recorded page of serve' })
  await expect(thumbnail).toBeVisible()
  expect(await thumbnail.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(960)

  await page.goto(`${talk.origin}/1`)
  await step(page, 'count').getByRole('button', { name: 'Replay count' }).click()
  await bar(page).getByRole('button', { name: 'Pause the replay' }).click()
  await expect(bar(page).getByRole('button', { name: 'Play the replay' })).toBeVisible()
  await bar(page).getByRole('button', { name: 'Speed up the replay' }).click()
  await expect(bar(page)).toContainText('2×')
  await bar(page).getByRole('button', { name: 'Skip to the end of the replay' }).click()
  await expect.poll(() => screen(page, 'count')).toContain('three')
  await bar(page).getByRole('button', { name: 'Live terminal of count' }).click()
  await expect(bar(page)).toBeHidden()
})

test("the doctor lists missing requirements and stale recordings in the presenter's window", async ({
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
  await expect(doctor.getByRole('heading', { name: 'Ready', exact: true })).toBeVisible()
  await expect(doctor).toContainText('The program understudy-demo-tool is not installed.')
  await expect(doctor).toContainText('Stale: the command changed')
  await expect(doctor.locator('tr', { hasText: 'tool' }).first()).toContainText('replay only')
})
