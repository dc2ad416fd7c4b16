import { resolve } from 'node:path'
import { load } from '@slidev/parser/fs'
import { readDeck } from '../server/deck/deck.ts'
import { slideOverflow, systemFonts } from './layout-checks.ts'
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

test('every slide fits screens of 4:3, of 3840 pixels, and a zoom of 200 %', async ({ stage, talk }) => {
  test.setTimeout(300_000)
  const slides = await loadSlides()
  const overflowing: string[] = []
  for (const viewport of [
    { width: 1024, height: 768 },
    { width: 3840, height: 2160 },
    // The size of a page on a screen of 1280 × 720 at a zoom of 200 %.
    { width: 640, height: 360 },
  ]) {
    await stage.setViewportSize(viewport)
    for (let slide = 1; slide <= slides.length; slide++) {
      // Slidev limits the clicks to those that the slide has.
      await stage.goto(`${talk.origin}/${slide}?clicks=99`)
      await expect(stage.locator(`.slidev-page-${slide} .slidev-layout`).first()).toBeVisible()
      await stage.evaluate(() => document.fonts.ready)
      for (const found of await slideOverflow(stage, slide))
        overflowing.push(`${viewport.width} × ${viewport.height} slide ${slide}: ${found}`)
    }
  }
  expect(overflowing).toEqual([])
})

// Together with the test above, this makes sure that the slides fit on machines with other fonts.
test('every slide is drawn in fonts that the deck or the addon brings', async ({ stage, talk }) => {
  test.setTimeout(300_000)
  const slides = await loadSlides()
  const found: string[] = []
  for (let slide = 1; slide <= slides.length; slide++) {
    await stage.goto(`${talk.origin}/${slide}?clicks=99`)
    await expect(stage.locator(`.slidev-page-${slide} .slidev-layout`).first()).toBeVisible()
    for (const text of await systemFonts(stage, `.slidev-page-${slide} *, .understudy-profile *`))
      found.push(`slide ${slide}: ${text}`)
  }
  expect(found).toEqual([])
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
