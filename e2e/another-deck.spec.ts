import { rename } from 'node:fs/promises'
import { expect, type Page } from '@playwright/test'
import type { Terminal } from '@xterm/xterm'
import { freePort } from '../server/test/free-port.ts'
import { testsOf } from './deck.ts'
import { screen, step, terminal } from './talk.ts'

const port = await freePort()
const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: Another talk
duration: 6min
understudy: { cols: 60, rows: 10 }
layout: stage
runOnNext: true
pace: 1m
---

# Two steps

\`\`\`sh {step=first terminal=one}
echo first
\`\`\`

\`\`\`sh {step=second terminal=one}
until [ -e proceed ]; do sleep 1; done; rm proceed; echo second
\`\`\`

---
layout: stage
pace: 2m
---

# The same terminal

\`\`\`sh {step=third terminal=one}
echo third
\`\`\`

---
layout: stage
pace: 2m
steps:
  rent:
    inputs:
      host: { label: Address, pattern: '[0-9.]+', placeholder: 192.0.2.1 }
    confirm: { warning: This costs money., type: rent }
---

# A confirmation

\`\`\`sh {step=rent}
echo rented {{host}}
\`\`\`

---
layout: stage
pace: 1m
steps:
  serve:
    ready: { http: 'http://127.0.0.1:${port}/', contains: served }
---

# A page

\`\`\`sh {step=serve}
node -e 'require("http").createServer((_, r) => r.end("<h1>served</h1>")).listen(${port}, "127.0.0.1")'
\`\`\`
`

const test = testsOf(slides, { args: [] })
test.describe.configure({ mode: 'serial' })

test('"next" runs the steps of a slide in order, waits once for a running step, then turns the slide', async ({
  page,
  talk,
}) => {
  await page.goto(talk.link)
  await expect(step(page, 'first')).toHaveAttribute('data-state', 'idle')
  await page.keyboard.press('PageDown')
  await expect(step(page, 'first')).toHaveAttribute('data-state', 'succeeded')
  await page.keyboard.press('ArrowRight')
  await expect(step(page, 'second')).toHaveAttribute('data-state', 'running')
  expect(new URL(page.url()).pathname).toBe('/1')
  await terminal(page, 'one').locator('.xterm').click()
  await page.keyboard.press('PageDown')
  await expect.poll(() => new URL(page.url()).pathname).toBe('/2')

  // The next slide shows the same terminal.
  await expect.poll(() => screen(page, 'one')).toContain('first')
  await page.keyboard.press('PageUp')
  await expect.poll(() => new URL(page.url()).pathname).toBe('/1')
  await expect.poll(() => screen(page, 'one')).toContain('first')
})

test('an edit that breaks or removes the deck stops no step, and the edit that fixes it is shown', async ({
  page,
  talk,
  deck,
  context,
}) => {
  test.setTimeout(180_000)
  await page.goto(talk.link)
  await expect(step(page, 'second')).toHaveAttribute('data-state', 'running')
  await deck.write(slides.replace('step=third', 'step=first'))
  // Only the presenter sees the reason.
  const presenter = await context.newPage()
  await presenter.goto(`${talk.origin}/presenter/1`)
  await expect(presenter.getByText(/step "first" already exists/)).toBeVisible()
  await expect(page.getByText("The edited deck has errors. See the presenter's window.")).toBeVisible()
  await expect(page.getByText(/already exists/)).toHaveCount(0)
  await rename(deck.file, `${deck.file}.away`)
  await expect(presenter.getByText(/file not found/)).toBeVisible()
  await presenter.close()
  await expect(step(page, 'second')).toHaveAttribute('data-state', 'running')

  await deck.write(slides.replace('# Two steps', '# Two better steps'))
  await expect(page.getByRole('heading', { name: 'Two better steps' })).toBeVisible({ timeout: 120_000 })
  await expect(page.getByText(/The edited deck has errors/)).toBeHidden()
  await expect(step(page, 'second')).toHaveAttribute('data-state', 'running')
  await expect.poll(() => screen(page, 'one')).toContain('first')
})

