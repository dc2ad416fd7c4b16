import type { Ref } from 'vue'
import type { RendererBridge } from '../../shared/video/renderer-bridge.ts'
import type { VideoEvent } from '../../shared/video/timeline.ts'
import { encodeFrame } from '../../shared/protocol/frame.ts'
import type { ClientMessage } from '../../shared/protocol/talk.ts'
import { loadTerminal } from '../terminal/load-terminal.ts'
import type { Receive, ReceiveFrame, Transport } from './transport.ts'

/** Set only in a page that the video renderer (server/video/frame-capturer.ts) has opened. */
export const rendererBridge = typeof window === 'undefined' ? undefined : window.understudyRenderer

interface TerminalContent {
  cols: number
  rows: number
  /** Everything written to the terminal since its screen was last replaced. */
  text: string
}

/**
 * Replaces the server in a rendered page: speaks the server's protocol and applies the renderer's events. Only the
 * step page depends on being rendered: it shows a thumbnail instead of a live page.
 */
export class VideoTransport implements Transport {
  private readonly bridge: RendererBridge
  private readonly receive: Receive
  private readonly writeFrame: ReceiveFrame
  private readonly contents = new Map<string, TerminalContent>()
  /** Attached terminals: the channel of the last snapshot, and the bytes sent to and parsed by the page on it. */
  private readonly attached = new Map<string, { channel: number; bytes: number; parsed: number }>()
  private readonly encoder = new TextEncoder()
  private nextChannel = 1

  /**
   * @param receive handles a server message
   * @param writeFrame handles a binary frame of terminal output
   */
  constructor(bridge: RendererBridge, receive: Receive, writeFrame: ReceiveFrame) {
    this.bridge = bridge
    this.receive = receive
    this.writeFrame = writeFrame
    bridge.apply = (event) => this.apply(event)
  }

  /** Sends the `hello` message. */
  open(): void {
    const { profile, steps, terminals } = this.bridge.opening
    this.receive({
      type: 'hello',
      profile,
      role: 'presenter',
      permissions: ['view'],
      share: {},
      version: 'video',
      deck: { state: 'current' },
      steps,
      terminals,
      sync: {},
    })
  }

  /** Handles a message of the client. Messages that would change the stage are ignored. */
  handle(message: ClientMessage): void {
    switch (message.type) {
      case 'attach':
        this.attached.set(message.terminal, { channel: 0, bytes: 0, parsed: 0 })
        return this.sendSnapshot(message.terminal)
      case 'detach':
        this.attached.delete(message.terminal)
        return this.updateUnparsed()
      case 'ack': {
        const entry = [...this.attached.values()].find(({ channel }) => channel === message.channel)
        if (entry) entry.parsed = message.bytes
        return this.updateUnparsed()
      }
    }
  }

  private apply(event: VideoEvent): void {
    switch (event.type) {
      case 'show':
        return this.bridge.go?.(event.slide, event.clicks)
      case 'screen':
        this.contents.set(event.terminal, { cols: event.cols, rows: event.rows, text: event.data })
        return this.sendSnapshot(event.terminal)
      case 'output': {
        const content = this.contents.get(event.terminal)
        if (content) content.text += event.data
        return this.write(event.terminal, event.data)
      }
      case 'step':
        return this.receive({ type: 'step', step: event.step, status: event.status })
      case 'replay':
        return this.receive({ type: 'replay', terminal: event.terminal, ...(event.replay && { replay: event.replay }) })
      case 'sync':
        return this.receive({ type: 'sync', channel: event.channel, state: event.state })
    }
  }

  /** Sends an empty snapshot, then the content as output: only output is acknowledged once it has been parsed. */
  private sendSnapshot(terminal: string): void {
    const content = this.contents.get(terminal)
    if (!content || !this.attached.has(terminal)) return
    const channel = this.nextChannel++
    this.attached.set(terminal, { channel, bytes: 0, parsed: 0 })
    this.receive({ type: 'snapshot', terminal, channel, cols: content.cols, rows: content.rows, data: '' })
    this.write(terminal, content.text)
  }

  private write(terminal: string, text: string): void {
    const entry = this.attached.get(terminal)
    if (!entry?.channel || text === '') return
    const bytes = this.encoder.encode(text)
    entry.bytes += bytes.length
    this.updateUnparsed()
    this.writeFrame(encodeFrame(entry.channel, bytes))
  }

  private updateUnparsed(): void {
    this.bridge.unparsed = [...this.attached.values()].reduce((sum, { bytes, parsed }) => sum + bytes - parsed, 0)
  }
}

/**
 * Gives the renderer access to Slidev's navigation, once terminals can be drawn without delay. Does nothing outside a
 * rendered page.
 */
export async function connectRendererNavigation(nav: {
  go: (no: number, clicks?: number) => Promise<void>
  total: Ref<number>
  currentSlideNo: Ref<number>
  clicksTotal: Ref<number>
}): Promise<void> {
  if (!rendererBridge) return
  await loadTerminal()
  rendererBridge.go = (slide, clicks) => void nav.go(slide, clicks)
  rendererBridge.position = () => ({
    slides: nav.total.value,
    slide: nav.currentSlideNo.value,
    clicks: nav.clicksTotal.value,
  })
}
