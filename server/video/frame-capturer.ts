import type { Browser, CDPSession, Page } from 'playwright-core'
import { type FilmEvent, placeAt, type Timeline } from '../../shared/video/timeline.ts'
import { installClock } from './virtual-clock.ts'
import type {} from '../../shared/video/renderer-bridge.ts'

/** How a film is shot. */
export interface Shot {
  /** Pixels of the picture. */
  width: number
  height: number
  /** Pixels of the picture for each of the page: 2 for 2160p, which is the page of 1080p, drawn finer. */
  scale: number
  fps: number
  dark: boolean
}

/** What must not be in a film was about to be filmed. */
export class CameraError extends Error {
  override name = 'CameraError'
}

/** Seconds of the page's own before the film's: Slidev loads the slides that are not shown after three. */
const BEFORE = 8
/** Pixels of the page above and below the picture: Slidev rounds the height of a slide up, and would leave bars at its sides. */
const EDGE = 1
/** Milliseconds for a page to load. */
const PATIENCE = 60_000

/** What is of use to who gives the talk, and is no part of a film; and what moves with the real time. */
const STYLE = `
  .slidev-slide-container > :not(#slide-content), .understudy-step button, .understudy-page button, .understudy-menu, .understudy-replay button, .understudy-replay .speed { display: none !important; }
  .xterm .xterm-cursor-blink { animation: none !important; }
  .xterm .scrollbar, .xterm-viewport::-webkit-scrollbar { display: none !important; }
  * { caret-color: transparent !important; }
`

/** Some frames of a film, and what a page has to be told to show them. */
export interface Part {
  /** The first frame, and the one behind the last. */
  from: number
  to: number
  /** Seconds of the film at which the page begins: when the slide before the first frame was entered. What was before is taken as given. */
  base: number
  /** Where the page begins. */
  place: { slide: number; clicks: number }
  /** What happens before the first frame. */
  before: FilmEvent[]
  /** What happens from the first frame on. */
  during: FilmEvent[]
}

/** @param from the first frame; `to` is the one behind the last */
export function partOf({ events }: Pick<Timeline, 'events'>, fps: number, from: number, to: number): Part {
  const earlier = events.filter(({ time }) => time < from / fps)
  const base = entered(earlier)
  const given = latest(earlier.filter(({ time }) => time < base))
  return {
    from,
    to,
    base,
    place: placeAt(earlier, base),
    before: [...given, ...earlier.filter(({ time }) => time >= base)],
    during: events.filter(({ time }) => time >= from / fps && time * fps < to),
  }
}

/** When the slide that is shown last began. */
function entered(events: FilmEvent[]): number {
  let base = 0
  let slide: number | undefined
  for (const event of events)
    if (event.type === 'show' && event.slide !== slide) {
      slide = event.slide
      base = event.time
    }
  return base
}

/** What still shows of what has happened: of each terminal its last screen and what came after it, of everything else the last word. */
function latest(events: FilmEvent[]): FilmEvent[] {
  const said = new Set<string>()
  return events
    .toReversed()
    .filter((event) => {
      const about = aboutOf(event)
      if (event.type === 'show' || said.has(about)) return false
      if (event.type !== 'output') said.add(about)
      return true
    })
    .toReversed()
}

/** What an event has the last word about. */
function aboutOf(event: FilmEvent): string {
  switch (event.type) {
    case 'screen':
    case 'output':
      return `screen ${event.terminal}`
    case 'replay':
      return `replay ${event.terminal}`
    case 'step':
      return `step ${event.step}`
    case 'sync':
      return `sync ${event.channel}`
    case 'show':
      return 'place'
  }
}

/** What an upright picture has room for: the page of a step below its terminal's first lines, not beside them. */
const UPRIGHT = `
  .understudy-page[data-size='card'] { top: auto !important; bottom: 26px; width: 100% !important; height: 42% !important; }
  .understudy-page img { object-fit: cover !important; }
`

/** A page that shows the film and holds still for its picture. */
export class Camera {
  private readonly page: Page
  private readonly devtools: CDPSession
  private readonly shot: Shot

  private constructor(page: Page, devtools: CDPSession, shot: Shot) {
    this.page = page
    this.devtools = devtools
    this.shot = shot
  }