test('keys interrupt a step, focus the terminal and run the step again', async ({ page, talk }) => {
  await page.goto(talk.link)
  await expect(step(page, 'second')).toHaveAttribute('data-state', 'running')
  await page.keyboard.press('i')
  await expect(step(page, 'second')).toHaveAttribute('data-state', 'failed')
  await expect(step(page, 'second').getByRole('status')).toHaveText('failed, exit 130')

  await page.keyboard.press('t')
  await expect(terminal(page, 'one').locator('textarea')).toBeFocused()
  await page.keyboard.type('touch proceed\n')
  // A step cannot run before the shell is back at its prompt.
  await expect.poll(() => screen(page, 'one')).toMatch(/touch proceed\n.*❯/)
  await page.keyboard.press('Shift+Escape')
  // Keys with modifiers belong to the browser and the shell.
  await page.keyboard.press('Control+c')
  await page.keyboard.press('Alt+r')
  await expect(step(page, 'second')).toHaveAttribute('data-state', 'failed')
  await page.keyboard.press('r')
  await expect(step(page, 'second')).toHaveAttribute('data-state', 'succeeded')
  expect(await screen(page, 'one')).toMatch(/^second$/m)
})

test('a step that is refused because its terminal is busy offers to interrupt the running command', async ({
  page,
  talk,
}) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/2`)
  await expect(step(page, 'third').getByRole('button', { name: 'Run third' })).toBeEnabled()
  await page.keyboard.press('t')
  await expect(terminal(page, 'one').locator('textarea')).toBeFocused()
  await page.keyboard.type('sleep 4321\n')
  await expect.poll(() => screen(page, 'one')).toMatch(/sleep 4321\n/)
  await page.keyboard.press('Shift+Escape')
  await page.keyboard.press('r')
  await expect(step(page, 'third').getByRole('alert')).toContainText('Terminal "one" is busy')
  await page.keyboard.press('i')
  // The refusal disappears once the terminal is free.
  await expect(step(page, 'third').getByRole('alert')).toBeHidden()
  await page.keyboard.press('r')
  await expect(step(page, 'third')).toHaveAttribute('data-state', 'succeeded')
})

test('moving the pointer off the page of a step returns the keys to the deck', async ({ page, talk }) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/4`)
  await step(page, 'serve').getByRole('button', { name: 'Run serve' }).click()
  await expect(step(page, 'serve')).toHaveAttribute('data-state', 'ready')
  const served = page.locator('.understudy-page iframe:visible')
  await served.contentFrame().getByText('served').click()
  await expect(served).toBeFocused()
  // One fast move, so that no event reaches the caption of the page.
  await page.mouse.move(300, 650)
  // The page runs in another process, so the focus changes with a delay.
  await expect(served).not.toBeFocused()
  await page.keyboard.press('PageUp')
  await expect.poll(() => new URL(page.url()).pathname).toBe('/3')
  await page.goto(`${talk.origin}/4`)
  await step(page, 'serve').getByRole('button', { name: 'Interrupt serve' }).click()
  await expect(step(page, 'serve')).toHaveAttribute('data-state', /succeeded|failed/)
})

