import { createRequire } from 'node:module'
import type { Page } from '@playwright/test'
import type { AxeResults, RunOptions } from 'axe-core'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/**
 * Checks the layout and the accessibility of a workshop page.
 *
 * @returns up to ten descriptions of faults; empty if there are none
 */
export async function flaws(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: AXE })
  return [...(await page.evaluate(measureWorkshop)), ...(await page.evaluate(violations))]
}

/**
 * Checks that the content of a slide stays within its canvas and that no box cuts it off.
 *
 * @param slide number of the slide, from 1; the slide has to be visible
 * @returns up to three descriptions of elements that overflow
 */
export function slideOverflow(page: Page, slide: number): Promise<string[]> {
  return page.evaluate(measureSlide, slide)
}

/**
 * Runs in the page. Terminals scroll and have tests of their own; elements that are hidden or part of a picture are
 * skipped.
 */
function measureSlide(slide: number): string[] {
  const page = document.querySelector<HTMLElement>(`.slidev-page-${slide}`)
  if (!page) return ['the slide is not mounted']
  const canvas = page.getBoundingClientRect()
  const found: string[] = []
  for (const element of page.querySelectorAll<HTMLElement>('*')) {
    if (
      element.closest('.understudy-terminal, svg, .slidev-vclick-hidden, [aria-hidden="true"]') ||
      !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    )
      continue
    const box = element.getBoundingClientRect()
    if (box.width === 0 || box.height === 0) continue
    const name = `${element.tagName.toLowerCase()}.${[...element.classList].join('.')} "${element.textContent.trim().slice(0, 30)}"`
    const excess = Math.max(
      box.right - canvas.right,
      box.bottom - canvas.bottom,
      canvas.left - box.left,
      canvas.top - box.top,
    )
    if (excess > 1) found.push(`${name} extends ${Math.round(excess)} px beyond the slide`)
    const { overflowX, overflowY } = getComputedStyle(element)
    if (overflowX !== 'visible' && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
      found.push(`${name} is cut off on the right`)
    if (overflowY !== 'visible' && element.clientHeight > 0 && element.scrollHeight > element.clientHeight + 1)
      found.push(`${name} is cut off at the bottom`)
  }
  return found.slice(0, 3)
}

/**
 * Runs in the page. Finds elements that extend beyond the page or their panel, are cut off, or have text smaller than
 * 12 px. Slide, editor and terminal have tests of their own.
 */
function measureWorkshop(): string[] {
  const found: string[] = []
  const page = document.querySelector<HTMLElement>('.workshop')
  if (!page) return ['the workshop page is not mounted']
  if (document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight)
    found.push('the page scrolls')
  for (const element of page.querySelectorAll<HTMLElement>('*')) {
    if (
      element.closest(
        '.slidev-slide-container, .understudy-terminal, .monaco-editor, .monaco-diff-editor, .hidden-text, svg',
      ) ||
      !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    )
      continue
    const box = element.getBoundingClientRect()
    if (box.width === 0 || box.height === 0) continue
    const name = `${element.tagName.toLowerCase()}.${[...element.classList].join('.')} "${element.textContent.trim().slice(0, 30)}"`
    const style = getComputedStyle(element)
    if (
      [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim()) &&
      parseFloat(style.fontSize) < 12
    )
      found.push(`${name} has text of ${style.fontSize}`)
    const frame = (element.closest('[data-panel]') ?? page).getBoundingClientRect()
    const scrolled = element.closest('.scroller, .tasks, .list, .says')
    if (
      box.right > frame.right + 1 ||
      box.left < frame.left - 1 ||
      (!scrolled && (box.bottom > frame.bottom + 1 || box.top < frame.top - 1))
    )
      found.push(`${name} extends beyond its panel`)
    if (
      style.overflowX !== 'visible' &&
      style.textOverflow !== 'ellipsis' &&
      element.scrollWidth > element.clientWidth + 1
    )
      found.push(`${name} is cut off on the right`)
  }
  return found.slice(0, 5)
}

/**
 * Lists the text that the browser draws in fonts of the system, which differ from machine to machine.
 *
 * @param selector elements whose own text is checked
 * @returns family and text of each element with such a font
 */
export async function systemFonts(page: Page, selector: string): Promise<string[]> {
  await page.evaluate(() => document.fonts.ready)
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('DOM.enable')
  await devtools.send('CSS.enable')
  const { root } = await devtools.send('DOM.getDocument', { depth: 0 })
  const { nodeIds } = await devtools.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector })
  if (nodeIds.length === 0) throw new Error(`no element matches ${selector}`)
  const found: string[] = []
  try {
    for (const nodeId of nodeIds) {
      const { fonts } = await devtools.send('CSS.getPlatformFontsForNode', { nodeId })
      for (const { familyName } of fonts.filter(({ isCustomFont }) => !isCustomFont)) {
        const { outerHTML } = await devtools.send('DOM.getOuterHTML', { nodeId })
        found.push(`${familyName}: ${outerHTML.slice(0, 200)}`)
      }
    }
  } catch (error) {
    // A terminal has replaced its lines in the meantime.
    if (String(error).includes('Could not find node')) return await systemFonts(page, selector)
    throw error
  } finally {
    await devtools.detach()
  }
  return found
}

/** Checks that a terminal is within its slide and that its box contains all of its rows. */
export function terminalOverflow(page: Page, name: string): Promise<string[]> {
  return page.evaluate((terminal) => {
    const box = [...document.querySelectorAll<HTMLElement>(`[data-terminal="${terminal}"]`)].find((element) =>
      element.checkVisibility(),
    )
    const slide = box?.closest('.slidev-page')?.getBoundingClientRect()
    const rows = box?.querySelector('.xterm-screen')?.getBoundingClientRect()
    if (!box || !slide || !rows || rows.height === 0) return ['the terminal is not shown']
    const frame = box.getBoundingClientRect()
    return [
      ...(frame.bottom > slide.bottom + 1 || frame.right > slide.right + 1
        ? ['the terminal extends beyond its slide']
        : []),
      ...(rows.bottom > frame.bottom + 1 || rows.right > frame.right + 1
        ? ['the rows extend beyond the terminal']
        : []),
    ]
  }, name)
}

/** Runs in the page. Finds accessibility violations with axe, except on slides, which are the deck author's. */
async function violations(): Promise<string[]> {
  const { axe } = window as unknown as { axe: { run: (context: unknown, options: RunOptions) => Promise<AxeResults> } }
  const { violations } = await axe.run({ exclude: [['.slidev-slide-container']] }, { resultTypes: ['violations'] })
  return violations
    .flatMap(({ id, nodes }) =>
      nodes.map(
        ({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary?.split('\n')[1]?.trim()}`,
      ),
    )
    .slice(0, 5)
}
