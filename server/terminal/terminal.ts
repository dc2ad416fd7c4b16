import type { FallbackReason } from '../../shared/failures/fallback.ts'
import type { Profile } from '../../shared/deck/contract.ts'
import type { ReplayInfo, TerminalInfo, TerminalState } from '../../shared/protocol/state.ts'
import type { Cast } from '../../shared/recording/cast.ts'
import type { PlaybackAction } from '../../shared/recording/player.ts'
import type { Source, Viewer } from './broadcast.ts'
import { Replay } from './replay.ts'
import type { Session } from './session.ts'
import { sessionFailureOf, SessionError } from './session-error.ts'
import { type SessionState, stepOf } from './session-state.ts'

export interface TerminalOptions {
  name: string
  /** The grid of the next session. */
  grid: () => { cols: number; rows: number }
  /** Creates a session, whose shell is not started yet. */
  createSession: () => Session
  /**
   * Delays new sessions until it resolves, for example while the workdir is recreated. Rejects if no more sessions may
   * start.
   */
  gate: () => Promise<void> | undefined
}

/** The request of a window to show a terminal. */
export interface AttachOptions {
  viewer: Viewer
  /** Whether the viewer sees the values of secrets. */
  secrets: boolean
  /**
   * Whether the viewer starts the shell if there is none. Otherwise, it waits until another viewer or a step starts the
   * shell.
   */
  startsShell: boolean
  /** Receives the SessionError, or an error of the executor, if the shell does not start. */
  onError: (error: unknown) => void
}

/** The recording that a replay shows. */
export interface ReplayedRecording {
  step: string
  cast: Cast
  profile: Profile
  date: string
  /** The reason why it is shown, if no user requested it. */
  reason?: FallbackReason
}

interface Attachment extends AttachOptions {
  /** The source that the viewer is attached to; undefined while there is neither a session nor a replay. */
  feed: { source: Source; handle: number } | undefined
}

interface ShownReplay {
  replay: Replay
  recording: ReplayedRecording
}

type Listener = {
  onState?: (state: TerminalState) => void
  onReplay?: (replay: ReplayInfo | undefined) => void
}

/**
 * A named terminal with a fixed grid. It owns a session, which outlives windows, and a replay while one is shown. A
 * viewer attaches once; the terminal decides what feeds it.
 */
export class Terminal {
  readonly name: string
  private readonly options: TerminalOptions
  private session: Session | undefined
  /** The session, once it has shown its first prompt. Viewers do not see the output before it. */
  private live: Session | undefined
  private opening: Promise<Session> | undefined
  private stopListening: (() => void) | undefined
  private shown: ShownReplay | undefined
  /** The step that the terminal is reserved for, from the request to run it until its end. */
  private reservedFor: string | undefined
  private readonly attachments = new Map<number, Attachment>()
  private nextHandle = 1
  private readonly listeners = new Set<Listener>()

  constructor(options: TerminalOptions) {
    this.name = options.name
    this.options = options
  }