test('a step with a confirmation runs only with a valid input and the confirmation word', async ({ page, talk }) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/3`)
  const rent = step(page, 'rent')
  await expect(rent).toContainText('echo rented {{host}}')
  await rent.getByRole('button', { name: 'Run rent' }).click()
  await expect(rent.getByLabel('Address')).toBeFocused()
  await page.keyboard.type('not; an address')
  await rent.getByLabel(/This costs money/).fill('rent')
  await page.keyboard.press('Enter')
  await expect(rent.getByRole('alert')).toContainText(
    'Invalid value "not; an address" for "Address". Example: 192.0.2.1',
  )

  await rent.getByRole('button', { name: 'Run rent' }).click()
  await rent.getByLabel('Address').fill('192.0.2.7')
  await rent.getByLabel(/This costs money/).fill('yes')
  await page.keyboard.press('Enter')
  await expect(rent.getByRole('alert')).toContainText('Type "rent" to continue')
  await expect(rent).toHaveAttribute('data-state', 'idle')

  await rent.getByRole('button', { name: 'Run rent' }).click()
  await rent.getByLabel(/This costs money/).fill('rent')
  await page.keyboard.press('Enter')
  await expect(rent).toHaveAttribute('data-state', 'succeeded')
  expect(await screen(page, 'rent')).toMatch(/^rented 192\.0\.2\.7$/m)
})

test('clicking a button does not move keyboard focus away from the deck', async ({ page, talk }) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/2`)
  await step(page, 'third').getByRole('button', { name: 'Run third' }).click()
  await expect(step(page, 'third')).toHaveAttribute('data-state', 'succeeded')
  await page.keyboard.press('PageDown')
  await expect.poll(() => new URL(page.url()).pathname).toBe('/3')
})

test('keys copy the command and restart the shell', async ({ page, talk, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: talk.origin })
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/2`)
  await expect(step(page, 'third').getByRole('button', { name: 'Run third' })).toBeEnabled()
  await page.keyboard.press('c')
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('echo third')
  await page.keyboard.press('t')
  await expect(page.locator('.xterm textarea:focus')).toBeAttached()
  await page.keyboard.type('MARK=gone\n')
  await page.keyboard.press('Shift+Escape')
  await page.keyboard.press('Shift+R')
  await expect(step(page, 'third').getByRole('button', { name: 'Run third' })).toBeEnabled()
  await expect.poll(() => screen(page, 'one')).not.toContain('MARK')
  await page.keyboard.press('t')
  await expect(page.locator('.xterm textarea:focus')).toBeAttached()
  await page.keyboard.type('echo "[$MARK]"\n')
  await expect.poll(() => screen(page, 'one')).toMatch(/^\[\]$/m)
})

test('the terminal fills its box at every window size, and a double click selects the word under the pointer', async ({
  page,
  talk,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: talk.origin })
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/2`)
  const one = terminal(page, 'one')
  await expect(one.locator('.xterm')).toBeVisible()
  await page.keyboard.press('t')
  await expect(page.locator('.xterm textarea:focus')).toBeAttached()
  await page.keyboard.type('clear; printf "%s\\n" alpha beta gamma-delta\n')
  await expect.poll(() => screen(page, 'one')).toMatch(/^gamma-delta$/m)
  const fonts = new Map<number, number | undefined>()
  for (const size of [
    { width: 1280, height: 720 },
    { width: 1920, height: 1080 },
    { width: 1024, height: 576 },
    { width: 1366, height: 768 },
    { width: 1280, height: 720 },
  ]) {
    await page.setViewportSize(size)
    const filled = () =>
      one.evaluate((box) => {
        const outer = box.getBoundingClientRect()
        const grid = box.querySelector('.xterm-screen')?.getBoundingClientRect()
        return grid ? [grid.width / outer.width, grid.height / outer.height] : [0, 0]
      })
    await expect.poll(async () => Math.max(...(await filled()))).toBeGreaterThan(0.85)
    expect(Math.max(...(await filled()))).toBeLessThanOrEqual(1)
    // The font size must not depend on earlier sizes or on when the font was loaded. Otherwise the text would jump in
    // a video that is assembled from segments.
    const font = await one.evaluate((box) => (box as HTMLElement & { terminal: Terminal }).terminal.options.fontSize)
    expect(fonts.get(size.width) ?? font).toBe(font)
    fonts.set(size.width, font)

    const rows = (await screen(page, 'one')).split('\n')
    const row = rows.findIndex((text) => text.startsWith('gamma-delta'))
    const grid = await one.locator('.xterm-screen').boundingBox()
    if (!grid) throw new Error('the terminal has no screen')
    await page.mouse.dblclick(grid.x + (grid.width / 60) * 4.5, grid.y + (grid.height / 10) * (row + 0.5))
    await page.keyboard.press('Control+Shift+C')
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('gamma-delta')
    await page.evaluate(() => navigator.clipboard.writeText('nothing'))
  }
})

