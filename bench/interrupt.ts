import { sleep } from './child-process.ts'
import { type Figure, medianFigure } from './figure.ts'
import { startServerUnderTest } from './server-under-test.ts'
import { logIn, Viewer } from './viewer.ts'

/** Drawing speed of xterm.js in a browser on a laptop. */
const BYTES_DRAWN_PER_SECOND = 10e6
const OUTPUT_MS = 1200
const PAUSE_MS = 700

/**
 * Measures how long a viewer that draws 10 MB/s receives output of an endless command after pressing Ctrl-C.
 *
 * @param rounds number of measurements
 */
export async function measureInterrupt(rounds: number): Promise<Figure[]> {
  const server = await startServerUnderTest()
  const { link, terminal } = server.ready
  const viewer = await Viewer.open({ ticket: await logIn(link), terminal, bytesDrawnPerSecond: BYTES_DRAWN_PER_SECOND })
  const milliseconds: number[] = []
  try {
    for (let iteration = 0; iteration < rounds; iteration++) {
      const begun = viewer.waitFor('BEGUN-42')
      viewer.type('echo BEGUN-$((6 * 7)); sleep 0.2; yes "$(seq 1 200)"\r')
      await begun
      await sleep(OUTPUT_MS + Math.random() * 300)
      const stopped = viewer.waitFor('^C')
      const began = performance.now()
      viewer.type('\u0003')
      await stopped
      milliseconds.push(performance.now() - began)
      await sleep(PAUSE_MS)
    }
  } finally {
    await viewer.close()
    await server.end()
  }
  const slowest = Math.round(Math.max(...milliseconds))
  return [
    medianFigure('Ctrl-C during endless output, until the viewer sees it', 'ms', milliseconds),
    { name: 'Ctrl-C during endless output, slowest', value: slowest, unit: 'ms', target: { atMost: 100 } },
  ]
}
