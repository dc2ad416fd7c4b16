import { type Figure, figure } from './figure.ts'
import { sleep } from './child-process.ts'
import { startSubject } from './talk.ts'
import { enter, Viewer } from './viewer.ts'

/** Bytes a second that the viewer draws: what xterm.js manages in a browser on a laptop. */
const DRAWING = 10e6

/**
 * How long an endless flood goes on, for the eyes of a viewer that draws 10 MB/s, after it has pressed Ctrl-C.
 *
 * @param times that it is pressed
 */
export async function interrupt(times: number): Promise<Figure[]> {
  const subject = await startSubject()
  const { link, terminal } = subject.ready
  const viewer = await Viewer.open({ ticket: await enter(link), terminal, drawing: DRAWING })
  const felt: number[] = []
  try {
    for (let time = 0; time < times; time++) {
      const begun = viewer.shows('BEGUN-42')
      viewer.type('echo BEGUN-$((6 * 7)); sleep 0.2; yes "$(seq 1 200)"\r')
      await begun
      await sleep(1200 + Math.random() * 300)
      const stopped = viewer.shows('^C')
      const began = performance.now()
      viewer.type('\u0003')
      await stopped
      felt.push(performance.now() - began)
      await sleep(700)
    }
  } finally {
    await viewer.close()
    await subject.end()
  }
  const worst = Math.max(...felt)
  return [
    figure('Ctrl-C in a flood, until the viewer sees it', 'ms', felt),
    { name: 'Ctrl-C in a flood, the slowest', value: Math.round(worst), unit: 'ms', target: { atMost: 100 } },
  ]
}
