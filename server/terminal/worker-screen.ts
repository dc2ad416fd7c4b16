import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ScreenAnswer, ScreenRequest } from './screen-worker.ts'

export interface ThreadedScreenOptions {
  cols: number
  rows: number
  /** What the screen answers to a program's questions (device attributes, cursor position). */
  onReply: (data: string) => void
  /** Bytes that it has parsed since it last said so. */
  onParsed: (bytes: number) => void
}

/** Every open screen, by its number in the thread. */
const open = new Map<number, ThreadedScreen>()
let nextScreen = 1
let nextRequest = 1
let thread: Worker | undefined

function post(message: ScreenRequest, transfer: ArrayBuffer[] = []): void {
  thread ??= startThread()
  thread.postMessage(message, transfer)
}

function startThread(): Worker {
  // Compiled or not, both files are of one kind. Node itself knows TypeScript since 22.18 only.
  const extension = extname(import.meta.url)
  const worker = new Worker(new URL(`./screen-worker${extension}`, import.meta.url), {
    name: 'screens',
    ...(extension === '.ts' && { execArgv: ['--import', 'jiti/register'] }),
  })
  worker.on('message', (message: ScreenAnswer) => open.get(message.screen)?.take(message))
  worker.on('error', (error) => console.error(`The terminals' screens failed and are made anew: ${error.message}`))
  worker.on('exit', () => {
    if (thread !== worker) return
    thread = undefined
    for (const screen of open.values()) screen.makeAnew()
  })
  // It does not keep the server from ending.
  worker.unref()
  return worker
}

/**
 * A terminal's screen, kept by the thread of screens. What is asked is answered in the order of asking: a snapshot shows what was
 * written before it, and nothing that is written after.
 *
 * Should the thread die, the screen begins empty: live viewers miss nothing, and the shell goes on.
 */
export class ThreadedScreen {
  private readonly options: ThreadedScreenOptions
  private readonly number = nextScreen++
  private readonly requests = new Map<number, { scrollback: number; done: ((data: string) => void)[] }>()
  /** The request that was made last, while nothing was written since: who asks for the same shares its answer. */
  private last: number | undefined
  /** Bytes that the thread has and has not parsed yet. */
  private unparsed = 0
  /** What is handed over once the viewers have been sent it: the thread must not wake up before they do. */
  private waiting: Uint8Array[] = []
  private handing: NodeJS.Immediate | undefined

  constructor(options: ThreadedScreenOptions) {
    this.options = options
    open.set(this.number, this)
    this.open()
  }

  private open(): void {
    post({ type: 'open', screen: this.number, cols: this.options.cols, rows: this.options.rows })
  }

  write(bytes: Uint8Array): void {
    this.last = undefined
    this.waiting.push(bytes)
    this.handing ??= setImmediate(() => this.handOver())
  }

  private handOver(): void {
    clearImmediate(this.handing)
    this.handing = undefined
    if (this.waiting.length === 0) return
    // A copy of its own can be handed over; the viewers are sent the original.
    const copy = new Uint8Array(this.waiting.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const bytes of this.waiting) {
      copy.set(bytes, at)
      at += bytes.length
    }
    this.waiting = []
    this.unparsed += copy.length
    post({ type: 'write', screen: this.number, bytes: copy }, [copy.buffer])
  }

  /**
   * @param scrollback lines above the screen
   * @param done has text that paints the screen, with its modes, on an empty one of the same size; not called once it is disposed
   */
  snapshot(scrollback: number, done: (data: string) => void): void {
    this.handOver()
    // A hall that reloads at once asks for one snapshot, not for a hundred, of 30 ms each.
    const same = this.last === undefined ? undefined : this.requests.get(this.last)
    if (same?.scrollback === scrollback) return void same.done.push(done)
    const request = nextRequest++
    this.last = request
    this.requests.set(request, { scrollback, done: [done] })
    post({ type: 'snapshot', screen: this.number, request, scrollback })
  }

  dispose(): void {
    this.handOver()
    open.delete(this.number)
    this.requests.clear()
    post({ type: 'close', screen: this.number })
  }

  /** Takes what the thread has answered. */
  take(message: ScreenAnswer): void {
    switch (message.type) {
      case 'parsed':
        this.unparsed -= message.bytes
        return this.options.onParsed(message.bytes)
      case 'reply':
        return this.options.onReply(message.data)
      case 'snapshot': {
        const asked = this.requests.get(message.request)
        this.requests.delete(message.request)
        for (const done of asked?.done ?? []) done(message.data)
        return
      }
    }
  }

  /** The thread is another one. */
  makeAnew(): void {
    this.open()
    const lost = this.unparsed
    this.unparsed = 0
    this.options.onParsed(lost)
    for (const [request, { scrollback }] of this.requests)
      post({ type: 'snapshot', screen: this.number, request, scrollback })
  }
}