  /**
   * Opens the site where the film stands at a time.
   *
   * @param origin of the site that is filmed, as `http://127.0.0.1:4000`
   * @param part what is filmed
   * @throws CameraError
   */
  static async open(browser: Browser, origin: string, timeline: Timeline, shot: Shot, part: Part): Promise<Camera> {
    const viewport = { width: shot.width / shot.scale, height: shot.height / shot.scale + 2 * EDGE }
    const context = await browser.newContext({
      viewport,
      deviceScaleFactor: shot.scale,
      colorScheme: shot.dark ? 'dark' : 'light',
      // The same pictures wherever they are made.
      locale: 'en-GB',
      timezoneId: 'UTC',
      reducedMotion: 'no-preference',
    })
    const page = await context.newPage()
    const devtools = await context.newCDPSession(page)
    // A session's pictures are as fine as it has said itself; what the context says is for Playwright's own.
    await devtools.send('Emulation.setDeviceMetricsOverride', {
      ...viewport,
      deviceScaleFactor: shot.scale,
      mobile: false,
    })
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    const { base, place, before, during } = part
    const { slide, clicks } = place
    await page.addInitScript(installClock, { epoch: Date.parse(timeline.date), start: (base - BEFORE) * 1000 })
    const canvas =
      shot.height > shot.width ? { width: shot.width / shot.scale, height: shot.height / shot.scale } : undefined
    await page.addInitScript(({ opening, canvas }) => (window.understudyFilm = { opening, canvas, unparsed: 0 }), {
      opening: timeline.opening,
      canvas,
    })
    await page.goto(`${origin}/#/${slide}${clicks > 0 ? `?clicks=${clicks}` : ''}`, {
      waitUntil: 'load',
      timeout: PATIENCE,
    })
    await page.addStyleTag({ content: canvas ? STYLE + UPRIGHT : STYLE })
    // Not Playwright's own waiting: that uses the page's timers, which stand still.
    const opened = await page.evaluate((patience) => window.understudyClock.ready(patience), PATIENCE)
    if (!opened) throw new CameraError(`The slides did not open in Chromium: ${errors[0] ?? 'no error was told'}`)
    const camera = new Camera(page, devtools, shot)
    await camera.load(before)
    // The first frame is filmed as it comes about: a slide that fades in does so.
    await page.evaluate(([base, to]) => window.understudyClock.open(base, to), [
      base,
      (part.from - 0.5) / shot.fps,
    ] as const)
    await camera.load(during)
    return camera
  }

  /** The first frame from `from` on that can differ from the one before; `to` where there is none before it. */
  next(from: number, to: number): Promise<number> {
    return this.page.evaluate(([from, to, fps]) => window.understudyClock.next(from, to, fps), [
      from,
      to,
      this.shot.fps,
    ] as const)
  }

  /**
   * Takes the picture of what the page shows now.
   *
   * @returns a PNG
   * @throws CameraError where that must not be in a film
   */
  async take(): Promise<Buffer> {
    const problem = await this.page.evaluate(() => window.understudyClock.problem())
    if (problem !== undefined) throw new CameraError(problem)
    const { width, height, scale } = this.shot
    const clip = { x: 0, y: EDGE, width: width / scale, height: height / scale, scale: 1 }
    const { data } = await this.devtools.send('Page.captureScreenshot', { format: 'png', optimizeForSpeed: true, clip })
    return Buffer.from(data, 'base64')
  }

  /** The text that the page shows now. */
  text(): Promise<string> {
    return this.page.evaluate(() => window.understudyClock.text())
  }

  /** The clicks of each slide, in order. */
  async clicks(): Promise<number[]> {
    const counts: number[] = []
    for (let slide = 1; ; slide++) {
      const extent = await this.page.evaluate(async (slide) => {
        await window.understudyClock.visit(slide)
        return window.understudyFilm?.extent?.()
      }, slide)
      if (extent?.slide !== slide) throw new CameraError(`Slide ${slide} did not open.`)
      counts.push(extent.clicks)
      if (slide >= extent.slides) return counts
    }
  }

  async close(): Promise<void> {
    await this.page.context().close()
  }

  private load(events: FilmEvent[]): Promise<void> {
    return this.page.evaluate((events) => window.understudyClock.load(events), events)
  }
}
