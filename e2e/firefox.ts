import { type Browser, launch, type Page } from 'puppeteer-core'
import type { Terminal } from '@xterm/xterm'

/** Firefox ESR of Debian. Playwright drives only its own build of Firefox; Puppeteer drives any, by WebDriver BiDi. */

export const FIREFOX = { 'firefox-esr': 'firefox-esr' } as const

const VIEWPORT = { width: 1280, height: 720 }

export function launchFirefox(): Promise<Browser> {
  return launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    headless: true,
    defaultViewport: VIEWPORT,
  })
}

/** Opens a page in a window without cookies, and collects its errors. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error instanceof Error ? error.message : String(error)))
  page.on('dialog', (dialog) => void dialog.accept())
  await page.goto(url)
  return { page, errors }
}

/** Presses keys together, such as `Control+Shift+C`. */
export async function press(page: Page, shortcut: string): Promise<void> {
  const keys = shortcut.split('+') as Parameters<Page['keyboard']['press']>[0][]
  for (const key of keys) await page.keyboard.down(key)
  for (const key of keys.reverse()) await page.keyboard.up(key)
}

/** The visible text of the elements that match. */
export function texts(page: Page, selector: string): Promise<string[]> {
  return page.$$eval(selector, (elements) =>
    elements.filter((element) => element.checkVisibility()).map((element) => (element as HTMLElement).innerText),
  )
}

/** The state of the terminal on the first slide, as in its attribute `data-state`. */
export function terminalState(page: Page): Promise<string | undefined> {
  return page.$eval('[data-terminal]', (box) => (box as HTMLElement).dataset.state)
}

/** The visible lines of the terminal on the first slide. */
export function terminalLines(page: Page): Promise<string[]> {
  return page.$eval('[data-terminal]', (box) => {
    const { terminal } = box as HTMLElement & { terminal?: Terminal }
    const { viewportY = 0 } = terminal?.buffer.active ?? {}
    return Array.from(
      { length: terminal?.rows ?? 0 },
      (_, row) => terminal?.buffer.active.getLine(viewportY + row)?.translateToString(true) ?? '',
    )
  })
}

/** Drags the mouse over a line of the terminal on the first slide: from one column to another, both included. */
export async function dragOver(page: Page, line: number, from: number, to: number): Promise<void> {
  const cell = await page.$eval('[data-terminal]', (box) => {
    const { terminal } = box as HTMLElement & { terminal: Terminal }
    const grid = box.querySelector('.xterm-screen')?.getBoundingClientRect()
    if (!grid) throw new Error('The terminal is not open.')
    return { x: grid.x, y: grid.y, width: grid.width / terminal.cols, height: grid.height / terminal.rows }
  })
  const y = cell.y + (line + 0.5) * cell.height
  await page.mouse.move(cell.x + (from + 0.2) * cell.width, y)
  await page.mouse.down()
  await page.mouse.move(cell.x + (to + 0.8) * cell.width, y, { steps: 4 })
  await page.mouse.up()
}

/** What is selected in the terminal on the first slide. */
export function selection(page: Page): Promise<string> {
  return page.$eval('[data-terminal]', (box) => (box as HTMLElement & { terminal: Terminal }).terminal.getSelection())
}
