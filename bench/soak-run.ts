import { residentMemory, sleep } from './child-process.ts'
import { startSubject } from './talk.ts'
import { enter, type Ticket, Viewer } from './viewer.ts'

/** How memory grew. Slopes are of the line of least squares, without the first fifth, in which the heap finds its size. */
export interface Soaked {
  /** That came through, and the time that it took. */
  gigabytes: number
  hours: number
  /** MiB. */
  perGigabyte: number
  perHour: number
  /** MiB at the beginning and at the end of what was counted. */
  first: number
  last: number
}

/** Samples that are taken of the memory, at least. */
const SAMPLES = 40

/**
 * Floods a session, while viewers come, stall and go, and watches the memory of the server.
 *
 * @param seconds to go on
 * @param log is told how it stands, once a minute
 */
export async function soak(seconds: number, log: (line: string) => void = () => {}): Promise<Soaked> {
  const subject = await startSubject()
  const { link, terminal } = subject.ready
  const ticket = await enter(link)
  const samples: { seconds: number; bytes: number; memory: number }[] = []
  let bytes = 0
  const viewer = await Viewer.open({ ticket, terminal })
  try {
    // What came through is counted by the numbers of the lines: a viewer that is too slow is not sent all of it.
    const line = ' of a flood that goes on and on'
    viewer.type(`yes '${line}' | cat -n\r`)
    const began = performance.now()
    const passed = () => (performance.now() - began) / 1000
    const interval = Math.min(1, seconds / SAMPLES)
    let told = 0
    let churning = true
    const churn = churnViewers(ticket, terminal, () => churning)
    while (passed() < seconds) {
      await sleep(interval * 1000)
      const number = await lineNumber(ticket, terminal)
      bytes = Math.max(bytes, number * (7 + line.length + 2))
      samples.push({ seconds: passed(), bytes, memory: residentMemory(subject.pid) / 2 ** 20 })
      if (passed() - told < 60) continue
      told = passed()
      log(`${(told / 60).toFixed(0)} minutes, ${(bytes / 1e9).toFixed(2)} GB, ${samples.at(-1)?.memory.toFixed(0)} MiB`)
    }
    churning = false
    await churn
  } finally {
    await viewer.close()
    await subject.end()
  }
  const counted = samples.slice(Math.floor(samples.length / 5))
  return {
    gigabytes: bytes / 1e9,
    hours: seconds / 3600,
    perGigabyte: slope(counted.map(({ bytes, memory }) => [bytes / 1e9, memory])),
    perHour: slope(counted.map(({ seconds, memory }) => [seconds / 3600, memory])),
    first: counted[0]?.memory ?? NaN,
    last: counted.at(-1)?.memory ?? NaN,
  }
}

/** Lets viewers come, some of which stop reading, and go again. */
async function churnViewers(ticket: Ticket, terminal: string, on: () => boolean): Promise<void> {
  while (on()) {
    const viewer = await Viewer.open({ ticket, terminal })
    if (Math.random() < 0.3) viewer.socket.pause()
    await sleep(200 + Math.random() * 400)
    await viewer.close()
  }
}

/** The last number on the screen. */
async function lineNumber(ticket: Ticket, terminal: string): Promise<number> {
  let shown = ''
  const viewer = await Viewer.open({ ticket, terminal, onDrawn: (text) => (shown = shown || text) })
  await viewer.close()
  return Number([...shown.matchAll(/\s(\d+)\b/g)].at(-1)?.[1] ?? 0)
}

function slope(points: [x: number, y: number][]): number {
  const mean = (index: 0 | 1) => points.reduce((sum, point) => sum + point[index], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const spread = points.reduce((sum, [each]) => sum + (each - x) ** 2, 0)
  return points.reduce((sum, [eachX, eachY]) => sum + (eachX - x) * (eachY - y), 0) / spread
}
