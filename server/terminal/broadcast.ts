import { Batch } from './output-coalescer.ts'
import { SCROLLBACK } from './screen.ts'
import { ThreadedScreen } from './worker-screen.ts'

/** A stream of terminal output that viewers attach to: a session, its redacted output, or a replay. */
export interface Source {
  /**
   * Shows the stream to a viewer: a snapshot first, then everything that follows it.
   *
   * @returns the handle for `detach`
   */
  attach: (viewer: Viewer) => number
  detach: (handle: number) => void
  /** @param bytes that the viewer has parsed since the snapshot of that channel */
  ack: (channel: number, bytes: number) => void
}

/** One browser view of a terminal. */
export interface Viewer {
  /** Paints the whole screen; the output of the channel that follows continues there. */
  snapshot: (channel: number, cols: number, rows: number, data: string) => void
  output: (channel: number, bytes: Uint8Array) => void
  /** Bytes that were sent and that its connection has not taken yet; none unless given. */
  buffered?: () => number
  /** It is shown every byte, also in a flood: it keeps them, and is no eye. */
  readonly lossless?: boolean
}

export interface BroadcastOptions {
  cols: number
  rows: number
  /** What the screen answers to a program's questions. */
  onReply: (data: string) => void
  /** The screen is behind (true), or has caught up: what writes should wait meanwhile. */
  onBehind: (behind: boolean) => void
}

/**
 * Bytes that a viewer may be behind before it is sent no more and gets a fresh snapshot instead (384 KiB). A browser draws about 10 MB/s:
 * what it sees in a flood is 40 ms old at most.
 */
const VIEWER_BEHIND = 384 << 10
/** Bytes that a viewer's connection may hold before it is sent no more, whatever it has acknowledged (2 MiB). */
const CONNECTION_FULL = 2 << 20
/** Milliseconds before a connection that was full is looked at again. */
const LOOK_AGAIN = 100
/** Bytes that the screen may be behind before it says so (1 MiB), and before it has caught up again (512 KiB). */
const SCREEN_BEHIND = { pause: 1 << 20, resume: 512 << 10 } as const
/**
 * More than 128 KiB in 50 ms are a flood: 10,000 lines a second and more, which nobody reads and a browser draws at the cost of all else.
 * Eyes are shown pictures of the screen then, one in each such time, and live output again once it is over.
 */
const FLOOD = { bytes: 128 << 10, milliseconds: 50 } as const
/** The lines above the screen follow a flood once less than 64 KiB came in 250 ms. */
const CALM = { bytes: 64 << 10, milliseconds: 250 } as const

/** A channel is named by its number alone, and a window shows several terminals: no two of them ever share one. */
let nextChannel = 1
/** Of a viewer that was not shown anything yet. */
const UNSEEN = 0
let nextHandle = 1

/** A viewer's place in the stream. */
interface Attachment {
  readonly viewer: Viewer
  channel: number
  /** Bytes sent since the snapshot, and how many of them the viewer has parsed. */
  sent: number
  acked: number
  /**
   * `painting`: its snapshot is on the way, and what comes meanwhile is kept; `behind`: it is sent no output, until a flood is over and it
   * has parsed all that it was sent.
   */
  state: { is: 'live' } | { is: 'painting'; early: Uint8Array[] } | { is: 'behind'; lookAgain?: NodeJS.Timeout }
  /** Its last snapshot was of the screen alone: the lines above follow once the flood is over. */
  screenOnly: boolean
}

