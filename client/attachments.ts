import { decodeFrame } from '../shared/protocol/frame.ts'
import type { ClientMessage, ServerMessage } from '../shared/protocol/talk.ts'

/** Draws a terminal in this window. */
export interface TerminalRenderer {
  /** Replaces the whole screen and its scrollback. */
  snapshot: (cols: number, rows: number, data: string) => void
  /** @param parsed called once the bytes are on the screen */
  output: (bytes: Uint8Array, parsed: () => void) => void
}

interface Channel {
  terminal: string
  /** Bytes received since the snapshot. */
  bytes: number
}

/**
 * The terminals that this window shows. The window attaches to each terminal once. A snapshot may arrive at any time:
 * after attaching, when a replay begins or ends, or after a reset. Each snapshot opens a new channel; frames of the
 * terminal's earlier channels are dropped from then on.
 */
export class Attachments {
  private readonly send: (message: ClientMessage) => void
  private readonly asksForSecrets: () => boolean
  private readonly renderers = new Map<string, TerminalRenderer>()
  private readonly channels = new Map<number, Channel>()

  /** @param asksForSecrets whether the terminals of this window show the values of secrets */
  constructor(send: (message: ClientMessage) => void, asksForSecrets: () => boolean) {
    this.send = send
    this.asksForSecrets = asksForSecrets
  }

  /**
   * Draws a terminal with a renderer until the returned function is called. A second renderer of the same terminal
   * replaces the first: if two slides share a terminal, the new slide may show it before the old slide has released it.
   */
  show(terminal: string, renderer: TerminalRenderer): () => void {
    // The new renderer needs a snapshot, which the server sends only after a new attachment.
    if (this.renderers.has(terminal)) this.detach(terminal)
    this.renderers.set(terminal, renderer)
    this.attach(terminal)
    return () => {
      if (this.renderers.get(terminal) === renderer) this.detach(terminal)
    }
  }

  /** Attaches to all terminals again, over a new connection. */
  attachAll(): void {
    this.channels.clear()
    for (const terminal of this.renderers.keys()) this.attach(terminal)
  }

  /** Draws a snapshot and opens its channel. */
  snapshot({ terminal, channel, cols, rows, data }: Extract<ServerMessage, { type: 'snapshot' }>): void {
    this.closeChannels(terminal)
    this.channels.set(channel, { terminal, bytes: 0 })
    this.renderers.get(terminal)?.snapshot(cols, rows, data)
  }

  /** Draws the output in a binary frame, and acknowledges it once it is on the screen. */
  frame(frame: Uint8Array): void {
    const { channel, output } = decodeFrame(frame)
    const entry = this.channels.get(channel)
    if (!entry) return
    entry.bytes += output.length
    const { bytes } = entry
    this.renderers.get(entry.terminal)?.output(output, () => this.send({ type: 'ack', channel, bytes }))
  }

  private attach(terminal: string): void {
    this.send({ type: 'attach', terminal, secrets: this.asksForSecrets() })
  }

  private detach(terminal: string): void {
    this.renderers.delete(terminal)
    this.closeChannels(terminal)
    this.send({ type: 'detach', terminal })
  }

  private closeChannels(terminal: string): void {
    for (const [channel, entry] of this.channels) if (entry.terminal === terminal) this.channels.delete(channel)
  }
}
