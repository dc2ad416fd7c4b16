import { OutputCoalescer } from './output-coalescer.ts'
import { SCROLLBACK_LINES } from './screen.ts'
import { WorkerScreen } from './worker-screen.ts'

/** A stream of terminal output that viewers attach to: a session, its redacted output, or a replay. */
export interface Source {
  /**
   * Shows the stream to a viewer: a snapshot first, then everything that follows it.
   *
   * @returns the handle for `detach`
   */
  attach: (viewer: Viewer) => number
  detach: (handle: number) => void
  /** @param bytes number of bytes that the viewer has parsed since the snapshot of the channel */
  ack: (channel: number, bytes: number) => void
}

/** One browser view of a terminal, or a recorder. */
export interface Viewer {
  /**
   * Replaces the whole screen. Output that follows on the same channel continues from there.
   *
   * @param data text that reproduces the screen in an empty terminal of this size
   */
  snapshot: (channel: number, cols: number, rows: number, data: string) => void
  output: (channel: number, bytes: Uint8Array) => void
  /** Bytes in the send buffer of the viewer's connection. Absent if the viewer has no connection. */
  buffered?: () => number
  /**
   * Whether the viewer receives every byte even during an output burst, provided that it acknowledges in time. Used by
   * recorders.
   */
  readonly lossless?: boolean
}

export interface BroadcastOptions {
  cols: number
  rows: number
  /** Receives replies to a program's queries, such as device attributes and the cursor position. */
  onReply: (data: string) => void
  /** Backpressure: the caller should stop writing when the screen is behind (true), until it has caught up (false). */
  onBehind: (behind: boolean) => void
}

/**
 * Unacknowledged bytes above which a viewer receives no more output and gets a new snapshot instead (384 KiB). A
 * browser parses about 10 MB/s, so its screen is at most 40 ms old.
 */
const MAX_VIEWER_LAG_BYTES = 384 << 10
/** Bytes in the send buffer of a viewer's connection above which the viewer receives nothing (2 MiB). */
const MAX_CONNECTION_BUFFER_BYTES = 2 << 20
/** Interval at which a full connection is checked. */
const CONNECTION_RETRY_MS = 100
/** Unparsed bytes above which the screen is behind (1 MiB), and below which it has caught up (512 KiB). */
const SCREEN_LAG_BYTES = { pause: 1 << 20, resume: 512 << 10 } as const
/**
 * More than 128 KiB in 50 ms is an output burst: at least 10,000 lines a second, which are too fast to read and would
 * keep the browser busy. During a burst, viewers receive one screen snapshot per interval instead of the output.
 */
const OUTPUT_BURST = { bytes: 128 << 10, intervalMs: 50 } as const
/**
 * Less than 64 KiB in 250 ms is a quiet period: viewers that received a snapshot of the screen alone now receive one
 * with scrollback.
 */
const QUIET_PERIOD = { bytes: 64 << 10, intervalMs: 250 } as const

/** Channel numbers are unique in the process, because a window uses them to identify its terminals. */
let nextChannel = 1
/** The channel of a viewer that has not received a snapshot. */
const NO_CHANNEL = 0
let nextHandle = 1

type AttachmentState =
  /** Receives output as it arrives. */
  | { name: 'live' }
  /** A snapshot has been requested. Output that arrives before the snapshot is queued behind it. */
  | { name: 'awaiting-snapshot'; queued: Uint8Array[] }
  /**
   * Receives no output: there is an output burst, the viewer has not acknowledged everything, or its connection is
   * full.
   */
  | { name: 'suspended'; retryTimer?: NodeJS.Timeout }

/** An attached viewer and its position in the stream. */
interface Attachment {
  readonly viewer: Viewer
  channel: number
  /** Bytes sent on the channel, without the snapshot. */
  sent: number
  /** Bytes of `sent` that the viewer has acknowledged. */
  acked: number
  state: AttachmentState
  /** Whether the last snapshot was of the screen alone. Another one, with scrollback, follows in a quiet period. */
  lacksScrollback: boolean
}

/**
 * Sends one stream of terminal output to any number of viewers. All show the same screen, even if they attach late or
 * are slow.
 */
export class Broadcast implements Source {
  private readonly options: BroadcastOptions
  private screen: WorkerScreen
  private readonly attachments = new Map<number, Attachment>()
  private readonly coalescer = new OutputCoalescer((bytes) => this.send(bytes))
  /** Bytes that the screen has not parsed yet. */
  private unparsed = 0
  /** Bytes sent in the current interval of burst detection. */
  private interval = { startedAt: 0, bytes: 0 }
  /** Sends screen snapshots during an output burst; undefined at other times. */
  private burstTimer: NodeJS.Timeout | undefined
  /** Bytes written since the quiet timer was started. */
  private bytesSinceQuietCheck = 0
  private quietTimer: NodeJS.Timeout | undefined