/** Shows one stream of terminal output to any number of viewers: the same screen to all, whenever they come and however slow they are. */
export class Broadcast {
  private readonly options: BroadcastOptions
  private screen: ThreadedScreen
  private readonly attachments = new Map<number, Attachment>()
  private readonly batch = new Batch((bytes) => this.send(bytes))
  /** Bytes that the screen has not parsed yet. */
  private unparsed = 0
  /** Bytes since `since`, and what shows pictures while they are a flood. */
  private window = { since: 0, bytes: 0 }
  private flood: NodeJS.Timeout | undefined
  /** Bytes since it was last looked whether it is calm. */
  private recent = 0
  private calming: NodeJS.Timeout | undefined

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
    const handle = nextHandle++
    const attachment: Attachment = {
      viewer,
      channel: UNSEEN,
      sent: 0,
      acked: 0,
      state: { is: 'behind' },
      screenOnly: false,
    }
    this.attachments.set(handle, attachment)
    this.catchUp(attachment, SCROLLBACK)
    return handle
  }

  detach(handle: number): void {
    const attachment = this.attachments.get(handle)
    if (attachment) this.become(attachment, { is: 'live' })
    this.attachments.delete(handle)
  }

  /** @param bytes parsed by the viewer since the snapshot of that channel */
  ack(channel: number, bytes: number): void {
    for (const attachment of this.attachments.values()) {
      if (attachment.channel !== channel) continue
      attachment.acked = Math.min(Math.max(attachment.acked, bytes), attachment.sent)
      if (attachment.state.is === 'behind') this.catchUp(attachment, 0)
    }
  }

  /** @param bytes not cut within an escape sequence or a character: a viewer may join between any two pieces */
  write(bytes: Uint8Array): void {
    this.unparsed += bytes.length
    this.recent += bytes.length
    if (this.unparsed > SCREEN_BEHIND.pause) this.options.onBehind(true)
    this.batch.add(bytes)
  }

  /** Begins with an empty screen, for every viewer. */
  clear(): void {
    this.batch.flush()
    this.screen.dispose()
    this.unparsed = 0
    this.screen = this.newScreen()
    for (const attachment of this.attachments.values()) this.paint(attachment, SCROLLBACK)
  }

  dispose(): void {
    for (const handle of [...this.attachments.keys()]) this.detach(handle)
    clearTimeout(this.calming)
    clearInterval(this.flood)
    this.batch.flush()
    this.screen.dispose()
  }

  private newScreen(): ThreadedScreen {
    const screen: ThreadedScreen = new ThreadedScreen({
      cols: this.options.cols,
      rows: this.options.rows,
      onReply: (reply) => this.options.onReply(reply),
      onParsed: (bytes) => {
        if (screen !== this.screen) return
        this.unparsed -= bytes
        if (this.unparsed < SCREEN_BEHIND.resume) this.options.onBehind(false)
      },
    })
    return screen
  }

  /** To the screen and to the viewers alike, so that a snapshot and what follows it join at one byte. */
  private send(bytes: Uint8Array): void {
    this.screen.write(bytes)
    this.watchFlood(bytes.length)
    for (const attachment of this.attachments.values()) {
      if (attachment.state.is === 'painting') attachment.state.early.push(bytes)
      else if (attachment.state.is === 'live' && this.sparesOf(attachment)) this.become(attachment, { is: 'behind' })
      else this.sendTo(attachment, bytes)
    }
  }

  /** Whether a viewer is spared the output, as there is a flood of it. */
  private sparesOf({ viewer }: Attachment): boolean {
    return this.flood !== undefined && !viewer.lossless
  }

  private watchFlood(bytes: number): void {
    const now = performance.now()
    if (!this.flood && now - this.window.since > FLOOD.milliseconds) this.window = { since: now, bytes: 0 }
    this.window.bytes += bytes
    if (!this.flood && this.window.bytes > FLOOD.bytes)
      this.flood = setInterval(() => this.showFlood(), FLOOD.milliseconds)
  }

  /** Shows a picture to everyone who is spared the flood; live output once it is over. */
  private showFlood(): void {
    const over = this.window.bytes < FLOOD.bytes
    this.window.bytes = 0
    const spared = [...this.attachments.values()].filter(
      ({ viewer, state }) => state.is === 'behind' && !viewer.lossless,
    )
    if (over) {
      clearInterval(this.flood)
      this.flood = undefined
      for (const attachment of spared) this.catchUp(attachment, 0)
    } else if (spared.length > 0) {
      const { screen } = this
      screen.snapshot(0, (data) => {
        if (screen !== this.screen) return
        for (const attachment of spared)
          if (attachment.state.is === 'behind' && attachment.acked === attachment.sent && !full(attachment.viewer))
            this.show(attachment, data, false)
      })
    }
  }

  private sendTo(attachment: Attachment, bytes: Uint8Array): void {
    if (attachment.state.is !== 'live') return
    const { viewer } = attachment
    attachment.sent += bytes.length
    viewer.output(attachment.channel, bytes)
    if (attachment.sent - attachment.acked > VIEWER_BEHIND || full(viewer)) {
      this.become(attachment, { is: 'behind' })
      // One that has acknowledged all of it, and has a full connection all the same, does not do it again.
      this.catchUp(attachment, 0)
    }
  }

  /** Shows a viewer that was sent no more what there is now, as soon as it can take it. */
  private catchUp(attachment: Attachment, scrollback: number): void {
    if (attachment.acked < attachment.sent || (attachment.channel !== UNSEEN && this.sparesOf(attachment))) return
    if (full(attachment.viewer))
      this.become(attachment, {
        is: 'behind',
        lookAgain: setTimeout(() => this.catchUp(attachment, scrollback), LOOK_AGAIN).unref(),
      })
    else this.paint(attachment, scrollback)
  }

  private become(attachment: Attachment, state: Attachment['state']): void {
    if (attachment.state.is === 'behind') clearTimeout(attachment.state.lookAgain)
    attachment.state = state
  }

  /** Sends a snapshot of everything that came so far; what comes meanwhile follows it. */
  private paint(attachment: Attachment, scrollback: number): void {
    // What was gathered is on the snapshot.
    this.batch.flush()
    const painting = { is: 'painting' as const, early: [] as Uint8Array[] }
    this.become(attachment, painting)
    this.screen.snapshot(scrollback, (data) => {
      // Painted anew meanwhile, or gone.
      if (attachment.state !== painting) return
      const spared = this.sparesOf(attachment)
      this.become(attachment, spared ? { is: 'behind' } : { is: 'live' })
      this.show(attachment, data, scrollback === SCROLLBACK && !spared)
      for (const bytes of painting.early) this.sendTo(attachment, bytes)
    })
  }

  /** @param whole the lines above the screen are in it, and what follows it is live */
  private show(attachment: Attachment, data: string, whole: boolean): void {
    attachment.channel = nextChannel++
    attachment.sent = 0
    attachment.acked = 0
    attachment.screenOnly = !whole
    attachment.viewer.snapshot(attachment.channel, this.options.cols, this.options.rows, data)
    if (!whole) this.awaitCalm()
  }

  /** Gives the viewers that were behind the lines above the screen once the flood is over. */
  private awaitCalm(): void {
    if (this.calming) return
    this.recent = 0
    this.calming = setTimeout(() => {
      this.calming = undefined
      const calm = this.recent < CALM.bytes
      const left = [...this.attachments.values()].filter(({ screenOnly }) => screenOnly)
      for (const attachment of left)
        if (calm && attachment.state.is === 'live' && attachment.acked === attachment.sent)
          this.paint(attachment, SCROLLBACK)
      if (left.length > 0) this.awaitCalm()
    }, CALM.milliseconds).unref()
  }
}

function full(viewer: Viewer): boolean {
  return (viewer.buffered?.() ?? 0) > CONNECTION_FULL
}
