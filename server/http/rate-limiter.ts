import type { WebSocket } from 'ws'
import type { ClientMessage } from '../../shared/protocol/talk.ts'

/**
 * What a window may ask for: at once, and per second afterwards, in units of one common message. A speaker's window needs some tens a
 * second, and a flood of output has it acknowledge some thousands of frames.
 */
const BURST = 2000
const PER_SECOND = 1000

/** What a message costs. A snapshot is a megabyte at most, a shell is a process; a paste is as dear as it is long (in UTF-16 units). */
function cost(message: ClientMessage): number {
  switch (message.type) {
    case 'ack':
      return 0.1
    case 'input':
      return 1 + message.data.length / 4096
    case 'save-file':
      return 20 + message.text.length / 4096
    case 'attach':
    case 'run':
    case 'restart':
    case 'replay':
    case 'reset-stage':
    case 'begin-task':
    case 'check-task':
    case 'show-solution':
    case 'apply-solution':
    case 'skip-task':
    case 'reset-task':
    case 'reset-file':
    case 'reset-copy':
    case 'show-diff':
      return 20
    default:
      return 1
  }
}

/**
 * Carries out what a window asks for no faster than the talk can bear. Nothing is lost and the order stays: what comes too fast waits, and
 * the window is not read meanwhile, so that what waits is no more than what was read at once (64 KiB).
 */
export class Rate {
  private credit = BURST
  private since = performance.now()
  private readonly waiting: ClientMessage[] = []
  private timer: NodeJS.Timeout | undefined
  private readonly socket: WebSocket
  private readonly carryOut: (message: ClientMessage) => void

  constructor(socket: WebSocket, carryOut: (message: ClientMessage) => void) {
    this.socket = socket
    this.carryOut = carryOut
  }

  take(message: ClientMessage): void {
    this.waiting.push(message)
    if (!this.timer) this.drain()
  }

  private drain(): void {
    this.timer = undefined
    // Who is gone waits for nothing.
    if (this.socket.readyState !== this.socket.OPEN) return
    const now = performance.now()
    this.credit = Math.min(BURST, this.credit + ((now - this.since) / 1000) * PER_SECOND)
    this.since = now
    while (this.waiting.length > 0 && this.credit >= 0) {
      const message = this.waiting.shift()
      if (!message) break
      this.credit -= cost(message)
      this.carryOut(message)
    }
    if (this.waiting.length === 0) return this.socket.resume()
    this.socket.pause()
    this.timer = setTimeout(() => this.drain(), (-this.credit / PER_SECOND) * 1000 + 1)
  }
}
