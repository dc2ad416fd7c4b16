import { setTimeout as sleep } from 'node:timers/promises'
import type xterm from '@xterm/headless'
import { expect, test, vi } from 'vitest'
import { Random, randomOutput } from '../test/random.ts'
import { newTerminal, stateOf, written } from '../test/screen-state.ts'
import { Broadcast, type Viewer } from './broadcast.ts'
import { SCROLLBACK_LINES } from './screen.ts'

const COLS = 40
const ROWS = 10
/** For conditions that become true eventually, even on a loaded machine. */
const WAIT = { timeout: 30_000, interval: 20 }

/**
 * Behaves like a browser: frames wait in its connection until it reads them, and are acknowledged once they have been
 * parsed.
 */
class TestViewer implements Viewer {
  readonly terminal: xterm.Terminal = newTerminal(COLS, ROWS, SCROLLBACK_LINES)
  /** Bytes that were sent and not read yet. `maxUnread` is their maximum. */
  unread = 0
  maxUnread = 0
  snapshots = 0
  isReading = true
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
    this.unread = 0
  }

  snapshot(channel: number, _cols: number, _rows: number, data: string): void {
    this.receive(data.length, () => {
      this.snapshots++
      this.channel = channel
      this.received = 0
      this.terminal.write(`\u001bc${data}`)
    })
  }

  output(channel: number, bytes: Uint8Array): void {
    this.receive(bytes.length, () => {
      if (channel !== this.channel) throw new Error(`Output on channel ${channel}, expected channel ${this.channel}`)
      this.received += bytes.length
      const upTo = this.received
      this.terminal.write(bytes, () => this.broadcast.ack(channel, upTo))
    })
  }

  buffered(): number {
    return this.unread
  }

  /** Reads everything that is unread. */
  read(): void {
    const queue = this.queue
    this.queue = []
    this.unread = 0
    for (const parse of queue) parse()
  }

  private receive(bytes: number, parse: () => void): void {
    if (this.isReading) return parse()
    this.queue.push(parse)
    this.unread += bytes
    this.maxUnread = Math.max(this.maxUnread, this.unread)
  }
}

const newBroadcast = () => new Broadcast({ cols: COLS, rows: ROWS, onReply: () => {}, onBehind: () => {} })

/** Waits until a viewer shows the same as a reference terminal, including the scrollback. */
const expectSameState = (viewer: TestViewer, reference: xterm.Terminal) =>
  vi.waitFor(async () => {
    await written(viewer.terminal, '')
    expect(stateOf(viewer.terminal)).toEqual(stateOf(reference))
  }, WAIT)

test('viewers that attach, stall and detach at random end in the state of a terminal that has received all output', async () => {
  const random = new Random(1)
  const broadcast = newBroadcast()
  const reference = newTerminal(COLS, ROWS)
  const permanent = new TestViewer(broadcast)
  permanent.connect()
  const viewers = Array.from({ length: 20 }, () => new TestViewer(broadcast))
  for (let connects = 0; connects < 1000;) {
    const output = Buffer.from(randomOutput(random, COLS, ROWS, 5 + random.below(60)))
    broadcast.write(output)
    reference.write(output)
    // Random delays, so that some viewers detach before their snapshot arrives and others after it.
    if (random.next() < 0.3) await sleep(random.below(3))
    for (let turn = 0; turn < 3; turn++) {
      const viewer = random.pick(viewers)
      if (random.next() < 0.2) viewer.isReading = !viewer.isReading
      if (viewer.isReading) viewer.read()
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
    viewer.isReading = true
    viewer.read()
    viewer.disconnect()
    viewer.connect()
  }
  await written(reference, '')
  for (const viewer of [permanent, late, ...viewers]) await expectSameState(viewer, reference)
  broadcast.dispose()
})

/** Writes distinct lines as fast as the reference terminal parses them. */
async function writeLines(broadcast: Broadcast, reference: xterm.Terminal, megabytes: number): Promise<void> {
  for (let bytes = 0, line = 0; bytes < megabytes * 1e6;) {
    const lines = Buffer.from(
      Array.from({ length: 500 }, () => `\u001b[3${line % 8}m${line++} of many\u001b[0m\r\n`).join(''),
    )
    bytes += lines.length
    broadcast.write(lines)
    await written(reference, lines)
  }
}

test('a viewer that was too slow receives a screen snapshot when it reads again, and the scrollback after the output burst', async () => {
  const broadcast = newBroadcast()
  const reference = newTerminal(COLS, ROWS)
  const slow = new TestViewer(broadcast)
  slow.connect()
  await vi.waitFor(() => expect(slow.snapshots).toBe(1), WAIT)
  slow.isReading = false
  await writeLines(broadcast, reference, 3)
  expect(slow.maxUnread).toBeLessThan(1 << 20)
  slow.isReading = true
  slow.read()
  await expectSameState(slow, reference)
  // The initial snapshot, one of the screen alone, and one with scrollback.
  expect(slow.snapshots).toBeGreaterThanOrEqual(3)
  broadcast.dispose()
})

test('the buffer of a viewer that acknowledges output without reading it is bounded', async () => {
  const broadcast = newBroadcast()
  const reference = newTerminal(COLS, ROWS)
  const stalled = new TestViewer(broadcast)
  const reading = new TestViewer(broadcast)
  reading.connect()
  stalled.connect()
  await vi.waitFor(() => expect(stalled.snapshots).toBe(1), WAIT)
  stalled.isReading = false
  const receive = stalled.output.bind(stalled)
  let sent = 0
  stalled.output = (channel, bytes) => {
    receive(channel, bytes)
    sent += bytes.length
    broadcast.ack(channel, sent)
  }
  await writeLines(broadcast, reference, 6)
  // Attaching the viewer repeatedly does not increase the buffer.
  for (let attempt = 0; attempt < 50; attempt++) {
    broadcast.detach(broadcast.attach(stalled))
    await sleep(1)
  }
  expect(stalled.maxUnread).toBeLessThan(8 << 20)
  await expectSameState(reading, reference)
  broadcast.dispose()
})

test('a cursor position query is answered once', async () => {
  const replies: string[] = []
  const broadcast = new Broadcast({ cols: COLS, rows: ROWS, onReply: (data) => replies.push(data), onBehind: () => {} })
  broadcast.write(Buffer.from('\u001b[3;4H\u001b[6n'))
  await vi.waitFor(() => expect(replies).toEqual(['\u001b[3;4R']), WAIT)
  broadcast.dispose()
})

test('no timer is left after dispose', () => {
  const timers = () => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length
  const before = timers()
  const broadcast = newBroadcast()
  // The two writes are an output burst, and the coalescer holds the second one back.
  broadcast.write(Buffer.alloc(100 << 10, 'x'))
  broadcast.write(Buffer.alloc(40 << 10, 'x'))
  broadcast.dispose()
  expect(timers()).toBe(before)
})
