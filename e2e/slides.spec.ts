import { resolve } from 'node:path'
import { readDeck } from '../server/deck/deck.ts'
import { load } from '@slidev/parser/fs'
import { expect, test } from './talk.ts'

const file = resolve('slides.md')

test('every slide and click fits the screen, and nothing is fetched from elsewhere', async ({ stage, talk }) => {
  test.setTimeout(300_000)
  const foreign: string[] = []
  stage.on('request', (request) => {
    if (!request.url().startsWith(talk.origin) && !/^(data|blob):/.test(request.url())) foreign.push(request.url())
  })
  const { slides } = await load({ roots: [resolve('.')], userRoot: resolve('.') }, file)
  const overflowing: string[] = []
  for (const colours of ['light', 'dark'] as const) {
    await stage.emulateMedia({ colorScheme: colours })
    await stage.goto(`${talk.origin}/1`)
    for (let place = '/1', click = 0; ;) {
      const slide = Number(/^\/(\d+)/.exec(place)?.[1])
      await expect(stage.locator(`.slidev-page-${slide}`)).toBeVisible()
      for (const found of await stage.evaluate(measure, slide))
        overflowing.push(`${colours} slide ${slide} click ${click}: ${found}`)
      await stage.keyboard.press('ArrowRight')
      const changed = stage.waitForFunction((before) => location.pathname + location.search !== before, place, {
        timeout: 5000,
      })
      const moved = await changed.then(
        () => true,
        () => false,
      )
      // "next" on the last click of the last slide does nothing.
      if (!moved) {
        expect(slide).toBe(slides.length)
        break
      }
      place = await stage.evaluate(() => location.pathname + location.search)
      click = Number(/clicks=(\d+)/.exec(place)?.[1] ?? 0)
    }
  }
  expect(overflowing).toEqual([])
  expect(foreign).toEqual([])
})

/** Names what stands outside the slide's canvas, or is cut off by a box that does not scroll. */
function measure(slide: number): string[] {
  const page = document.querySelector<HTMLElement>(`.slidev-page-${slide}`)
  if (!page) return ['the slide is not there']
  const canvas = page.getBoundingClientRect()
  const found: string[] = []
  for (const element of page.querySelectorAll<HTMLElement>('*')) {
    // A terminal scrolls by itself and is measured by its own test; what is hidden or in a picture does not count.
    if (
      element.closest('.understudy-terminal, svg, .slidev-vclick-hidden, [aria-hidden="true"]') ||
      !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    )
      continue
    const box = element.getBoundingClientRect()
    if (box.width === 0 || box.height === 0) continue
    const name = `${element.tagName.toLowerCase()}.${[...element.classList].join('.')} "${(element.textContent ?? '').trim().slice(0, 30)}"`
    if (
      box.right > canvas.right + 1 ||
      box.bottom > canvas.bottom + 1 ||
      box.left < canvas.left - 1 ||
      box.top < canvas.top - 1
    )
      found.push(
        `${name} leaves the slide by ${Math.round(Math.max(box.right - canvas.right, box.bottom - canvas.bottom, canvas.left - box.left, canvas.top - box.top))} px`,
      )
    const { overflowX } = getComputedStyle(element)
    if (overflowX !== 'visible' && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
      found.push(`${name} is cut off at its right`)
  }
  return found.slice(0, 3)
}

test('the ground of a slide goes on to the edges of the screen', async ({ stage }) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await stage.emulateMedia({ colorScheme })
    const ground = (selector: string) =>
      stage
        .locator(selector)
        .first()
        .evaluate((element) => getComputedStyle(element).backgroundColor)
    await expect
      .poll(async () => (await ground('#slide-container')) === (await ground('.slidev-page-1 .slidev-layout')), {
        message: colorScheme,
      })
      .toBe(true)
  }
})

test('every slide has speaker notes', async () => {
  const { slides } = await load({ roots: [resolve('.')], userRoot: resolve('.') }, file)
  expect(slides.filter((slide) => (slide.note ?? '').trim().length < 40).map((slide) => slide.index + 1)).toEqual([])
})

test('the talk has the commands that its author gave', async () => {
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