test('the audience follows the presenter, whose bar shows the pace', async ({ page, talk, browser }) => {
  await page.goto(talk.link)
  // In another browser context, only the server can synchronize the windows.
  const otherBrowser = await browser.newContext()
  const audience = await otherBrowser.newPage()
  await audience.goto(talk.link)
  await expect(audience.getByRole('heading', { name: 'Two better steps' })).toBeVisible()
  await page.goto(`${talk.origin}/presenter/1`)
  const pace = page.getByRole('timer', { name: 'Pace' })
  await expect(pace).toContainText('this slide 1:00')
  await page.keyboard.press('ArrowDown')
  await expect(audience.getByRole('heading', { name: 'The same terminal' })).toBeVisible()
  await expect(pace).toContainText('this slide 2:00')
  await expect(pace).toContainText('start the timer')
  await page.locator('.bottom .group', { has: page.locator('.i-carbon\\:play') }).hover()
  await page.locator('.bottom .i-carbon\\:play').click()
  await expect(pace).toContainText(/(0:59|1:00) ahead/)
  await otherBrowser.close()
})

test('"reset the stage" stops all commands and clears the working directory', async ({ page, talk }) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/presenter/2`)
  await expect(step(page, 'third')).toBeVisible()
  await page.keyboard.press('t')
  await expect(page.locator('.xterm textarea:focus')).toBeAttached()
  await page.keyboard.type('touch left-behind; sleep 4321\n')
  await expect.poll(() => screen(page, 'one')).toContain('sleep 4321')
  page.on('dialog', (dialog) => void dialog.accept())
  await page.getByRole('button', { name: 'Reset the stage' }).click()
  await expect.poll(() => screen(page, 'one')).not.toContain('sleep 4321')
  await page.keyboard.press('t')
  await expect(page.locator('.xterm textarea:focus')).toBeAttached()
  await page.keyboard.type('clear; ls -A | wc -l; ls left-behind\n')
  await expect.poll(() => screen(page, 'one')).toContain("cannot access 'left-behind'")
})

/** Changes the messages of a window on their way to the server. Returns the number of connections so far. */
async function changeMessages(page: Page, change: (message: string) => string): Promise<() => number> {
  let connections = 0
  await page.routeWebSocket(/understudy\/socket/, (window) => {
    connections++
    const server = window.connectToServer()
    window.onMessage((message) => {
      server.send(typeof message === 'string' ? change(message) : message)
    })
  })
  return () => connections
}

test('an invalid message is reported in the window, which stays connected and can run steps', async ({
  page,
  talk,
}) => {
  const connections = await changeMessages(page, (message) =>
    message.includes('"attach"') ? '{"type":"attach"}' : message,
  )
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/2`)
  await expect(page.getByRole('alert').filter({ hasText: 'The page sent an invalid message (attach: ' })).toBeVisible()
  const before = connections()
  await step(page, 'third').getByRole('button', { name: 'Run third' }).click()
  await expect(step(page, 'third')).toHaveAttribute('data-state', 'succeeded')
  expect(connections()).toBe(before)
})

test('a window that the server does not understand reloads once, and then shows one message and does not reconnect', async ({
  page,
  talk,
}) => {
  await page.goto(talk.link)
  const connections = await changeMessages(page, (message) => (message.includes('"attach"') ? 'attach' : message))
  await page.goto(`${talk.origin}/2`)
  await expect(page.getByText('This page and its server have different versions')).toBeVisible()
  expect(connections()).toBe(2)
  // These events make a window that has lost its connection reconnect at once.
  await page.evaluate(() => {
    for (const event of ['online', 'focus', 'visibilitychange']) window.dispatchEvent(new Event(event))
  })
  await page.keyboard.press('ArrowLeft')
  await expect(page.getByRole('heading', { name: /Two (better )?steps/ })).toBeVisible()
  expect(connections()).toBe(2)
})
