import { type Cast, compressIdle, duration } from './cast.ts'

/** Longer pauses in a recording are shortened to this. */
const MAX_IDLE_SECONDS = 1.5
/** `step` stops at pauses of at least this length. */
const MIN_PAUSE_SECONDS = 0.4
/** About one frame of the display. */
const TICK_INTERVAL_MS = 16

const MIN_SPEED = 0.25
const MAX_SPEED = 16

/** The state of a replay. Times are in seconds, with pauses shortened. */
export interface Playback {
  playing: boolean
  /** Whether it stops at the next pause of the recording. */
  stepping: boolean
  time: number
  duration: number
  /** Factor: 1 is the speed of the recording. */
  speed: number
}

/** What a user can ask of a replay. */
export const PLAYBACK_ACTIONS = ['play', 'pause', 'step', 'skip', 'restart', 'faster', 'slower'] as const
export type PlaybackAction = (typeof PLAYBACK_ACTIONS)[number]

/** The clock of a player. Browser and server each have their own. */
export interface Ticker {
  /** Monotonic time in milliseconds, from an arbitrary origin. */
  now: () => number
  /**
   * Calls `tick` periodically.
   *
   * @returns a function that stops the calls
   */
  every: (milliseconds: number, tick: () => void) => () => void
}

/** Receives the output and the state changes of a player. */
export interface PlaybackSink {
  /** Output that consists of complete characters and escape sequences. */
  output: (data: string) => void
  /** Clears the screen before the replay restarts. */
  clear: () => void
  /** Called when the replay has started, stopped or changed its speed. */
  changed: () => void
}

/** Plays a recording: on the server for all viewers, or in the browser of a static deck. */
export class Player {
  private readonly cast: Cast
  private readonly sink: PlaybackSink
  /** Index of the next event. */
  private next = 0
  /** Seconds since the beginning. */
  private position = 0
  private speed = 1
  /** Position at which playing stops: Infinity except while stepping. */
  private stopAt = Infinity
  private stopTicker: (() => void) | undefined
  private readonly ticker: Ticker
  /** Time of the last tick, in milliseconds. */
  private lastTick = 0

  constructor(cast: Cast, sink: PlaybackSink, ticker: Ticker) {
    this.ticker = ticker
    this.cast = compressIdle(cast, MAX_IDLE_SECONDS)
    this.sink = sink
  }

  /** Position at which the step was ready, in seconds; undefined if the recording has no such marker. */
  get readyAt(): number | undefined {
    const time = this.cast.events.find(({ code, data }) => code === 'm' && data === 'ready')?.time
    // Rounded like the times in `playback`: otherwise it could be greater than the duration.
    return time === undefined ? undefined : round(time)
  }

  get playback(): Playback {
    return {
      playing: this.stopTicker !== undefined,
      stepping: this.stopTicker !== undefined && this.stopAt !== Infinity,
      time: round(Math.min(this.position, this.length)),
      duration: round(this.length),
      speed: this.speed,
    }
  }

  /** Starts or continues playing. At the end, starts again from the beginning. */
  play(): void {
    if (this.next >= this.cast.events.length) this.restart()
    this.stopAt = Infinity
    this.run()
  }

  /** Carries out what a user asks of the replay. */
  control(action: PlaybackAction): void {
    if (action === 'faster') this.setSpeed(this.speed * 2)
    else if (action === 'slower') this.setSpeed(this.speed / 2)
    else this[action]()
  }

  pause(): void {
    this.stop()
    this.notify()
  }

  /** Plays to the next pause of the recording. */
  step(): void {
    const { events } = this.cast
    if (this.next >= events.length) return
    let index = this.next
    while (index + 1 < events.length && (events[index + 1]?.time ?? 0) - (events[index]?.time ?? 0) < MIN_PAUSE_SECONDS)
      index++
    this.stopAt = events[index]?.time ?? 0
    this.run()
  }

  /** Jumps to the end. */
  skip(): void {
    this.stop()
    this.emit(Infinity)
    this.position = this.length
    this.notify()
  }

  /** Returns to the beginning, without playing. */
  restart(): void {
    this.stop()
    this.next = 0
    this.position = 0
    this.sink.clear()
    this.notify()
  }

  /** @param speed factor, limited to the range from MIN_SPEED to MAX_SPEED */
  setSpeed(speed: number): void {
    this.speed = Math.min(MAX_SPEED, Math.max(MIN_SPEED, speed))
    this.notify()
  }

  /** Stops the clock. */
  dispose(): void {
    this.stop()
  }

  private get length(): number {
    return duration(this.cast)
  }

  private run(): void {
    if (this.stopTicker === undefined) {
      this.lastTick = this.ticker.now()
      this.stopTicker = this.ticker.every(TICK_INTERVAL_MS, () => this.tick())
    }
    this.tick()
    this.notify()
  }

  private tick(): void {
    const now = this.ticker.now()
    this.position = Math.min(this.position + ((now - this.lastTick) / 1000) * this.speed, this.stopAt, this.length)
    this.lastTick = now
    this.emit(this.position)
    if (this.next < this.cast.events.length && this.position < this.stopAt) return
    this.stop()
    this.notify()
  }

  /** Passes all output up to a position to the sink, in one piece. */
  private emit(upTo: number): void {
    let data = ''
    for (let event = this.cast.events[this.next]; event && event.time <= upTo; event = this.cast.events[++this.next])
      if (event.code === 'o') data += event.data
    if (data !== '') this.sink.output(data)
  }

  private stop(): void {
    this.stopTicker?.()
    this.stopTicker = undefined
  }

  private notify(): void {
    this.sink.changed()
  }
}

const round = (seconds: number) => Math.round(seconds * 1000) / 1000
