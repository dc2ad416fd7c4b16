import type { Ref } from 'vue'
import type { Filming } from '../../shared/video/renderer-bridge.ts'
import type { FilmEvent } from '../../shared/video/timeline.ts'
import { type ClientMessage, type ServerMessage } from '../../shared/protocol/talk.ts'
import { encodeFrame } from '../../shared/protocol/frame.ts'

/**
 * What answers a window that is filmed: it speaks the server's protocol, and shows what the renderer (server/video/frame-capturer.ts) hands it. Nothing else in the
 * browser knows of it, but that a step's page is its picture.
 */

export const filming = typeof window === 'undefined' ? undefined : window.understudyFilm

interface Shown {
  cols: number
  rows: number
  /** All that is on the screen by now. */
  text: string
}

export class FilmServer {
  private readonly film: Filming
  private readonly receive: (message: ServerMessage) => void
  private readonly paint: (channel: number, bytes: Uint8Array) => void
  private readonly shown = new Map<string, Shown>()
  /** Terminals that the window shows, with the channel of their last snapshot, and the bytes that it was given and has parsed since. */
  private readonly attached = new Map<string, { channel: number; bytes: number; parsed: number }>()
  private readonly encoder = new TextEncoder()
  private nextChannel = 1

  /** @param paint writes to the screen of a channel, as a binary frame does */
  constructor(film: Filming, receive: (message: ServerMessage) => void, paint: (frame: Uint8Array) => void) {
    this.film = film
    this.receive = receive
    this.paint = (channel, bytes) => paint(encodeFrame(channel, bytes))
    film.act = (event) => this.act(event)
  }

  open(): void {
    const { profile, steps, terminals } = this.film.opening
    this.receive({
      type: 'hello',
      profile,
      role: 'presenter',
      permissions: ['view'],
      share: {},
      version: 'film',
      deck: { state: 'current' },
      steps,
      terminals,
      sync: {},
    })
  }

  handle(message: ClientMessage): void {
    switch (message.type) {
      case 'attach':
        this.attached.set(message.terminal, { channel: 0, bytes: 0, parsed: 0 })
        return this.snapshot(message.terminal)
      case 'detach':
        this.attached.delete(message.terminal)
        return this.count()
      case 'ack': {
        const entry = [...this.attached.values()].find(({ channel }) => channel === message.channel)
        if (entry) entry.parsed = message.bytes
        return this.count()
      }
    }
  }

  private act(event: FilmEvent): void {
    switch (event.type) {
      case 'show':
        return this.film.go?.(event.slide, event.clicks)
      case 'screen':
        this.shown.set(event.terminal, { cols: event.cols, rows: event.rows, text: event.data })
        return this.snapshot(event.terminal)
      case 'output': {
        const shown = this.shown.get(event.terminal)
        if (shown) shown.text += event.data
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

  /** What a window shows that comes now. The text follows as output, so that it is known when it is on the screen. */
  private snapshot(terminal: string): void {
    const shown = this.shown.get(terminal)
    if (!shown || !this.attached.has(terminal)) return
    const channel = this.nextChannel++
    this.attached.set(terminal, { channel, bytes: 0, parsed: 0 })
    this.receive({ type: 'snapshot', terminal, channel, cols: shown.cols, rows: shown.rows, data: '' })
    this.write(terminal, shown.text)
  }

  private write(terminal: string, text: string): void {
    const entry = this.attached.get(terminal)
    if (!entry?.channel || text === '') return
    const bytes = this.encoder.encode(text)
    entry.bytes += bytes.length
    this.count()
    this.paint(entry.channel, bytes)
  }

  private count(): void {
    this.film.unparsed = [...this.attached.values()].reduce((sum, { bytes, parsed }) => sum + bytes - parsed, 0)
  }
}

/** Lets the renderer turn the slides. To be called where Slidev's navigation can be had. */
export function turnForFilm(nav: {
  go: (no: number, clicks?: number) => Promise<void>
  total: Ref<number>
  currentSlideNo: Ref<number>
  clicksTotal: Ref<number>
}): void {
  if (!filming) return
  filming.go = (slide, clicks) => void nav.go(slide, clicks)
  filming.extent = () => ({ slides: nav.total.value, slide: nav.currentSlideNo.value, clicks: nav.clicksTotal.value })
}
