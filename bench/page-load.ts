import type { BrowserContext } from 'playwright-core'

/** A file that a page has requested. */
export interface LoadedFile {
  url: string
  /** Transferred bytes of headers and body, as compressed by the server. */
  bytes: number
}

/** How a page loads in a browser with an empty cache. */
export interface PageLoad {
  /** Everything requested until the first slide is drawn and the network has been quiet for a second. */
  first: LoadedFile[]
  /** Everything requested afterwards: Slidev loads all other slides after three seconds. */
  later: LoadedFile[]
  firstContentfulPaintMs: number
  /** The part of each task beyond 50 ms, from the first paint until the network is quiet. */
  totalBlockingTimeMs: number
}

/** The network is quiet if nothing was requested or received for this time. */
const QUIET_MS = 1000
/** Longer than the time after which Slidev loads all slides. */
const LATER_QUIET_MS = 5000
const POLL_MS = 50
/** Shorter tasks do not delay the user's input noticeably. */
const BLOCKING_TASK_MS = 50

declare global {
  interface Window {
    longTasks: { start: number; duration: number }[]
  }
}

/**
 * Opens a page of slides, and measures what it loads.
 *
 * @param context without a cache; Chromium only
 */
export async function measurePageLoad(context: BrowserContext, url: string): Promise<PageLoad> {
  const page = await context.newPage()
  const devtools = await context.newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Network.setCacheDisabled', { cacheDisabled: false })
  const files = new Map<string, LoadedFile>()
  let lastActivity = performance.now()
  devtools.on('Network.requestWillBeSent', ({ requestId, request, redirectResponse }) => {
    lastActivity = performance.now()
    if (!/^https?:/.test(request.url)) return
    files.set(requestId, { url: request.url, bytes: redirectResponse?.encodedDataLength ?? 0 })
  })
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    lastActivity = performance.now()
    const file = files.get(requestId)
    if (file) file.bytes += encodedDataLength
  })
  const quiet = async (milliseconds: number) => {
    while (performance.now() - lastActivity < milliseconds) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }

  await page.addInitScript(() => {
    window.longTasks = []
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) window.longTasks.push({ start: startTime, duration })
    }).observe({ type: 'longtask', buffered: true })
  })
  await page.goto(url)
  await page.locator('.slidev-layout').first().waitFor({ state: 'visible' })
  await quiet(QUIET_MS)
  const { paint, tasks } = await page.evaluate(() => ({
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
    tasks: window.longTasks,
  }))
  const first = [...files.values()]
  lastActivity = performance.now()
  await quiet(LATER_QUIET_MS)
  await page.close()
  return {
    first,
    later: [...files.values()].slice(first.length),
    firstContentfulPaintMs: paint,
    totalBlockingTimeMs: tasks
      .filter(({ start }) => start >= paint)
      .reduce((sum, { duration }) => sum + Math.max(0, duration - BLOCKING_TASK_MS), 0),
  }
}

export function totalBytes(files: readonly LoadedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}
