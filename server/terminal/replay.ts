import { ticker } from '../lib/ticker.ts'
import { Broadcast, type Viewer } from './broadcast.ts'
import type { Cast } from '../../shared/recording/cast.ts'
import { Player } from '../../shared/recording/player.ts'

/** Shows a recording to viewers as a session shows its output. */
export class Replay extends Player {
  private readonly broadcast: Broadcast
  private readonly listeners = new Set<() => void>()

  /** @param cast its own size is used: a recording shows what was on the screen then */
  constructor(cast: Cast) {
    const broadcast = new Broadcast({ ...cast.header.term, onReply: () => {}, onBehind: () => {} })
    super(
      cast,
      {
        output: (data) => broadcast.write(Buffer.from(data)),
        clear: () => broadcast.clear(),
        changed: () => {
          for (const listener of this.listeners) listener()
        },
      },
      ticker,
    )
    this.broadcast = broadcast
  }

  onPlayback(listener: () => void): void {
    this.listeners.add(listener)
  }

  attach(viewer: Viewer): number {
    return this.broadcast.attach(viewer)
  }

  detach(handle: number): void {
    this.broadcast.detach(handle)
  }

  ack(channel: number, bytes: number): void {
    this.broadcast.ack(channel, bytes)
  }

  override dispose(): void {
    super.dispose()
    this.listeners.clear()
    this.broadcast.dispose()
  }
}
