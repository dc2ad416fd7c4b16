import type { Browser } from 'playwright-core'
import { launchBrowser } from './browser.ts'

/** Size of the browser window, in CSS pixels. */
const VIEWPORT = { width: 960, height: 600 }

/** Time limit for a page to load. */
const LOAD_TIMEOUT_MS = 15_000

/** Takes screenshots of pages in one browser, which is started for the first page. */
export class PageScreenshotter {
  private browser: Promise<Browser | undefined> | undefined
  private readonly log: (message: string) => void

  /** @param log receives a message for each failure */
  constructor(log: (message: string) => void) {
    this.log = log
  }

  /** @returns a PNG, or undefined if no browser is available or the page does not load */
  async take(url: string): Promise<Buffer | undefined> {
    this.browser ??= launchBrowser().catch((error: unknown) => {
      this.log(`Thumbnails of pages are skipped: ${messageOf(error)}`)
      return undefined
    })
    const page = await (await this.browser)?.newPage({ viewport: VIEWPORT })
    try {
      await page?.goto(url, { waitUntil: 'networkidle', timeout: LOAD_TIMEOUT_MS })
      return await page?.screenshot({ type: 'png' })
    } catch (error) {
      this.log(`Thumbnail of ${url} failed: ${messageOf(error).split('\n')[0] ?? ''}`)
      return undefined
    } finally {
      await page?.close()
    }
  }

  async close(): Promise<void> {
    await (await this.browser)?.close()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
