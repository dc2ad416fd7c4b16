import { residentMemory, sleep } from './child-process.ts'
import { type Figure, median, round } from './figure.ts'
import { startServerUnderTest } from './server-under-test.ts'
import { logIn, Viewer } from './viewer.ts'

/** More than one, because the memory for one viewer is less than the noise of the garbage collector. */
const STALLED_VIEWERS = 8
const SAMPLING_INTERVAL_MS = 50
/** Time for the connections of the stalled viewers to fill up. */
const SETTLE_MS = 500

/**
 * Measures the cost of viewers that stop reading during endless output, to the server and to another viewer.
 *
 * @param seconds duration of each measurement, before and after the viewers stop reading
 */
export async function measureStalledViewers(seconds: number): Promise<Figure[]> {
  const server = await startServerUnderTest()
  const { link, terminal } = server.ready
  const ticket = await logIn(link)
  const reading = await Viewer.open({ ticket, terminal })
  const stalling = await Promise.all(Array.from({ length: STALLED_VIEWERS }, () => Viewer.open({ ticket, terminal })))
  /** @returns the server's median memory in bytes, and the snapshots per second that the reading viewer received */
  const sample = async () => {
    const memory: number[] = []
    const snapshotsBefore = reading.snapshots
    const began = performance.now()
    while (performance.now() - began < seconds * 1000) {
      memory.push(residentMemory(server.pid))
      await sleep(SAMPLING_INTERVAL_MS)
    }
    const snapshotRate = ((reading.snapshots - snapshotsBefore) / (performance.now() - began)) * 1000
    return { memory: median(memory), snapshotRate }
  }
  try {
    const begun = reading.waitFor('BEGUN-42')
    reading.type('echo BEGUN-$((6 * 7)); yes "$(seq 1 200)"\r')
    await begun
    // Not used: meanwhile the scrollback fills, and the heap reaches its normal size.
    await sample()
    const before = await sample()
    for (const { socket } of stalling) socket.pause()
    await sleep(SETTLE_MS)
    const after = await sample()
    return [
      {
        name: 'growth of the server for a viewer that stops reading',
        value: round((after.memory - before.memory) / STALLED_VIEWERS / 2 ** 20),
        unit: 'MiB',
        target: { atMost: 8 },
      },
      {
        name: 'screen snapshots of another viewer meanwhile',
        value: round(after.snapshotRate),
        unit: '1/s',
        references: { 'with all viewers reading, 1/s': round(before.snapshotRate) },
      },
    ]
  } finally {
    for (const viewer of [reading, ...stalling]) await viewer.close()
    await server.end()
  }
}
