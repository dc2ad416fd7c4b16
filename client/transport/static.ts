import { type Cast, parseCast } from '../../shared/recording/cast.ts'
import { type PlaybackAction, Player } from '../../shared/recording/player.ts'
import { encodeFrame } from '../../shared/protocol/frame.ts'
import type { ClientMessage } from '../../shared/protocol/talk.ts'
import { type StaticDeck, staticDeck } from '../../shared/static-deck.ts'
import { ticker } from '../ticker.ts'
import type { Receive, ReceiveFrame, Transport } from './transport.ts'

const casts = import.meta.glob<string>('/recordings/*/*.cast', { query: '?raw', import: 'default' })
const thumbnails = import.meta.glob('/recordings/*/*.png', { eager: true, query: '?url', import: 'default' })

/** The deck of a static site; undefined if this page belongs to a server. */
export function staticDeckHere(): StaticDeck | undefined {
  const text = import.meta.env.VITE_UNDERSTUDY_STATIC
  return text ? staticDeck.parse(JSON.parse(text)) : undefined
}

/** Address of the thumbnail of a step's page in a static site; undefined if there is none. */
export function staticThumbnail(profile: string, step: string): string | undefined {
  const url = thumbnails[`/recordings/${profile}/${step}.png`]
  return typeof url === 'string' ? url : undefined
}

/** The recording of a step in a static site, as the text of a cast; undefined if there is none. */
export async function staticCast(profile: string, step: string): Promise<string | undefined> {
  return casts[`/recordings/${profile}/${step}.cast`]?.()
}

/** The recording that a terminal shows. */
interface ShownRecording {
  step: string
  player: Player
  cols: number
  rows: number
  /** All output up to the current position. */
  text: string
}

/** Permissions without a server. `run` plays a recording. */
const PERMISSIONS = ['view', 'run', 'navigate', 'replay'] as const

/**
 * Replaces the server in a static site and in exported pages: speaks the server's protocol, so that the rest of the
 * page needs no special case, and plays recordings instead of running steps.
 */
export class StaticTransport implements Transport {
  private readonly deck: StaticDeck
  private readonly receive: Receive
  private readonly receiveFrame: ReceiveFrame
  private readonly encoder = new TextEncoder()
  /** The channel of each attached terminal; 0 before its first snapshot. */
  private readonly attached = new Map<string, number>()
  private readonly shown = new Map<string, Promise<ShownRecording | undefined>>()
  private nextChannel = 1

  constructor(deck: StaticDeck, receive: Receive, receiveFrame: ReceiveFrame) {
    this.deck = deck
    this.receive = receive
    this.receiveFrame = receiveFrame
  }

  open(): void {
    const names = new Set(this.deck.steps.map(({ terminal }) => terminal))
    this.receive({
      type: 'hello',
      profile: this.deck.steps.find(({ recording }) => recording)?.recording?.profile ?? 'host',
      role: 'presenter',
      permissions: [...PERMISSIONS],
      share: {},
      commands: this.deck.commands,
      version: 'static',
      deck: { state: 'current' },
      steps: this.deck.steps,
      terminals: [...names].map((name) => ({ name, ...this.deck.grid, state: { state: 'new' } })),
      sync: {},
    })
  }

  handle(message: ClientMessage): void {
    switch (message.type) {
      case 'attach':
        void this.attach(message.terminal)
        return
      case 'detach':
        this.attached.delete(message.terminal)
        return
      case 'run':
        void this.show(message.step, 'start')
        return
      case 'replay':
        void this.show(message.step, message.on ? 'start' : 'end')
        return
      case 'playback':
        void this.control(message.terminal, message.action)
    }
  }

  private async attach(terminal: string): Promise<void> {
    this.attached.set(terminal, 0)
    // Until a recording is chosen, a terminal shows the end of its first step.
    const first = this.deck.steps.find((step) => step.terminal === terminal && step.recording)
    if (!this.shown.has(terminal) && first) await this.show(first.id, 'end')
    await this.snapshot(terminal)
  }

  private async control(terminal: string, action: PlaybackAction): Promise<void> {
    const shown = await this.shown.get(terminal)
    shown?.player.control(action)
  }

  private async show(id: string, from: 'start' | 'end'): Promise<void> {
    const step = this.deck.steps.find((other) => other.id === id)
    const recording = step?.recording
    if (!step || !recording) return
    ;(await this.shown.get(step.terminal))?.player.dispose()
    const loading = this.load(step.terminal, id, recording.profile)
    this.shown.set(step.terminal, loading)
    const shown = await loading
    // Another recording was chosen while this one was loading.
    if (!shown || this.shown.get(step.terminal) !== loading) return
    await this.snapshot(step.terminal)
    if (from === 'start') shown.player.play()
    else shown.player.skip()
  }

  private async load(terminal: string, step: string, profile: string): Promise<ShownRecording | undefined> {
    const text = await staticCast(profile, step)
    if (text === undefined) return undefined
    let cast: Cast
    try {
      cast = parseCast(text)
    } catch {
      return undefined
    }
    const shown: ShownRecording = {
      step,
      cols: cast.header.term.cols,
      rows: cast.header.term.rows,
      text: '',
      player: new Player(
        cast,
        {
          output: (data) => {
            shown.text += data
            const channel = this.attached.get(terminal)
            if (channel) this.receiveFrame(encodeFrame(channel, this.encoder.encode(data)))
          },
          clear: () => {
            shown.text = ''
            void this.snapshot(terminal)
          },
          changed: () => this.sendReplay(terminal, shown),
        },
        ticker,
      ),
    }
    return shown
  }

  private async snapshot(terminal: string): Promise<void> {
    const shown = await this.shown.get(terminal)
    if (!shown || !this.attached.has(terminal)) return
    const channel = this.nextChannel++
    this.attached.set(terminal, channel)
    this.receive({ type: 'snapshot', terminal, channel, cols: shown.cols, rows: shown.rows, data: shown.text })
    this.sendReplay(terminal, shown)
  }

  private sendReplay(terminal: string, { step, player }: ShownRecording): void {
    const recording = this.deck.steps.find(({ id }) => id === step)?.recording
    if (!recording) return
    const { readyAt } = player
    this.receive({
      type: 'replay',
      terminal,
      replay: {
        step,
        profile: recording.profile,
        date: recording.date,
        ...player.playback,
        ...(readyAt !== undefined && { ready: readyAt }),
      },
    })
  }
}
