import { createRequire } from 'node:module'
import type { Page } from '@playwright/test'
import type { AxeResults, RunOptions } from 'axe-core'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** What is wrong with how a page of the workshop looks, or is told to a screen reader. */
export async function flaws(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: AXE })
  return [...(await page.evaluate(measure)), ...(await page.evaluate(violations))]
}

/** Names what stands outside the page or its panel, is cut off, or has letters smaller than 12 px. Slide, editor and terminal are measured by their own tests. */
function measure(): string[] {
  const found: string[] = []
  const page = document.querySelector<HTMLElement>('.workshop')
  if (!page) return ['the page is not there']
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
    const name = `${element.tagName.toLowerCase()}.${[...element.classList].join('.')} "${(element.textContent ?? '').trim().slice(0, 30)}"`
    const style = getComputedStyle(element)
    if (
      [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim()) &&
      parseFloat(style.fontSize) < 12
    )
      found.push(`${name} has letters of ${style.fontSize}`)
    const frame = (element.closest('[data-panel]') ?? page).getBoundingClientRect()
    const scrolled = element.closest('.scroller, .tasks, .list, .says')
    if (
      box.right > frame.right + 1 ||
      box.left < frame.left - 1 ||
      (!scrolled && (box.bottom > frame.bottom + 1 || box.top < frame.top - 1))
    )
      found.push(`${name} leaves its panel`)
    if (
      style.overflowX !== 'visible' &&
      style.textOverflow !== 'ellipsis' &&
      element.scrollWidth > element.clientWidth + 1
    )
      found.push(`${name} is cut off at its right`)
  }
  return found.slice(0, 5)
}

/** What axe finds on the page; slides are the deck author's. */
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
