import { resolve } from 'node:path'
import { load } from '@slidev/parser/fs'
import type { Page } from '@playwright/test'
import { readDeck } from '../server/deck/deck.ts'
import { slideOverflow } from './layout-checks.ts'
import { expect, test } from './talk.ts'

const file = resolve('slides.md')
const loadSlides = async () => (await load({ roots: [resolve('.')], userRoot: resolve('.') }, file)).slides

test('every slide fits the screen at every click and loads nothing from another origin', async ({ stage, talk }) => {
  test.setTimeout(300_000)
  const foreign: string[] = []
  stage.on('request', (request) => {
    if (!request.url().startsWith(talk.origin) && !/^(data|blob):/.test(request.url())) foreign.push(request.url())
  })
  const slides = await loadSlides()
  const overflowing: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await stage.emulateMedia({ colorScheme })
    await stage.goto(`${talk.origin}/1`)
    for (let address = '/1', click = 0; ;) {
      const slide = Number(/^\/(\d+)/.exec(address)?.[1])
      await expect(stage.locator(`.slidev-page-${slide}`)).toBeVisible()
      for (const found of await slideOverflow(stage, slide))
        overflowing.push(`${colorScheme} slide ${slide} click ${click}: ${found}`)
      await stage.keyboard.press('ArrowRight')
      const changed = stage.waitForFunction((before) => location.pathname + location.search !== before, address, {
        timeout: 5000,
      })
      const moved = await changed.then(
        () => true,
        () => false,
      )
      // "next" does nothing at the last click of the last slide.
      if (!moved) {
        expect(slide).toBe(slides.length)
        break
      }
      address = await stage.evaluate(() => location.pathname + location.search)
      click = Number(/clicks=(\d+)/.exec(address)?.[1] ?? 0)
    }
  }
  expect(overflowing).toEqual([])
  expect(foreign).toEqual([])
})

/** Families of the fonts that the browser has used to draw the matching elements of a slide. */
async function renderedFonts(page: Page, slide: number, selector: string): Promise<string[]> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('DOM.enable')
  await devtools.send('CSS.enable')
  const { root } = await devtools.send('DOM.getDocument', { depth: -1 })
  const { nodeIds } = await devtools.send('DOM.querySelectorAll', {
    nodeId: root.nodeId,
    selector: `.slidev-page-${slide} ${selector}`,
  })
  const families = new Set<string>()
  for (const nodeId of nodeIds) {
    const { fonts } = await devtools.send('CSS.getPlatformFontsForNode', { nodeId })
    for (const { familyName } of fonts) families.add(familyName)
  }
  await devtools.detach()
  return [...families]
}

test('fenced code and step commands are drawn in JetBrains Mono', async ({ stage, talk }) => {
  test.setTimeout(300_000)
  const slides = await loadSlides()
  const { steps } = await readDeck(file)
  const found = new Map<number, string[]>()
  for (let slide = 1; slide <= slides.length; slide++) {
    await stage.goto(`${talk.origin}/${slide}`)
    await expect(stage.locator(`.slidev-page-${slide} .slidev-layout`).first()).toBeVisible()
    await stage.evaluate(() => document.fonts.ready)
    const fonts = await renderedFonts(stage, slide, 'pre code span')
    if (fonts.length > 0) found.set(slide, fonts)
  }
  expect([...found].filter(([, fonts]) => fonts.join() !== 'JetBrains Mono')).toEqual([])
  const stepSlides = [...steps.values()].map(({ slide }) => slide)
  expect([...found.keys()]).toEqual(expect.arrayContaining(stepSlides))
  expect(found.size).toBeGreaterThan(new Set(stepSlides).size + 5)
})

test('no slide shows a placeholder', async () => {
  for (const { index, content } of await loadSlides())
    expect(content, `slide ${index + 1}`).not.toMatch(/goes here|TODO/)
})

test('the background of a slide extends to the edges of the screen', async ({ stage }) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await stage.emulateMedia({ colorScheme })
    const background = (selector: string) =>
      stage
        .locator(selector)
        .first()
        .evaluate((element) => getComputedStyle(element).backgroundColor)
    await expect
      .poll(
        async () => (await background('#slide-container')) === (await background('.slidev-page-1 .slidev-layout')),
        { message: colorScheme },
      )
      .toBe(true)
  }
})

test('every slide has speaker notes', async () => {
  const slides = await loadSlides()
  expect(slides.filter((slide) => (slide.note ?? '').trim().length < 40).map((slide) => slide.index + 1)).toEqual([])
})

test("the deck's steps include the commands of the original talk", async () => {
  const { steps } = await readDeck(file)
  const commands = [...steps.values()].map((step) => step.command)
  for (const command of [
    'nix run .#run-vm',
    'nix flake check',
    'nix build -L .#checks.x86_64-linux.spa-vm',
    'nix build .#spa-ami',
    'nixos-rebuild build-image --flake .#spa-vm --image-variant vmware',
    'nixos-anywhere --flake .#spa-hetzner --vm-test',
  ])
    expect(commands).toContainEqual(expect.stringContaining(command))
})
