import { processorTime, sleep } from './child-process.ts'
import { launchChromium } from './chromium.ts'
import { type Figure, medianFigure, round } from './figure.ts'
import { startTalk } from './running-talk.ts'
import { logIn, receiveHello, Viewer } from './viewer.ts'

/** Time for the work after a start to finish. */
const SETTLE_MS = 3000

/**
 * Measures a warm start: the time from the command to the first slide and the first terminal of a talk that was started
 * before.
 *
 * @param rounds number of starts
 * @param idleSeconds duration of measuring the processor time of the last talk while it is idle
 */
export async function measureWarmStart(rounds: number, idleSeconds: number): Promise<Figure[]> {
  // The first start builds the deck, prepares the lab and fills the page cache.
  await (await startTalk()).end()
  const seconds = { page: [] as number[], slide: [] as number[], terminal: [] as number[] }
  let idlePercent = NaN
  const browser = await launchChromium()
  try {
    for (let iteration = 0; iteration < rounds; iteration++) {
      const talk = await startTalk()
      try {
        const secondsToLink = (talk.printedAt - talk.startedAt) / 1000
        const ticket = await logIn(talk.link)
        await fetchPage(ticket.origin, { cookie: ticket.cookie })
        seconds.page.push((performance.now() - talk.startedAt) / 1000)

        const terminal = (await receiveHello(ticket)).steps[0]?.terminal ?? ''
        const attachedAt = performance.now()
        const viewer = await Viewer.open({ ticket, terminal })
        seconds.terminal.push((performance.now() - attachedAt) / 1000)

        const context = await browser.newContext()
        const page = await context.newPage()
        const openedAt = performance.now()
        await page.goto(talk.link)
        await page.locator('.slidev-layout').first().waitFor({ state: 'visible' })
        seconds.slide.push(secondsToLink + (performance.now() - openedAt) / 1000)
        await context.close()

        if (iteration === rounds - 1) {
          await sleep(SETTLE_MS)
          const before = processorTime(talk.pid)
          await sleep(idleSeconds * 1000)
          idlePercent = ((processorTime(talk.pid) - before) / idleSeconds) * 100
        }
        await viewer.close()
      } finally {
        await talk.end()
      }
    }
  } finally {
    await browser.close()
  }
  return [
    medianFigure('warm start, until page, scripts and styles are served', 's', seconds.page),
    medianFigure('warm start, until Chromium shows the first slide', 's', seconds.slide, { target: { atMost: 1.5 } }),
    medianFigure('first terminal, from attaching to its prompt', 's', seconds.terminal, { target: { atMost: 0.3 } }),
    { name: 'idle server with one viewer', value: round(idlePercent), unit: '% of a core', target: { atMost: 0.5 } },
  ]
}

/** Fetches the page of the deck with its scripts and styles. */
async function fetchPage(origin: string, headers: Record<string, string>): Promise<void> {
  const page = await (await fetch(origin, { headers })).text()
  const assets = [...page.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map((match) => match[1] ?? '')
  await Promise.all(assets.map(async (path) => (await fetch(origin + path, { headers })).arrayBuffer()))
}
