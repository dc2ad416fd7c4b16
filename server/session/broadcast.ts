import { Batch } from './batch.ts'
import { Screen } from './screen.ts'

/** One browser view of a terminal. */
export interface Viewer {
  /** Paints the whole screen; the output of the channel that follows continues there. */
  snapshot(channel: number, cols: number, rows: number, data: string): void
  output(channel: number, bytes: Uint8Array): void
}

export interface BroadcastOptions {
  cols: number
  rows: number
  /** What the screen answers to a program's questions. */
  onReply(data: string): void
  /** The screen is behind (true), or has caught up: what writes should wait meanwhile. */
  onBehind(behind: boolean): void
}

/** Bytes that a viewer may be behind before it is sent no more and gets a fresh snapshot instead: 1 MiB. */
const VIEWER_BEHIND = 1 << 20
/** Bytes that the screen may be behind before it says so (1 MiB), and before it has caught up again (256 KiB). */
const SCREEN_BEHIND = { pause: 1 << 20, resume: 1 << 18 } as const

/** A channel is named by its number alone, and a window shows several terminals: no two of them ever share one. */
let nextChannel = 1

/** A viewer's place in the stream. */
interface Attachment {
  viewer: Viewer
  channel: number
  /** Bytes sent since the snapshot, and how many of them the viewer has parsed. */
  sent: number
  acked: number
  /** Output that came while its snapshot was on the way; undefined once it is live. */
  early: Uint8Array[] | undefined
  /** Too far behind: nothing is sent until it has caught up. */
  lagging: boolean
}

/** Shows one stream of terminal output to any number of viewers: the same screen to all, whenever they come and however slow they are. */
export class Broadcast {
  private readonly options: BroadcastOptions
  private screen: Screen
  private readonly attachments = new Map<number, Attachment>()
  private readonly batch = new Batch((bytes) => this.send(bytes))
  private unparsed = 0

  constructor(options: BroadcastOptions) {
    this.options = options
    this.screen = this.newScreen()
  }

  /**
   * Shows the stream to a viewer: a snapshot first, then everything that comes after it.
   *
   * @returns what `detach` takes
   */
  attach(viewer: Viewer): number {
    const attachment: Attachment = { viewer, channel: nextChannel++, sent: 0, acked: 0, early: [], lagging: false }
    this.attachments.set(attachment.channel, attachment)
    const handle = attachment.channel
    this.paint(attachment)
    return handle
  }

  detach(handle: number): void {
    this.attachments.delete(handle)
  }

  /** @param bytes parsed by the viewer since the snapshot of that channel */
  ack(channel: number, bytes: number): void {
    for (const attachment of this.attachments.values()) {
      if (attachment.channel !== channel) continue
      attachment.acked = Math.min(Math.max(attachment.acked, bytes), attachment.sent)
      if (attachment.lagging && attachment.acked === attachment.sent) {
        attachment.lagging = false
        attachment.channel = nextChannel++
        this.paint(attachment)
      }
    }
  }

  /** @param bytes not cut within an escape sequence or a character: a viewer may join between any two pieces */
  write(bytes: Uint8Array): void {
    this.unparsed += bytes.length
    const screen = this.screen
    screen.write(bytes, () => {
      if (screen !== this.screen) return
      this.unparsed -= bytes.length
      if (this.unparsed < SCREEN_BEHIND.resume) this.options.onBehind(false)
    })
    if (this.unparsed > SCREEN_BEHIND.pause) this.options.onBehind(true)
    this.batch.add(bytes)
  }

  /** Begins with an empty screen, for every viewer. */
  clear(): void {
    this.batch.flush()
    this.screen.dispose()
    this.screen = this.newScreen()
    this.unparsed = 0
    for (const attachment of this.attachments.values()) {
      attachment.channel = nextChannel++
      this.paint(attachment)
    }
  }

  dispose(): void {
    // A snapshot that is on its way has nothing to show any more.
    for (const attachment of this.attachments.values()) attachment.early = undefined
    this.attachments.clear()
    this.screen.dispose()
  }

  private newScreen(): Screen {
    return new Screen(this.options.cols, this.options.rows, (reply) => this.options.onReply(reply))
  }

  /** Sends a snapshot once everything that came so far is on the screen; what comes meanwhile follows it. */
  private paint(attachment: Attachment): void {
    this.batch.flush()
    attachment.sent = 0
    attachment.acked = 0
    const early: Uint8Array[] = []
    attachment.early = early
    const screen = this.screen
    screen.write('', () => {
      // Painted anew meanwhile, or gone.
      if (attachment.early !== early || screen !== this.screen) return
      this.batch.flush()
      attachment.early = undefined
      attachment.viewer.snapshot(attachment.channel, this.options.cols, this.options.rows, screen.snapshot())
      for (const bytes of early) this.sendTo(attachment, bytes)
    })
  }

  private send(bytes: Uint8Array): void {
    for (const attachment of this.attachments.values()) {
      if (attachment.early) attachment.early.push(bytes)
      else this.sendTo(attachment, bytes)
    }
  }

  private sendTo(attachment: Attachment, bytes: Uint8Array): void {
    if (attachment.lagging) return
    attachment.sent += bytes.length
    attachment.viewer.output(attachment.channel, bytes)
    if (attachment.sent - attachment.acked > VIEWER_BEHIND) attachment.lagging = true
  }
}
