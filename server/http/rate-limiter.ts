/**
 * Budget of a window, in units of one common message: at once, and per second afterwards. A speaker's window needs some
 * tens per second; during a burst of output it acknowledges some thousands of frames.
 */
const BURST = 2000
const PER_SECOND = 1000

/** A connection that can stop reading. */
export interface Pausable {
  readonly isOpen: boolean
  pause: () => void
  resume: () => void
}

/**
 * Passes the messages of a connection on no faster than the server can carry them out. Nothing is lost and the order is
 * kept: messages that arrive too fast wait, and the connection is not read meanwhile, so that no more waits than was
 * read at once (64 KiB).
 */
export class RateLimiter<Message> {
  private credit = BURST
  private updatedAt = performance.now()
  private readonly waiting: Message[] = []
  private timer: NodeJS.Timeout | undefined
  private readonly connection: Pausable
  private readonly costOf: (message: Message) => number
  private readonly pass: (message: Message) => void

  /** @param costOf in units of one common message */
  constructor(connection: Pausable, costOf: (message: Message) => number, pass: (message: Message) => void) {
    this.connection = connection
    this.costOf = costOf
    this.pass = pass
  }

  take(message: Message): void {
    this.waiting.push(message)
    if (!this.timer) this.drain()
  }

  private drain(): void {
    this.timer = undefined
    if (!this.connection.isOpen) return
    const now = performance.now()
    this.credit = Math.min(BURST, this.credit + ((now - this.updatedAt) / 1000) * PER_SECOND)
    this.updatedAt = now
    while (this.waiting.length > 0 && this.credit >= 0) {
      const message = this.waiting.shift()
      if (message === undefined) break
      this.credit -= this.costOf(message)
      this.pass(message)
    }
    if (this.waiting.length === 0) return this.connection.resume()
    this.connection.pause()
    this.timer = setTimeout(() => this.drain(), (-this.credit / PER_SECOND) * 1000 + 1)
  }
}
