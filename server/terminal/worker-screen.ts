import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ScreenRequest, ScreenResponse } from './screen-worker.ts'

export interface WorkerScreenOptions {
  cols: number
  rows: number
  /** Receives replies to a program's queries, such as device attributes and the cursor position. */
  onReply: (data: string) => void
  /** @param bytes parsed since the previous call */
  onParsed: (bytes: number) => void
}

type SnapshotCallback = (data: string) => void

/** The open screens by their number in the worker. */
const openScreens = new Map<number, WorkerScreen>()
let nextScreen = 1
let nextRequest = 1
/** The worker that all screens share, started by the first one. */
let worker: Worker | undefined

function post(message: ScreenRequest, transfer: ArrayBuffer[] = []): void {
  worker ??= startWorker()
  worker.postMessage(message, transfer)
}

function startWorker(): Worker {
  // The worker's file is compiled if and only if this file is. Node.js runs TypeScript without a loader only since
  // version 22.18.
  const extension = extname(import.meta.url)
  const started = new Worker(new URL(`./screen-worker${extension}`, import.meta.url), {
    name: 'screens',
    ...(extension === '.ts' && { execArgv: ['--import', 'jiti/register'] }),
  })
  started.on('message', (message: ScreenResponse) => openScreens.get(message.screen)?.onResponse(message))
  started.on('error', (error) =>
    console.error(`The screen worker failed and is restarted with empty screens: ${error.message}`),
  )
  started.on('exit', () => {
    if (worker !== started) return
    worker = undefined
    for (const screen of openScreens.values()) screen.recreate()
  })
  // The worker must not keep the process alive.
  started.unref()
  return started
}

/**
 * A terminal's screen in the screen worker. Requests are processed in order: a snapshot contains everything that was
 * written before it was requested, and nothing that was written later.
 *
 * If the worker dies, the screen is recreated empty. Attached viewers lose nothing, and the shell continues.
 */
export class WorkerScreen {
  private readonly options: WorkerScreenOptions
  private readonly number = nextScreen++
  private readonly requests = new Map<number, { scrollback: number; callbacks: SnapshotCallback[] }>()
  /**
   * The newest snapshot request, if nothing was written since: later requests for the same snapshot share its response.
   */
  private reusableRequest: number | undefined
  /** Bytes that were posted to the worker and not parsed yet. */
  private unparsed = 0
  /**
   * Output that is not posted yet. Posting is deferred, because it wakes the worker up, which would delay sending the
   * output to the viewers.
   */
  private pending: Uint8Array[] = []
  private postTimer: NodeJS.Immediate | undefined

  constructor(options: WorkerScreenOptions) {
    this.options = options
    openScreens.set(this.number, this)
    this.open()
  }

  private open(): void {
    post({ type: 'open', screen: this.number, cols: this.options.cols, rows: this.options.rows })
  }

  write(bytes: Uint8Array): void {
    this.reusableRequest = undefined
    this.pending.push(bytes)
    this.postTimer ??= setImmediate(() => this.postPending())
  }

  private postPending(): void {
    clearImmediate(this.postTimer)
    this.postTimer = undefined
    if (this.pending.length === 0) return
    // A copy, because the buffer is transferred to the worker while the viewers still use the original.
    const copy = new Uint8Array(this.pending.reduce((sum, { length }) => sum + length, 0))
    let offset = 0
    for (const bytes of this.pending) {
      copy.set(bytes, offset)
      offset += bytes.length
    }
    this.pending = []
    this.unparsed += copy.length
    post({ type: 'write', screen: this.number, bytes: copy }, [copy.buffer])
  }

  /**
   * Requests a snapshot of everything that has been written so far.
   *
   * @param scrollback number of lines above the screen to include
   * @param callback receives text that reproduces the screen in an empty terminal of the same size; not called after
   * `dispose`
   */
  snapshot(scrollback: number, callback: SnapshotCallback): void {
    this.postPending()
    // A snapshot takes about 30 ms: if the whole audience reloads at once, its windows share one snapshot.
    const reusable = this.reusableRequest === undefined ? undefined : this.requests.get(this.reusableRequest)
    if (reusable?.scrollback === scrollback) return void reusable.callbacks.push(callback)
    const request = nextRequest++
    this.reusableRequest = request
    this.requests.set(request, { scrollback, callbacks: [callback] })
    post({ type: 'snapshot', screen: this.number, request, scrollback })
  }

  dispose(): void {
    this.postPending()
    openScreens.delete(this.number)
    this.requests.clear()
    post({ type: 'close', screen: this.number })
  }

  /** Handles a message of the worker. */
  onResponse(message: ScreenResponse): void {
    switch (message.type) {
      case 'parsed':
        this.unparsed -= message.bytes
        return this.options.onParsed(message.bytes)
      case 'reply':
        return this.options.onReply(message.data)
      case 'snapshot': {
        const request = this.requests.get(message.request)
        this.requests.delete(message.request)
        for (const callback of request?.callbacks ?? []) callback(message.data)
        return
      }
    }
  }

  /** Opens the screen again in a new worker and repeats the snapshot requests that the old one has not answered. */
  recreate(): void {
    this.open()
    const lost = this.unparsed
    this.unparsed = 0
    // Lost bytes are reported as parsed, so that callers do not wait for them forever.
    this.options.onParsed(lost)
    for (const [request, { scrollback }] of this.requests)
      post({ type: 'snapshot', screen: this.number, request, scrollback })
  }
}
