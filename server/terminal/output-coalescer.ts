/** Milliseconds of a window: less than a frame of the browser. */
const WINDOW = 5
/** Bytes in a window below which each chunk goes out at once: keys and their echo. */
const QUIET = 4096
/** Bytes that go out without waiting for the end of the window. */
const FULL = 65_536

/**
 * Gathers a flood into few frames, and lets the echo of a key pass at once.
 */
export class Batch {
  private readonly out: (bytes: Uint8Array) => void
  private chunks: Uint8Array[] = []
  private gathered = 0
  private windowStart = 0
  private windowBytes = 0
  private timer: NodeJS.Timeout | undefined

  constructor(out: (bytes: Uint8Array) => void) {
    this.out = out
  }

  add(bytes: Uint8Array): void {
    const now = performance.now()
    if (now - this.windowStart > WINDOW) {
      this.windowStart = now
      this.windowBytes = 0
    }
    this.windowBytes += bytes.length
    if (this.gathered === 0 && this.windowBytes < QUIET) return this.out(bytes)
    this.chunks.push(bytes)
    this.gathered += bytes.length
    if (this.gathered >= FULL) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), WINDOW)
  }

  /** Sends what was gathered. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.gathered === 0) return
    const bytes = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks)
    this.chunks = []
    this.gathered = 0
    if (bytes) this.out(bytes)
  }
}
