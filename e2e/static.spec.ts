import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test as base } from '@playwright/test'
import { execa } from 'execa'
import { PDFDocument } from 'pdf-lib'
import sirv from 'sirv'
import { type OtherDeck, otherDeck } from './deck.ts'
import { screen, step, terminal } from './talk.ts'

const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: A talk to read
fonts: { provider: none }
favicon: 'data:,'
understudy: { cols: 60, rows: 10 }
layout: stage
steps:
  count: { capture: { last: { output: '^word (\\S+)$' } } }
---

# Count

\`\`\`sh {step=count}
for word in one two three; do echo word $word; sleep 0.6; done
\`\`\`

<!-- only for the presenter -->

---
layout: stage
steps:
  rent: { confirm: { warning: Costs money., type: rent } }
---

# Not rehearsed

\`\`\`sh {step=rent}
echo rented
\`\`\`

---

# Measured

It was <Measured value="count.last" />, in <Measured value="count.seconds" />, and <Measured value="rent.price" />.
`

const test = base.extend<object, { deck: OtherDeck; folder: string }>({
  folder: [
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'understudy-site-'))
      await use(folder)
      await rm(folder, { recursive: true })
    },
    { scope: 'worker' },
  ],
  deck: [
    async ({}, use) => {
      const deck = await otherDeck(slides)
      await understudy('rehearse', '--deck', deck.file)
      await use(deck)
      await deck.remove()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
})
test.describe.configure({ mode: 'serial' })

async function understudy(...args: string[]): Promise<string> {
  const { exitCode, all } = await execa(process.execPath, ['bin/understudy.js', ...args], { reject: false, all: true })
  expect(exitCode, all).toBe(0)
  return all
}

async function texts(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.(js|html)$/.test(name))
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n')
}

test('a static site replays recordings without a server under any path, and contains notes only on request', async ({
  page,
  deck,
  folder,
  browser,
}) => {
  test.setTimeout(180_000)
  const out = join(folder, 'below', 'any', 'path')
  expect(await understudy('build', deck.file, '--out', out)).toContain('Steps without a recording: rent')
  expect(await texts(out)).not.toContain('only for the presenter')
  // Only the workshop includes the editor, which is as large as everything else.
  expect(await texts(out)).not.toMatch(/monaco-editor/)

  const server = createServer(sirv(folder, { dev: true })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const foreign: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/below/any/path/`) && !/^(data|blob):/.test(request.url()))
      foreign.push(request.url())
  })
  page.on('websocket', (socket) => foreign.push(socket.url()))
  try {
    await page.goto(`${origin}/below/any/path/`)
    // Initially a terminal shows the end of its recording.
    await expect.poll(() => screen(page, 'count')).toMatch(/word one\n\s*word two\n\s*word three/)
    await expect(page.locator('.understudy-replay:visible')).toContainText('REPLAY')
    // The screen is empty for less than a second, so each frame is checked.
    const restarted = terminal(page, 'count').evaluate(
      (box) =>
        new Promise<void>((resolve) => {
          const check = () =>
            box.querySelector('.xterm-rows')?.textContent.includes('three') ? requestAnimationFrame(check) : resolve()
          check()
        }),
    )
    await step(page, 'count').getByRole('button', { name: 'Run count' }).click()
    await restarted
    await expect.poll(() => screen(page, 'count')).toContain('word three')
    await page.keyboard.press('ArrowRight')
    await expect(step(page, 'rent').getByRole('status')).toHaveText('not recorded')
    await expect(step(page, 'rent').getByRole('button', { name: 'Run rent' })).toBeDisabled()
    await page.keyboard.press('ArrowRight')
    const measured = page.locator('.understudy-measured:visible')
    await expect(measured.nth(0)).toContainText('three (host, ')
    await expect(measured.nth(1)).toContainText(/\d\.\d s \(host, /)
    await expect(measured.nth(2)).toContainText(/not measured yet: npm run rehearse -- \S*slides\.md rent/)
    expect(foreign).toEqual([])

    // On a phone with a touch screen.
    const phone = await browser.newContext({
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
      deviceScaleFactor: 3,
    })
    const phonePage = await phone.newPage()
    await phonePage.goto(`${origin}/below/any/path/#/1`)
    await expect.poll(() => screen(phonePage, 'count')).toContain('word three')
    await step(phonePage, 'count').getByRole('button', { name: 'Run count' }).tap()
    await expect(phonePage.locator('.understudy-replay:visible')).toHaveAttribute('data-playback', 'playing')
    await expect(phonePage.locator('.understudy-replay:visible')).toHaveAttribute('data-playback', 'over')
    const grid = await phonePage.locator('.xterm-screen:visible').boundingBox()
    expect(grid?.width).toBeLessThanOrEqual(390)
    await phone.close()
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
  await understudy('build', deck.file, '--out', out, '--with-notes')
  expect(await texts(out)).toContain('only for the presenter')
})

test('a directory that is not a built site is not overwritten', async ({ deck, folder }) => {
  const { exitCode, all } = await execa(process.execPath, ['bin/understudy.js', 'build', deck.file, '--out', folder], {
    reject: false,
    all: true,
  })
  expect(exitCode).toBe(1)
  expect(all).toContain('is not a built site')
})

test('an exported slide shows the end of its recording', async ({ page, deck, folder }) => {
  test.setTimeout(180_000)
  const pdf = join(folder, 'talk.pdf')
  await understudy('export', deck.file, '--out', pdf)
  const document = await PDFDocument.load(await readFile(pdf))
  expect(document.getPageCount()).toBe(3)
  expect(document.getTitle()).toBe('A talk to read')

  const pictures = join(folder, 'pictures')
  await understudy('export', deck.file, '--format', 'png', '--out', pictures)
  expect(await readdir(pictures)).toEqual(['1.png', '2.png', '3.png'])
  expect(await countDarkPixels(page, join(pictures, '1.png'))).toBeGreaterThan(500)

  const rendered = join(folder, 'rendered.png')
  const { failed } = await execa(
    'gs',
    ['-q', '-dNOPAUSE', '-dBATCH', '-dLastPage=1', '-sDEVICE=png16m', '-r144', `-sOutputFile=${rendered}`, pdf],
    { reject: false },
  )
  test.skip(failed, 'Ghostscript is not installed (apt-get install ghostscript)')
  expect(await countDarkPixels(page, rendered)).toBeGreaterThan(500)
})

/** Counts the dark pixels of the terminal on a picture of the first slide. An empty terminal has none. */
async function countDarkPixels(page: Page, file: string): Promise<number> {
  return page.evaluate(
    async (data) => {
      const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob())
      const canvas = new OffscreenCanvas(image.width, image.height)
      const context = canvas.getContext('2d')
      context?.drawImage(image, 0, 0)
      // The upper left quarter of the terminal.
      const pixels =
        context?.getImageData(image.width * 0.06, image.height * 0.3, image.width * 0.4, image.height * 0.25).data ?? []
      let dark = 0
      for (let at = 0; at < pixels.length; at += 4)
        if ((pixels[at] ?? 0) + (pixels[at + 1] ?? 0) + (pixels[at + 2] ?? 0) < 300) dark++
      return dark
    },
    (await readFile(file)).toString('base64'),
  )
}
