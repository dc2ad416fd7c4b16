import type { Browser, CDPSession, Page } from 'playwright-core'
import type { Timeline, VideoEvent } from '../../shared/video/timeline.ts'
import type {} from '../../shared/video/renderer-bridge.ts'
import { VideoError } from './failures.ts'
import { isVertical, type RenderSettings } from './render-settings.ts'
import type { Segment } from './segments.ts'
import { installVirtualClock } from './virtual-clock.ts'

/**
 * Virtual time between the creation of a page and the start of its segment. Slidev preloads other slides after three
 * seconds.
 */
const PRELOAD_SECONDS = 8
/**
 * CSS pixels of the page above and below the frame. Slidev rounds the height of a slide up; without the margin, the
 * slide would be scaled down and have bars at its sides.
 */
const MARGIN_PX = 1
const LOAD_TIMEOUT_MS = 60_000

/** Hides controls that only a presenter uses, and everything that moves in real time. */
const STYLE = `
  .slidev-slide-container > :not(#slide-content), .understudy-step button, .understudy-page button, .understudy-menu, .understudy-replay button, .understudy-replay .speed { display: none !important; }
  .xterm .xterm-cursor-blink { animation: none !important; }
  .xterm .scrollbar, .xterm-viewport::-webkit-scrollbar { display: none !important; }
  * { caret-color: transparent !important; }
`

/** Moves the page of a step below the first lines of its terminal: a vertical frame has no space beside it. */
const VERTICAL_STYLE = `
  .understudy-page[data-size='card'] { top: auto !important; bottom: 26px; width: 100% !important; height: 42% !important; }
  .understudy-page img { object-fit: cover !important; }
`

/** Captures the frames of a segment from a page whose clock it controls. */
export class FrameCapturer {
  private readonly page: Page
  private readonly devtools: CDPSession
  private readonly settings: RenderSettings

  private constructor(page: Page, devtools: CDPSession, settings: RenderSettings) {
    this.page = page
    this.devtools = devtools
    this.settings = settings
  }

  /**
   * Opens the site and advances it to the state immediately before the first frame of a segment.
   *
   * @param origin of the served site, such as `http://127.0.0.1:4000`
   * @throws VideoError `page-not-ready`
   */
  static async open(
    browser: Browser,
    origin: string,
    timeline: Timeline,
    settings: RenderSettings,
    segment: Segment,
  ): Promise<FrameCapturer> {
    const { width, height, scale, fps, dark } = settings
    const viewport = { width: width / scale, height: height / scale + 2 * MARGIN_PX }
    const context = await browser.newContext({
      viewport,
      deviceScaleFactor: scale,
      colorScheme: dark ? 'dark' : 'light',
      // Fixed values, so that the result does not depend on the machine's settings.
      locale: 'en-GB',
      timezoneId: 'UTC',
      reducedMotion: 'no-preference',
    })
    const page = await context.newPage()
    const devtools = await context.newCDPSession(page)
    // The scale factor of the context only applies to Playwright's own screenshots, not to those of this session.
    await devtools.send('Emulation.setDeviceMetricsOverride', { ...viewport, deviceScaleFactor: scale, mobile: false })
    const pageErrors: string[] = []
    page.on('pageerror', (error) => pageErrors.push(error.message))
    const { start, position, before, during } = segment
    await page.addInitScript(installVirtualClock, {
      epochMs: Date.parse(timeline.date),
      startMs: (start - PRELOAD_SECONDS) * 1000,
    })
    const canvas = isVertical(settings) ? { width: width / scale, height: height / scale } : undefined
    await page.addInitScript(({ opening, canvas }) => (window.understudyRenderer = { opening, canvas, unparsed: 0 }), {
      opening: timeline.opening,
      canvas,
    })
    const { slide, clicks } = position
    await page.goto(`${origin}/#/${slide}${clicks > 0 ? `?clicks=${clicks}` : ''}`, {
      waitUntil: 'load',
      timeout: LOAD_TIMEOUT_MS,
    })
    await page.addStyleTag({ content: canvas ? STYLE + VERTICAL_STYLE : STYLE })
    // Playwright's waitForFunction() would use the page's timers, which are stopped.
    const isReady = await page.evaluate((timeout) => window.understudyClock.waitUntilReady(timeout), LOAD_TIMEOUT_MS)
    if (!isReady) throw new VideoError({ kind: 'page-not-ready', pageError: pageErrors[0] })
    const capturer = new FrameCapturer(page, devtools, settings)
    await capturer.load(before)
    // Stops half a frame early, so that a transition that starts with the first frame is captured from its start.
    await page.evaluate(([start, end]) => window.understudyClock.fastForward(start, end), [
      start,
      (segment.from - 0.5) / fps,
    ] as const)
    await capturer.load(during)
    return capturer
  }

  /**
   * Advances the page to the first frame that may differ from the one before.
   *
   * @param from the first frame to consider
   * @returns that frame, or `to` if all frames before `to` are equal
   */
  advance(from: number, to: number): Promise<number> {
    return this.page.evaluate(([from, to, fps]) => window.understudyClock.advance(from, to, fps), [
      from,
      to,
      this.settings.fps,
    ] as const)
  }

  /**
   * Captures the current frame.
   *
   * @returns a PNG
   * @throws VideoError `incomplete-frame`
   */
  async capture(): Promise<Buffer> {
    const problem = await this.page.evaluate(() => window.understudyClock.findProblem())
    if (problem) throw new VideoError({ kind: 'incomplete-frame', problem })
    const { width, height, scale } = this.settings
    const clip = { x: 0, y: MARGIN_PX, width: width / scale, height: height / scale, scale: 1 }
    const { data } = await this.devtools.send('Page.captureScreenshot', { format: 'png', optimizeForSpeed: true, clip })
    return Buffer.from(data, 'base64')
  }

  /** @returns the text of the current frame */
  text(): Promise<string> {
    return this.page.evaluate(() => window.understudyClock.text())
  }

  /**
   * Visits every slide and counts its clicks.
   *
   * @returns the number of clicks of each slide, in order
   * @throws VideoError `slide-not-reached`
   */
  async countClicks(): Promise<number[]> {
    const counts: number[] = []
    for (let slide = 1; ; slide++) {
      const position = await this.page.evaluate(async (slide) => {
        await window.understudyClock.visit(slide)
        return window.understudyRenderer?.position?.()
      }, slide)
      if (position?.slide !== slide) throw new VideoError({ kind: 'slide-not-reached', slide })
      counts.push(position.clicks)
      if (slide >= position.slides) return counts
    }
  }

  async close(): Promise<void> {
    await this.page.context().close()
  }

  private load(events: VideoEvent[]): Promise<void> {
    return this.page.evaluate((events) => window.understudyClock.load(events), events)
  }
}
