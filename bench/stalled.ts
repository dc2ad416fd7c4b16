import { type Figure, median, round } from './figure.ts'
import { residentMemory, sleep } from './child-process.ts'
import { startSubject } from './talk.ts'
import { enter, Viewer } from './viewer.ts'

/** Viewers that stop reading at once: the memory of one alone would be lost in the noise of the garbage collector. */
const STALLED = 8

/**
 * What viewers that stop reading during a flood cost the server and the others.
 *
 * @param seconds of the flood, before they stop and after it
 */
export async function stalled(seconds: number): Promise<Figure[]> {
  const subject = await startSubject()
  const { link, terminal } = subject.ready
  const ticket = await enter(link)
  const reading = await Viewer.open({ ticket, terminal })
  const others = await Promise.all(Array.from({ length: STALLED }, () => Viewer.open({ ticket, terminal })))
  /** The median of the memory, and the pictures of the flood that the reading viewer was shown each second. */
  const watch = async () => {
    const memory: number[] = []
    const before = reading.snapshots
    const began = performance.now()
    while (performance.now() - began < seconds * 1000) {
      memory.push(residentMemory(subject.pid))
      await sleep(50)
    }
    return { memory: median(memory), pictures: ((reading.snapshots - before) / (performance.now() - began)) * 1000 }
  }
  try {
    const begun = reading.shows('BEGUN-42')
    reading.type('echo BEGUN-$((6 * 7)); yes "$(seq 1 200)"\r')
    await begun
    // The scrollback is full and the heap has found its size.
    await watch()
    const before = await watch()
    for (const { socket } of others) socket.pause()
    await sleep(500)
    const after = await watch()
    return [
      {
        name: 'a viewer that stops reading, growth of the server',
        value: round((after.memory - before.memory) / STALLED / 2 ** 20),
        unit: 'MiB',
        target: { atMost: 8 },
      },
      {
        name: 'the other viewer meanwhile',
        value: round(after.pictures),
        unit: 'pictures/s',
        references: { 'before, with all reading, pictures/s': round(before.pictures) },
      },
    ]
  } finally {
    for (const viewer of [reading, ...others]) await viewer.close()
    await subject.end()
  }
}
