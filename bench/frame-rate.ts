import { sleep } from './child-process.ts'
import { launchChromium } from './chromium.ts'
import { type Figure, round } from './figure.ts'
import { startTalk } from './running-talk.ts'
import { logIn, receiveHello, Viewer } from './viewer.ts'

/** Time for the endless output to reach the page. */
const SETTLE_MS = 1000

/**
 * Measures the frames that Chromium draws each second while a terminal of the talk prints endless output.
 *
 * @param seconds duration of each of the two measurements, without and with output
 */
export async function measureFrameRate(seconds: number): Promise<Figure[]> {
  const talk = await startTalk()
  try {
    const browser = await launchChromium()
    try {
      const ticket = await logIn(talk.link)
      const step = (await receiveHello(ticket)).steps[0]
      if (!step) throw new Error('The deck of this repository has no step.')
      const page = await browser.newPage({ viewport: { width: 1280, height: 720 } })
      await page.goto(talk.link)
      await page.goto(`${ticket.origin}/${step.slide}`)
      await page.locator(`[data-terminal="${step.terminal}"] .xterm-screen`).first().waitFor({ state: 'visible' })
      const typist = await Viewer.open({ ticket, terminal: step.terminal })
      typist.send({ type: 'detach', terminal: step.terminal })
      const frameRate = () =>
        page.evaluate(
          (milliseconds) =>
            new Promise<number>((resolve) => {
              let frames = 0
              const began = performance.now()
              const countFrame = () => {
                frames++
                const elapsed = performance.now() - began
                if (elapsed < milliseconds) requestAnimationFrame(countFrame)
                else resolve((frames / elapsed) * 1000)
              }
              requestAnimationFrame(countFrame)
            }),
          seconds * 1000,
        )
      const idle = await frameRate()
      typist.type('yes "$(seq 1 200)"\r')
      await sleep(SETTLE_MS)
      const busy = await frameRate()
      typist.type('\u0003')
      await typist.close()
      return [
        {
          name: 'frames in Chromium during endless output',
          value: round(busy),
          unit: '1/s',
          target: { atLeast: 50 },
          references: { 'the same page without output, 1/s': round(idle) },
        },
      ]
    } finally {
      await browser.close()
    }
  } finally {
    await talk.end()
  }
}