  constructor(options: BroadcastOptions) {
    this.options = options
    this.screen = this.createScreen()
  }

  attach(viewer: Viewer): number {
    const handle = nextHandle++
    const attachment: Attachment = {
      viewer,
      channel: NO_CHANNEL,
      sent: 0,
      acked: 0,
      state: { name: 'suspended' },
      lacksScrollback: false,
    }
    this.attachments.set(handle, attachment)
    this.resume(attachment, SCROLLBACK_LINES)
    return handle
  }

  detach(handle: number): void {
    const attachment = this.attachments.get(handle)
    // Any new state object stops the retry timer and makes the callback of a requested snapshot ignore it.
    if (attachment) this.setState(attachment, { name: 'live' })
    this.attachments.delete(handle)
  }

  ack(channel: number, bytes: number): void {
    for (const attachment of this.attachments.values()) {
      if (attachment.channel !== channel) continue
      attachment.acked = Math.min(Math.max(attachment.acked, bytes), attachment.sent)
      if (attachment.state.name === 'suspended') this.resume(attachment, 0)
    }
  }

  /**
   * @param bytes must not end within an escape sequence or a character, because a viewer may attach between any two
   * calls
   */
  write(bytes: Uint8Array): void {
    this.unparsed += bytes.length
    this.bytesSinceQuietCheck += bytes.length
    if (this.unparsed > SCREEN_LAG_BYTES.pause) this.options.onBehind(true)
    this.coalescer.add(bytes)
  }

  /** Continues with an empty screen for all viewers. */
  clear(): void {
    this.coalescer.flush()
    this.screen.dispose()
    this.unparsed = 0
    this.screen = this.createScreen()
    for (const attachment of this.attachments.values()) this.sendSnapshot(attachment, SCROLLBACK_LINES)
  }

  /** Detaches all viewers, stops all timers and closes the screen. */
  dispose(): void {
    for (const handle of [...this.attachments.keys()]) this.detach(handle)
    // Flushing may start the burst timer.
    this.coalescer.flush()
    clearTimeout(this.quietTimer)
    clearInterval(this.burstTimer)
    this.screen.dispose()
  }

  private createScreen(): WorkerScreen {
    const screen: WorkerScreen = new WorkerScreen({
      cols: this.options.cols,
      rows: this.options.rows,
      onReply: (reply) => this.options.onReply(reply),
      onParsed: (bytes) => {
        if (screen !== this.screen) return
        this.unparsed -= bytes
        if (this.unparsed < SCREEN_LAG_BYTES.resume) this.options.onBehind(false)
      },
    })
    return screen
  }

  /**
   * Sends output to the screen and to the viewers in the same call, so that the output after a snapshot continues at
   * exactly the next byte.
   */
  private send(bytes: Uint8Array): void {
    this.screen.write(bytes)
    this.detectBurst(bytes.length)
    for (const attachment of this.attachments.values()) {
      if (attachment.state.name === 'awaiting-snapshot') attachment.state.queued.push(bytes)
      else if (attachment.state.name === 'live' && this.receivesSnapshotsOnly(attachment))
        this.setState(attachment, { name: 'suspended' })
      else this.sendOutput(attachment, bytes)
    }
  }

  /** Whether a viewer receives screen snapshots instead of output, because there is an output burst. */
  private receivesSnapshotsOnly({ viewer }: Attachment): boolean {
    return this.burstTimer !== undefined && !viewer.lossless
  }

  private detectBurst(bytes: number): void {
    const now = performance.now()
    if (!this.burstTimer && now - this.interval.startedAt > OUTPUT_BURST.intervalMs)
      this.interval = { startedAt: now, bytes: 0 }
    this.interval.bytes += bytes
    if (!this.burstTimer && this.interval.bytes > OUTPUT_BURST.bytes)
      this.burstTimer = setInterval(() => this.onBurstInterval(), OUTPUT_BURST.intervalMs)
  }

