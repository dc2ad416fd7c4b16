import { residentMemory, sleep } from './child-process.ts'
import { startServerUnderTest } from './server-under-test.ts'
import { logIn, type Ticket, Viewer } from './viewer.ts'

/**
 * Growth of the server's memory. Slopes are least-squares fits. They exclude the first fifth of the samples, in which
 * the heap reaches its normal size.
 */
export interface SoakResult {
  /** Output of the terminal. */
  gigabytes: number
  hours: number
  mebibytesPerGigabyte: number
  mebibytesPerHour: number
  /** Memory in the first and the last of the fitted samples. */
  firstMebibytes: number
  lastMebibytes: number
}

const MIN_SAMPLES = 40
const MAX_SAMPLING_INTERVAL_SECONDS = 1
const LOG_INTERVAL_SECONDS = 60
/** The text of each output line, after its number. */
const LINE = ' of the endless output of a soak run'
/** Bytes of a line besides its text: the number as `cat -n` prints it and the line end. */
const LINE_OVERHEAD_BYTES = 7 + 2

/**
 * Prints endless output in a terminal, while viewers attach, stall and leave, and samples the memory of the server.
 *
 * @param seconds duration
 * @param log receives one line of progress a minute
 */
export async function runSoak(seconds: number, log: (line: string) => void = () => {}): Promise<SoakResult> {
  const server = await startServerUnderTest()
  const { link, terminal } = server.ready
  const ticket = await logIn(link)
  const samples: { seconds: number; bytes: number; mebibytes: number }[] = []
  let bytes = 0
  const viewer = await Viewer.open({ ticket, terminal })
  try {
    // The line numbers show how much was printed, although a slow viewer does not receive all lines.
    viewer.type(`yes '${LINE}' | cat -n\r`)
    const began = performance.now()
    const elapsed = () => (performance.now() - began) / 1000
    const interval = Math.min(MAX_SAMPLING_INTERVAL_SECONDS, seconds / MIN_SAMPLES)
    let logged = 0
    let churning = true
    const churn = churnViewers(ticket, terminal, () => churning)
    while (elapsed() < seconds) {
      await sleep(interval * 1000)
      const lines = await lastLineNumber(ticket, terminal)
      bytes = Math.max(bytes, lines * (LINE.length + LINE_OVERHEAD_BYTES))
      const mebibytes = residentMemory(server.pid) / 2 ** 20
      samples.push({ seconds: elapsed(), bytes, mebibytes })
      if (elapsed() - logged < LOG_INTERVAL_SECONDS) continue
      logged = elapsed()
      log(`${(logged / 60).toFixed(0)} minutes, ${(bytes / 1e9).toFixed(2)} GB, ${mebibytes.toFixed(0)} MiB`)
    }
    churning = false
    await churn
  } finally {
    await viewer.close()
    await server.end()
  }
  const fitted = samples.slice(Math.floor(samples.length / 5))
  return {
    gigabytes: bytes / 1e9,
    hours: seconds / 3600,
    mebibytesPerGigabyte: slope(fitted.map((sample) => [sample.bytes / 1e9, sample.mebibytes])),
    mebibytesPerHour: slope(fitted.map((sample) => [sample.seconds / 3600, sample.mebibytes])),
    firstMebibytes: fitted[0]?.mebibytes ?? NaN,
    lastMebibytes: fitted.at(-1)?.mebibytes ?? NaN,
  }
}

/** Attaches one viewer after the other. Some of them stop reading before they leave. */
async function churnViewers(ticket: Ticket, terminal: string, isRunning: () => boolean): Promise<void> {
  while (isRunning()) {
    const viewer = await Viewer.open({ ticket, terminal })
    if (Math.random() < 0.3) viewer.socket.pause()
    await sleep(200 + Math.random() * 400)
    await viewer.close()
  }
}

/** @returns the last number on the screen; 0 if the screen has no number */
async function lastLineNumber(ticket: Ticket, terminal: string): Promise<number> {
  let snapshot = ''
  const viewer = await Viewer.open({ ticket, terminal, onDrawn: (text) => (snapshot = snapshot || text) })
  await viewer.close()
  return Number([...snapshot.matchAll(/\s(\d+)\b/g)].at(-1)?.[1] ?? 0)
}

/** @returns the slope of the least-squares line */
function slope(points: [x: number, y: number][]): number {
  const mean = (index: 0 | 1) => points.reduce((sum, point) => sum + point[index], 0) / points.length
  const [meanX, meanY] = [mean(0), mean(1)]
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread
}
