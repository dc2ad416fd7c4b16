import { type Browser, expect, type Page } from '@playwright/test'
import jsqr from 'jsqr'
import { localAddress } from '../server/environment/network.ts'
import { testsOf } from './deck.ts'
import { screen, step, type Talk, terminal } from './talk.ts'

/** The talk on the local network: the audience sees everything and controls nothing. */

const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: A shared talk
understudy: { cols: 60, rows: 10 }
fonts: { provider: none }
layout: stage
---

# The first slide

\`\`\`sh {step=hello terminal=one}
echo hello from the stage
\`\`\`

\`\`\`sh {step=long terminal=long}
echo started; sleep 4321
\`\`\`

---
clicks: 2
---

# The second slide

<ShareLink />

---

# The third slide
`

// Without a network, another loopback address replaces this machine's address.
const share = (await localAddress()) ? ['--share'] : ['--share-address', '127.0.0.2']
const test = testsOf(slides, { args: ['--profile', 'host', ...share] })
test.describe.configure({ mode: 'serial' })

const audienceLink = (talk: Talk) => /Audience\s+(http:\S+)/.exec(talk.output())?.[1] ?? ''

/** Opens a link in another browser context, without the presenter's cookie. */
async function openInNewContext(browser: Browser, link: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage()
  await page.goto(link)
  return page
}