  /** @returns a function that removes the listener */
  listen(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  get info(): TerminalInfo {
    const { cols, rows } = this.session ?? this.options.grid()
    return { name: this.name, cols, rows, state: this.state, ...(this.replay && { replay: this.replay }) }
  }

  get state(): TerminalState {
    return this.session ? terminalState(this.session.state) : { state: 'new' }
  }

  /** The session, if there is one. */
  get current(): Session | undefined {
    return this.session
  }

  /** The state of the current replay, in the form of the protocol. */
  get replay(): ReplayInfo | undefined {
    if (!this.shown) return undefined
    const { replay, recording } = this.shown
    const { step, profile, date, reason } = recording
    const { readyAt } = replay
    return {
      step,
      profile,
      date,
      ...replay.playback,
      ...(readyAt !== undefined && { ready: readyAt }),
      ...(reason && { reason }),
    }
  }

  /**
   * Shows the terminal to a viewer: a snapshot first, then everything that follows it. Later snapshots replace the
   * screen.
   *
   * @returns the handle for `detach`
   */
  attach(options: AttachOptions): number {
    const handle = this.nextHandle++
    const attachment: Attachment = { ...options, feed: undefined }
    this.attachments.set(handle, attachment)
    this.feed(attachment)
    if (options.startsShell && !this.shown) this.open().catch(options.onError)
    return handle
  }

  detach(handle: number): void {
    const { feed } = this.attachments.get(handle) ?? {}
    feed?.source.detach(feed.handle)
    this.attachments.delete(handle)
  }

  /** @param bytes number of bytes that the viewer has parsed since the snapshot of the channel */
  ack(handle: number, channel: number, bytes: number): void {
    this.attachments.get(handle)?.feed?.source.ack(channel, bytes)
  }

  /**
   * Starts the shell if there is none, and waits for its first prompt.
   *
   * @throws SessionError if the shell does not start
   */
  open(): Promise<Session> {
    if (this.session && !this.opening) return Promise.resolve(this.session)
    this.opening ??= this.startSession().finally(() => (this.opening = undefined))
    return this.opening
  }

  private async startSession(): Promise<Session> {
    // Without a gate, the session is created synchronously, so that it receives keys that are sent right after
    // attaching.
    const gate = this.options.gate()
    if (gate) await gate
    const session = this.options.createSession()
    this.session = session
    this.stopListening = session.onState((state) => this.emitState(terminalState(state)))
    try {
      await session.start()
    } catch (error) {
      if (this.session === session) this.forgetSession()
      // Closes the session's screens and ends the processes that its shell has started.
      await session.end().catch(() => {})
      throw new SessionError(sessionFailureOf(error))
    }
    this.live = session
    this.feedAll()
    return session
  }

  private forgetSession(): void {
    this.stopListening?.()
    this.stopListening = undefined
    this.session = undefined
    this.live = undefined
    this.feedAll()
  }

  /** Types keys. Nothing is typed while a replay hides the live screen. */
  write(data: string): void {
    if (!this.shown) this.session?.write(data)
  }

  /** Stops everything in the terminal and starts a fresh shell. */
  async restart(): Promise<void> {
    if (this.session) await this.session.restart()
    else await this.open()
  }

  /** Ends the session and the replay. Viewers remain attached; `resume` shows them the next session. */
  async reset(): Promise<void> {
    this.showLive()
    const { session } = this
    if (!session) return
    // Awaited, so that listeners receive the last state of the session before it is removed.
    await session.end()
    if (this.session === session) this.forgetSession()
  }

  /** Starts the shell after a reset, if any viewer starts shells. */
  resume(): void {
    this.startForViewers()
  }

  /** The step that the terminal runs, or is about to run. */
  get step(): string | undefined {
    return this.reservedFor
  }

  /**
   * Reserves the terminal for a step, so that no other step can start while its requirements are checked.
   *
   * @returns a function that releases the terminal; undefined if the terminal is busy or reserved
   */
  reserve(step: string): (() => void) | undefined {
    if (this.reservedFor !== undefined || this.state.state === 'busy') return undefined
    this.reservedFor = step
    return () => (this.reservedFor = undefined)
  }

  /** Shows a recording from its beginning, in every window. The session continues in the background. */
  showReplay(recording: ReplayedRecording): void {
    this.shown?.replay.dispose()
    const replay = new Replay(recording.cast)
    this.shown = { replay, recording }
    replay.onPlayback(() => this.emitReplay())
    this.emitReplay()
    this.feedAll()
    replay.play()
  }

  /** Shows the live session again. */
  showLive(): void {
    if (!this.shown) return
    const { replay } = this.shown
    this.shown = undefined
    this.emitReplay()
    this.feedAll()
    replay.dispose()
    this.startForViewers()
  }

  /** Controls the replay, if there is one. */
  playback(action: PlaybackAction): void {
    this.shown?.replay.control(action)
  }

  private startForViewers(): void {
    if (this.session) return
    for (const { startsShell, onError } of this.attachments.values()) if (startsShell) this.open().catch(onError)
  }

  private feedAll(): void {
    for (const attachment of this.attachments.values()) this.feed(attachment)
  }

  /** Attaches a viewer to the current source: the replay or the live session. */
  private feed(attachment: Attachment): void {
    const source = this.shown?.replay ?? (attachment.secrets ? this.live : this.live?.redacted)
    if (attachment.feed?.source === source) return
    attachment.feed?.source.detach(attachment.feed.handle)
    attachment.feed = source && { source, handle: source.attach(attachment.viewer) }
  }

  private emitState(state: TerminalState): void {
    for (const { onState } of this.listeners) onState?.(state)
  }

  private emitReplay(): void {
    for (const { onReplay } of this.listeners) onReplay?.(this.replay)
  }
}

/** Converts the state of a session to that of the protocol. */
function terminalState(state: SessionState): TerminalState {
  switch (state.name) {
    case 'new':
    case 'starting':
      return { state: state.name }
    case 'at-prompt':
      return { state: 'prompt' }
    case 'ended':
      return { state: 'ended', failure: state.failure }
    default: {
      const step = stepOf(state)
      return { state: 'busy', ...(step !== undefined && { step }) }
    }
  }
}
