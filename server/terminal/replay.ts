import type { Cast } from '../../shared/recording/cast.ts'
import { Player } from '../../shared/recording/player.ts'
import { ticker } from '../lib/ticker.ts'
import { Broadcast, type Source, type Viewer } from './broadcast.ts'

/** Plays a recording to viewers, which attach to it as they attach to a session. */
export class Replay extends Player implements Source {
  private readonly broadcast: Broadcast
  private readonly listeners = new Set<() => void>()

  /** @param cast its header determines the grid, which may differ from that of the session */
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

  /** @param listener called when `playback` changes; removed by `dispose` */
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
