import { type Cast, parseCast } from '../../shared/recording/cast.ts'
import { Player } from '../../shared/recording/player.ts'
import type { ClientMessage, ServerMessage } from '../../shared/protocol/talk.ts'
import { type StaticDeck, staticDeck } from '../../shared/static-deck.ts'
import { ticker } from '../ticker.ts'

/**
 * What answers a window where there is no server: in the static site, and in the pages that are exported. It speaks the server's
 * protocol, so nothing else in the browser knows of it; it runs nothing, and shows recordings instead.
 */

const casts = import.meta.glob<string>('/recordings/*/*.cast', { query: '?raw', import: 'default' })
const thumbnails = import.meta.glob('/recordings/*/*.png', { eager: true, query: '?url', import: 'default' })

/** The deck of a static site; undefined where a server is to be asked. */
export function staticDeckHere(): StaticDeck | undefined {
  const text = import.meta.env.VITE_UNDERSTUDY_STATIC
  return text ? staticDeck.parse(JSON.parse(text)) : undefined
}

/** Address of the picture of a step's page in a static site. */
export function staticThumbnail(profile: string, step: string): string | undefined {
  const url = thumbnails[`/recordings/${profile}/${step}.png`]
  return typeof url === 'string' ? url : undefined
}

/** The recording of a step in a static site. */
export async function staticCast(profile: string, step: string): Promise<string | undefined> {
  return casts[`/recordings/${profile}/${step}.cast`]?.()
}

interface Shown {
  step: string
  player: Player
  cols: number
  rows: number
  /** All that is on the screen by now. */
  text: string
}

export class StaticServer {
  private readonly deck: StaticDeck
  private readonly receive: (message: ServerMessage) => void
  private readonly paint: (channel: number, text: string) => void
  private readonly attached = new Map<string, number>()
  private readonly shown = new Map<string, Promise<Shown | undefined>>()
  private nextChannel = 1

  /** @param paint writes to the screen of a channel, as a binary frame does */
  constructor(
    deck: StaticDeck,
    receive: (message: ServerMessage) => void,
    paint: (channel: number, text: string) => void,
  ) {
    this.deck = deck
    this.receive = receive
    this.paint = paint
  }

  /** Greets the window, as a server does. */
  open(): void {
    const names = new Set(this.deck.steps.map(({ terminal }) => terminal))
    this.receive({
      type: 'hello',
      profile: this.deck.steps.find(({ recording }) => recording)?.recording?.profile ?? 'host',
      role: 'presenter',
      permissions: ['view', 'run', 'navigate', 'replay'],
      share: {},
      version: 'static',
      deck: { state: 'current' },
      steps: this.deck.steps,
      terminals: [...names].map((name) => ({ name, ...this.deck.grid, state: { state: 'new' } })),
      sync: {},
    })
  }

  async handle(message: ClientMessage): Promise<void> {
    switch (message.type) {
      case 'attach': {
        this.attached.set(message.terminal, 0)
        // Before anything is asked for, a terminal shows how its first step ended.
        const first = this.deck.steps.find(({ terminal, recording }) => terminal === message.terminal && recording)
        if (!this.shown.has(message.terminal) && first) await this.show(first.id, 'end')
        return this.snapshot(message.terminal)
      }
      case 'detach':
        return void this.attached.delete(message.terminal)
      case 'run':
      case 'replay':
        return this.show(message.step, message.type === 'run' || message.on ? 'beginning' : 'end')
      case 'playback': {
        const player = (await this.shown.get(message.terminal))?.player
        if (message.action === 'faster') player?.setSpeed(player.playback.speed * 2)
        else if (message.action === 'slower') player?.setSpeed(player.playback.speed / 2)
        else player?.[message.action]()
      }
    }
  }

  private async show(id: string, from: 'beginning' | 'end'): Promise<void> {
    const step = this.deck.steps.find((other) => other.id === id)
    const recording = step?.recording
    if (!step || !recording) return
    ;(await this.shown.get(step.terminal))?.player.dispose()
    const loading = this.load(step.terminal, id, recording.profile)
    this.shown.set(step.terminal, loading)
    const shown = await loading
    // Another one was asked for while this one was loaded.
    if (!shown || this.shown.get(step.terminal) !== loading) return
    await this.snapshot(step.terminal)
    if (from === 'beginning') shown.player.play()
    else shown.player.skip()
  }

  private async load(terminal: string, step: string, profile: string): Promise<Shown | undefined> {
    const text = await staticCast(profile, step)
    if (text === undefined) return undefined
    let cast: Cast
    try {
      cast = parseCast(text)
    } catch {
      return undefined
    }
    const shown: Shown = {
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
            if (channel) this.paint(channel, data)
          },
          clear: () => {
            shown.text = ''
            void this.snapshot(terminal)
          },
          changed: () => this.tell(terminal, shown),
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
    this.tell(terminal, shown)
  }

  private tell(terminal: string, { step, player }: Shown): void {
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
