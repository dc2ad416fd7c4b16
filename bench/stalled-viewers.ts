import { residentMemory, sleep } from './child-process.ts'
import { type Figure, median, round } from './figure.ts'
import { startServerUnderTest } from './server-under-test.ts'
import { logIn, Viewer } from './viewer.ts'

/** Several, because the memory for one would be lost in the noise of the garbage collector. */
const STALLED_VIEWERS = 8
const SAMPLING_INTERVAL_MS = 50
/** Time until the stalled viewers' connections are full. */
const SETTLE_MS = 500

/**
 * Measures what viewers that stop reading during endless output cost the server and another viewer.
 *
 * @param seconds length of each of the samples, before and after they stop
 */
export async function measureStalledViewers(seconds: number): Promise<Figure[]> {
  const server = await startServerUnderTest()
  const { link, terminal } = server.ready
  const ticket = await logIn(link)
  const reading = await Viewer.open({ ticket, terminal })
  const stalling = await Promise.all(Array.from({ length: STALLED_VIEWERS }, () => Viewer.open({ ticket, terminal })))
  /** @returns the server's median memory in bytes, and the screen snapshots a second that the reading viewer received */
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
    // Discarded: until then the scrollback fills and the heap grows to its size.
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
