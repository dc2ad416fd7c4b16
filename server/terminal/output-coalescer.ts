/** Duration of a coalescing window, shorter than one frame of the browser. */
const WINDOW_MS = 5
/** While a window has seen fewer bytes than this, each chunk is sent immediately: keystrokes and their echo. */
const IMMEDIATE_BYTES = 4096
/** Pending bytes that are sent without waiting for the end of the window. */
const MAX_PENDING_BYTES = 65_536

/**
 * Merges the chunks of an output burst into a few large ones. Small amounts, such as the echo of a key, are not
 * delayed.
 */
export class OutputCoalescer {
  private readonly send: (bytes: Uint8Array) => void
  private pending: Uint8Array[] = []
  private pendingBytes = 0
  private windowStart = 0
  private windowBytes = 0
  private timer: NodeJS.Timeout | undefined

  /** @param send receives all added bytes, in order */
  constructor(send: (bytes: Uint8Array) => void) {
    this.send = send
  }

  add(bytes: Uint8Array): void {
    const now = performance.now()
    if (now - this.windowStart > WINDOW_MS) {
      this.windowStart = now
      this.windowBytes = 0
    }
    this.windowBytes += bytes.length
    if (this.pendingBytes === 0 && this.windowBytes < IMMEDIATE_BYTES) return this.send(bytes)
    this.pending.push(bytes)
    this.pendingBytes += bytes.length
    if (this.pendingBytes >= MAX_PENDING_BYTES) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), WINDOW_MS)
  }

  /** Sends the pending bytes immediately and stops the timer. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.pendingBytes === 0) return
    const bytes = this.pending.length === 1 ? this.pending[0] : Buffer.concat(this.pending)
    this.pending = []
    this.pendingBytes = 0
    if (bytes) this.send(bytes)
  }
}
