import { type Figure, median, round } from './figure.ts'
import { residentMemory, sleep } from './process.ts'
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
  /** The median of the memory and what the reading viewer was shown, over the time. */
  const watch = async () => {
    const memory: number[] = []
    const before = reading.bytes
    const began = performance.now()
    while (performance.now() - began < seconds * 1000) {
      memory.push(residentMemory(subject.pid))
      await sleep(50)
    }
    return { memory: median(memory), speed: (reading.bytes - before) / (performance.now() - began) / 1000 }
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
      { name: 'a viewer that stops reading, growth of the server', value: round((after.memory - before.memory) / STALLED / 2 ** 20), unit: 'MiB', target: { atMost: 8 } },
      { name: 'the other viewer meanwhile', value: round(after.speed), unit: 'MB/s', references: { 'before, with all reading, MB/s': round(before.speed) } },
    ]
  } finally {
    for (const viewer of [reading, ...others]) await viewer.close()
    await subject.end()
  }
}