/** Decodes the QR code in an element. @returns its text; undefined if the code is invalid */
async function scanQrCode(page: Page, selector: string): Promise<string | undefined> {
  const { size, pixels } = await page
    .locator(`${selector} svg`)
    .first()
    .evaluate(async (svg) => {
      const size = 400
      const copy = svg.cloneNode(true) as SVGElement
      for (const side of ['width', 'height']) copy.setAttribute(side, String(size))
      const image = new Image()
      image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`
      await image.decode()
      const canvas = Object.assign(document.createElement('canvas'), { width: size, height: size }).getContext('2d')
      if (!canvas) throw new Error('no canvas')
      canvas.fillStyle = '#fff'
      canvas.fillRect(0, 0, size, size)
      canvas.drawImage(image, 0, 0)
      return { size, pixels: [...canvas.getImageData(0, 0, size, size).data] }
    })
  const decode = ((jsqr as unknown as { default?: typeof jsqr }).default ?? jsqr) as unknown as (
    data: Uint8ClampedArray,
    width: number,
    height: number,
  ) => { data: string } | null
  return decode(new Uint8ClampedArray(pixels), size, size)?.data
}

test('the audience sees what the presenter types and runs, and its own input is rejected', async ({
  page,
  talk,
  browser,
}) => {
  const link = audienceLink(talk)
  expect(new URL(link).hostname).not.toBe('localhost')
  const audience = await openInNewContext(browser, link)
  await expect(audience.getByRole('heading', { name: 'The first slide' })).toBeVisible()
  expect(audience.url()).not.toContain('token')
  await expect(audience.getByText('audience · view-only')).toBeVisible()
  await expect(audience.getByText(`shared on ${new URL(link).host}`)).toBeVisible()

  await page.goto(talk.link)
  await expect(page.getByText(`shared on ${new URL(link).host}`)).toBeVisible()
  await page.getByRole('button', { name: 'Run hello' }).click()
  await expect(step(audience, 'hello')).toHaveAttribute('data-state', 'succeeded')
  await terminal(page, 'one').locator('.xterm').click()
  await page.keyboard.type('echo "typed $((40 + 2))"\n')
  await expect.poll(() => screen(audience, 'one')).toMatch(/^typed 42$/m)
  await expect.poll(() => screen(audience, 'one')).toBe(await screen(page, 'one'))

  await expect(step(audience, 'hello').getByRole('button', { name: /Run|Restart/ })).toHaveCount(0)
  await terminal(audience, 'one').locator('.xterm').click()
  await audience.keyboard.type('echo intruder\n')
  await audience.keyboard.press('Shift+Escape')
  await audience.keyboard.press('r')
  // The server checks permissions, so messages that bypass the page on a separate websocket are refused, too.
  const answers = await audience.evaluate(async () => {
    const socket = new WebSocket('/understudy/socket')
    await new Promise((resolve) => (socket.onopen = resolve))
    const refusals: string[] = []
    const refused = new Promise<void>((resolve) => {
      socket.onmessage = ({ data }) => {
        if (typeof data !== 'string' || (JSON.parse(data) as { type: string }).type !== 'refused') return
        if (refusals.push((JSON.parse(data) as { refusal: { kind: string } }).refusal.kind) === 3) resolve()
      }
    })
    for (const message of [
      { type: 'input', terminal: 'one', data: 'echo intruder\r' },
      { type: 'interrupt', terminal: 'one' },
      { type: 'sync', channel: 'x', state: {} },
    ])
      socket.send(JSON.stringify(message))
    await refused
    socket.close()
    return refusals
  })
  expect(answers).toEqual(['not-allowed', 'not-allowed', 'not-allowed'])
  await page.keyboard.type('echo "next $((1 + 1))"\n')
  await expect.poll(() => screen(audience, 'one')).toMatch(/^next 2$/m)
  expect(await screen(page, 'one')).not.toContain('intruder')
  await audience.context().close()
})

test("the presenter's token is rejected on the network, and the audience's token is view-only on this machine", async ({
  browser,
  talk,
}) => {
  const { host } = new URL(audienceLink(talk))
  const presenter = new URL(talk.link)
  const page = await (await browser.newContext()).newPage()
  expect((await page.goto(`http://${host}/${presenter.search}`))?.status()).toBe(401)
  const audience = await openInNewContext(browser, `${talk.origin}/${new URL(audienceLink(talk)).search}`)
  await expect(audience.getByText('audience · view-only')).toBeVisible()
  for (const each of [page, audience]) await each.context().close()
})

test('the audience follows every window that turns the slides, and turns no other window', async ({
  page,
  talk,
  browser,
}) => {
  const audience = await openInNewContext(browser, audienceLink(talk))
  await page.goto(talk.link)
  await expect(page.getByRole('heading', { name: 'The first slide' })).toBeVisible()
  await page.keyboard.press('PageDown')
  await expect(page.getByRole('heading', { name: 'The second slide' })).toBeVisible()
  await expect(audience.getByRole('heading', { name: 'The second slide' })).toBeVisible()
  await audience.keyboard.press('ArrowDown')
  await expect(audience.getByRole('heading', { name: 'The third slide' })).toBeVisible()
  await page.keyboard.press('ArrowUp')
  await expect(audience.getByRole('heading', { name: 'The first slide' })).toBeVisible()
  await expect(page.getByRole('heading', { name: 'The first slide' })).toBeVisible()
  await audience.context().close()
})

test('the QR codes on a slide, over the slides and in the presenter’s bar contain the links', async ({
  page,
  talk,
  browser,
}) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/2`)
  await expect.poll(() => scanQrCode(page, '#slideshow [data-link="audience"]')).toBe(audienceLink(talk))

  await page.goto(`${talk.origin}/1`)
  const audience = await openInNewContext(browser, audienceLink(talk))
  await expect(audience.getByRole('heading', { name: 'The first slide' })).toBeVisible()
  await expect(page.getByRole('heading', { name: 'The first slide' })).toBeVisible()
  await page.keyboard.press('q')
  await expect(page.locator('.understudy-share-overlay')).toBeVisible()
  await expect.poll(() => scanQrCode(audience, '.understudy-share-overlay')).toBe(audienceLink(talk))
  await page.keyboard.press('q')
  await expect(page.locator('.understudy-share-overlay')).toBeHidden()
  await audience.context().close()

  await page.goto(`${talk.origin}/presenter/1`)
  await page.getByRole('button', { name: 'Share' }).click()
  const remote = await scanQrCode(page, '[data-link="remote"]')
  expect(remote).toContain('/remote?token=')
  expect(new URL(remote ?? '').host).toBe(new URL(audienceLink(talk)).host)
})

test('a remote control turns slides and runs steps on this machine, and is view-only on the network', async ({
  page,
  talk,
  browser,
}) => {
  await page.goto(talk.link)
  await page.goto(`${talk.origin}/presenter/1`)
  await page.getByRole('button', { name: 'Share' }).click()
  const link = (await page.locator('[data-link="remote"] figcaption').textContent()) ?? ''
  const stage = await page.context().newPage()
  await stage.goto(`${talk.origin}/1`)

  const remote = await openInNewContext(browser, link.replace(new URL(link).host, new URL(talk.origin).host))
  await expect(remote.getByRole('heading', { name: 'Slide 1 of 3' })).toBeVisible()
  await remote.locator('[data-step="long"]').getByRole('button', { name: 'Run' }).click()
  await expect(step(stage, 'long')).toHaveAttribute('data-state', 'running')
  await remote.locator('[data-step="long"]').getByRole('button', { name: 'Interrupt' }).click()
  await expect(step(stage, 'long')).toHaveAttribute('data-state', 'failed')

  const next = remote.getByRole('button', { name: 'Next' })
  for (const [slide, clicks] of [
    [2, 0],
    [2, 1],
    [2, 2],
    [3, 0],
  ] as const) {
    await next.click()
    for (const window of [stage, page]) {
      await expect.poll(() => new URL(window.url()).pathname).toMatch(new RegExp(`/${slide}$`))
      await expect.poll(() => Number(new URL(window.url()).searchParams.get('clicks') ?? 0)).toBe(clicks)
    }
  }
  await remote.getByRole('button', { name: 'Back' }).click()
  await expect(remote.getByRole('heading', { name: 'Slide 2 of 3' })).toBeVisible()
  for (const window of [stage, page]) await expect.poll(() => new URL(window.url()).pathname).toMatch(/\/2$/)

  const onNetwork = await openInNewContext(browser, link)
  await expect(onNetwork.getByRole('status')).toContainText('plain HTTP')
  await expect(onNetwork.getByRole('button', { name: 'Next' })).toBeDisabled()
  for (const each of [remote, onNetwork]) await each.context().close()
})
