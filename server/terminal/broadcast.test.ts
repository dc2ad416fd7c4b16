import type xterm from '@xterm/headless'
import { expect, test, vi } from 'vitest'
import { Random, randomOutput } from '../test/random.ts'
import { newTerminal, stateOf, written } from '../test/screen-state.ts'
import { Broadcast, type Viewer } from './broadcast.ts'
import { SCROLLBACK } from './screen.ts'

const COLS = 40
const ROWS = 10

/** A viewer as a browser is one: frames wait in its connection until it reads, and are acknowledged once they are drawn. */
class TestViewer implements Viewer {
  readonly terminal: xterm.Terminal = newTerminal(COLS, ROWS, SCROLLBACK)
  /** Bytes that were sent and not read. */
  waiting = 0
  most = 0
  snapshots = 0
  /** Whether it reads what it is sent. */
  reading = true
  acknowledging = true
  private readonly broadcast: Broadcast
  private handle: number | undefined
  private queue: (() => void)[] = []
  private received = 0
  private channel = 0

  constructor(broadcast: Broadcast) {
    this.broadcast = broadcast
  }

  connect(): void {
    this.handle = this.broadcast.attach(this)
  }

  disconnect(): void {
    if (this.handle !== undefined) this.broadcast.detach(this.handle)
    this.handle = undefined
    this.queue = []
    this.waiting = 0
  }

  snapshot(channel: number, _cols: number, _rows: number, data: string): void {
    this.take(data.length, () => {
      this.snapshots++
      this.channel = channel
      this.received = 0
      this.terminal.write(`\u001bc${data}`)
    })
  }

  output(channel: number, bytes: Uint8Array): void {
    this.take(bytes.length, () => {
      if (channel !== this.channel) throw new Error('Output of a channel that was not opened.')
      this.received += bytes.length
      const upTo = this.received
      this.terminal.write(bytes, () => this.acknowledging && this.broadcast.ack(channel, upTo))
    })
  }

  buffered(): number {
    return this.waiting
  }

  /** Reads what waits. */
  read(): void {
    const queue = this.queue
    this.queue = []
    this.waiting = 0
    for (const draw of queue) draw()
  }

  private take(bytes: number, draw: () => void): void {
    if (this.reading) return draw()
    this.queue.push(draw)
    this.waiting += bytes
    this.most = Math.max(this.most, this.waiting)
  }
}

const newBroadcast = () => new Broadcast({ cols: COLS, rows: ROWS, onReply: () => {}, onBehind: () => {} })

/** Waits until a viewer has drawn everything, the lines above the screen too. */
const same = (viewer: TestViewer, reference: xterm.Terminal) =>
  vi.waitFor(
    async () => {
      await written(viewer.terminal, '')
      expect(stateOf(viewer.terminal)).toEqual(stateOf(reference))
    },
    { timeout: 30_000, interval: 50 },
  )

test('a thousand viewers that come and go, read and do not, see what a terminal that was always there sees', async () => {
  const random = new Random(1)
  const broadcast = newBroadcast()
  const reference = newTerminal(COLS, ROWS)
  const lived = new TestViewer(broadcast)
  lived.connect()
  const viewers = Array.from({ length: 20 }, () => new TestViewer(broadcast))
  for (let connects = 0; connects < 1000;) {
    const output = Buffer.from(randomOutput(random, COLS, ROWS, 5 + random.below(60)))
    broadcast.write(output)
    reference.write(output)
    // Some wait for the snapshot, some leave before it comes.
    if (random.next() < 0.3) await new Promise((done) => setTimeout(done, random.below(3)))
    for (let turn = 0; turn < 3; turn++) {
      const viewer = random.pick(viewers)
      if (random.next() < 0.2) viewer.reading = !viewer.reading
      if (viewer.reading) viewer.read()
      viewer.disconnect()
      if (random.next() < 0.9) {
        viewer.connect()
        connects++
      }
    }
  }
  const late = new TestViewer(broadcast)
  late.connect()
  for (const viewer of viewers) {
    viewer.reading = true
    viewer.read()
    viewer.disconnect()
    viewer.connect()
  }
  await written(reference, '')
  for (const viewer of [lived, late, ...viewers]) await same(viewer, reference)
  broadcast.dispose()
})

/** Writes lines, no two of them the same. */
async function flood(broadcast: Broadcast, reference: xterm.Terminal, megabytes: number): Promise<void> {
  for (let bytes = 0, line = 0; bytes < megabytes * 1e6;) {
    const lines = Buffer.from(
      Array.from({ length: 500 }, () => `\u001b[3${line % 8}m${line++} of a flood\u001b[0m\r\n`).join(''),
    )
    bytes += lines.length
    broadcast.write(lines)
    await written(reference, lines)
  }
}

test('a viewer that was too slow has the screen at once, and the lines above it once the flood is over', async () => {
  const broadcast = newBroadcast()
  const reference = newTerminal(COLS, ROWS)
  const slow = new TestViewer(broadcast)
  slow.connect()
  await vi.waitFor(() => expect(slow.snapshots).toBe(1))
  slow.reading = false
  await flood(broadcast, reference, 3)
  expect(slow.most).toBeLessThan(1 << 20)
  slow.reading = true
  slow.read()
  await same(slow, reference)
  // The first, the screen, and all of it.
  expect(slow.snapshots).toBeGreaterThanOrEqual(3)
  broadcast.dispose()
})

test('a viewer that acknowledges what it does not read costs no more than its connection may hold', async () => {
  const broadcast = newBroadcast()
  const reference = newTerminal(COLS, ROWS)
  const liar = new TestViewer(broadcast)
  const honest = new TestViewer(broadcast)
  honest.connect()
  liar.connect()
  await vi.waitFor(() => expect(liar.snapshots).toBe(1))
  liar.reading = false
  const acknowledge = liar.output.bind(liar)
  let sent = 0
  liar.output = (channel, bytes) => {
    acknowledge(channel, bytes)
    sent += bytes.length
    broadcast.ack(channel, sent)
  }
  await flood(broadcast, reference, 6)
  // Coming again does not help it either.
  for (let time = 0; time < 50; time++) {
    broadcast.detach(broadcast.attach(liar))
    await new Promise((done) => setTimeout(done, 1))
  }
  expect(liar.most).toBeLessThan(8 << 20)
  await same(honest, reference)
  broadcast.dispose()
})

test('two viewers are shown the same, whatever a program asks the terminal', async () => {
  const replies: string[] = []
  const broadcast = new Broadcast({ cols: COLS, rows: ROWS, onReply: (data) => replies.push(data), onBehind: () => {} })
  broadcast.write(Buffer.from('\u001b[3;4H\u001b[6n'))
  await vi.waitFor(() => expect(replies).toEqual(['\u001b[3;4R']))
  broadcast.dispose()
})