  /**
   * Sends a screen snapshot to all viewers that receive no output during a burst, or resumes them once the burst is
   * over.
   */
  private onBurstInterval(): void {
    const isOver = this.interval.bytes < OUTPUT_BURST.bytes
    this.interval.bytes = 0
    const suspended = [...this.attachments.values()].filter(
      ({ viewer, state }) => state.name === 'suspended' && !viewer.lossless,
    )
    if (isOver) {
      clearInterval(this.burstTimer)
      this.burstTimer = undefined
      for (const attachment of suspended) this.resume(attachment, 0)
    } else if (suspended.length > 0) {
      const { screen } = this
      screen.snapshot(0, (data) => {
        if (screen !== this.screen) return
        for (const attachment of suspended)
          if (
            attachment.state.name === 'suspended' &&
            attachment.acked === attachment.sent &&
            !isConnectionFull(attachment.viewer)
          )
            this.deliverSnapshot(attachment, data, false)
      })
    }
  }

  private sendOutput(attachment: Attachment, bytes: Uint8Array): void {
    if (attachment.state.name !== 'live') return
    const { viewer } = attachment
    attachment.sent += bytes.length
    viewer.output(attachment.channel, bytes)
    if (attachment.sent - attachment.acked > MAX_VIEWER_LAG_BYTES || isConnectionFull(viewer)) {
      this.setState(attachment, { name: 'suspended' })
      // A viewer whose connection is full may have acknowledged everything: then no acknowledgment will resume it.
      this.resume(attachment, 0)
    }
  }

  /** Sends a snapshot to a suspended viewer if it can receive one now. A full connection is checked again later. */
  private resume(attachment: Attachment, scrollback: number): void {
    if (attachment.acked < attachment.sent) return
    if (attachment.channel !== NO_CHANNEL && this.receivesSnapshotsOnly(attachment)) return
    if (isConnectionFull(attachment.viewer))
      this.setState(attachment, {
        name: 'suspended',
        retryTimer: setTimeout(() => this.resume(attachment, scrollback), CONNECTION_RETRY_MS).unref(),
      })
    else this.sendSnapshot(attachment, scrollback)
  }

  private setState(attachment: Attachment, state: AttachmentState): void {
    if (attachment.state.name === 'suspended') clearTimeout(attachment.state.retryTimer)
    attachment.state = state
  }

  /**
   * Sends a viewer a snapshot of everything written so far, then the output that arrives until the snapshot is ready.
   */
  private sendSnapshot(attachment: Attachment, scrollback: number): void {
    // Pending output belongs to the snapshot.
    this.coalescer.flush()
    const awaiting = { name: 'awaiting-snapshot' as const, queued: [] as Uint8Array[] }
    this.setState(attachment, awaiting)
    this.screen.snapshot(scrollback, (data) => {
      // The viewer was detached, or a newer snapshot was requested.
      if (attachment.state !== awaiting) return
      const snapshotsOnly = this.receivesSnapshotsOnly(attachment)
      this.setState(attachment, snapshotsOnly ? { name: 'suspended' } : { name: 'live' })
      this.deliverSnapshot(attachment, data, scrollback === SCROLLBACK_LINES && !snapshotsOnly)
      for (const bytes of awaiting.queued) this.sendOutput(attachment, bytes)
    })
  }

  /** @param isComplete whether the snapshot contains the scrollback and live output follows it */
  private deliverSnapshot(attachment: Attachment, data: string, isComplete: boolean): void {
    attachment.channel = nextChannel++
    attachment.sent = 0
    attachment.acked = 0
    attachment.lacksScrollback = !isComplete
    attachment.viewer.snapshot(attachment.channel, this.options.cols, this.options.rows, data)
    if (!isComplete) this.scheduleFullSnapshots()
  }

  /** Sends a snapshot with scrollback to the viewers that do not have it yet, in the next quiet period. */
  private scheduleFullSnapshots(): void {
    if (this.quietTimer) return
    this.bytesSinceQuietCheck = 0
    this.quietTimer = setTimeout(() => {
      this.quietTimer = undefined
      const isQuiet = this.bytesSinceQuietCheck < QUIET_PERIOD.bytes
      const incomplete = [...this.attachments.values()].filter(({ lacksScrollback }) => lacksScrollback)
      for (const attachment of incomplete)
        if (isQuiet && attachment.state.name === 'live' && attachment.acked === attachment.sent)
          this.sendSnapshot(attachment, SCROLLBACK_LINES)
      if (incomplete.length > 0) this.scheduleFullSnapshots()
    }, QUIET_PERIOD.intervalMs).unref()
  }
}

function isConnectionFull(viewer: Viewer): boolean {
  return (viewer.buffered?.() ?? 0) > MAX_CONNECTION_BUFFER_BYTES
}
