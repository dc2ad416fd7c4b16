import { type Cast, compressIdle, duration } from './cast.ts'

/** Seconds that nothing may happen in a replay. */
const IDLE = 1.5
/** Seconds without output after which `step` stops: the recording has made a point. */
const PAUSE = 0.4
/** Milliseconds between two looks at what is due: a frame of the screen. */
const TICK = 16

/** How a replay stands. Times are in seconds, with idle time cut. */
export interface Playback {
  playing: boolean
  /** It plays to the next pause in the recording only. */
  stepping: boolean
  time: number
  duration: number
  speed: number
}

/** The clock that a player follows. It comes in as a parameter, since browser and server each have their own. */
export interface Ticker {
  /** Milliseconds since any fixed moment; never goes back. */
  now: () => number
  /**
   * Calls `tick` at an interval.
   *
   * @returns what stops it
   */
  every: (milliseconds: number, tick: () => void) => () => void
}

/** What a player plays to. */
export interface Stand {
  /** Whole characters and sequences, as a recording holds them. */
  output: (data: string) => void
  /** It begins again, on an empty screen. */
  clear: () => void
  /** It plays, stops or changes its speed. */
  changed: () => void
}

/** The clock of a replay: on the server for all viewers, or in the browser where there is no server. */
export class Player {
  private readonly cast: Cast
  private readonly stand: Stand
  /** Index of the next event. */
  private next = 0
  private position = 0
  private speed = 1
  private stopAt = Infinity
  private stopTicker: (() => void) | undefined
  private readonly ticker: Ticker
  private since = 0

  constructor(cast: Cast, stand: Stand, ticker: Ticker) {
    this.ticker = ticker
    this.cast = compressIdle(cast, IDLE)
    this.stand = stand
  }

  /** When the step was ready, in the replay's time. */
  get readyAt(): number | undefined {
    const at = this.cast.events.find(({ code, data }) => code === 'm' && data === 'ready')?.time
    // As `playback` has it: unrounded, the end of a recording could be before its last event.
    return at === undefined ? undefined : round(at)
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

  /** Plays on; at the end it begins again. */
  play(): void {
    if (this.next >= this.cast.events.length) this.restart()
    this.stopAt = Infinity
    this.run()
  }

  pause(): void {
    this.stop()
    this.tell()
  }

  /** Plays up to the next pause in the recording. */
  step(): void {
    const { events } = this.cast
    if (this.next >= events.length) return
    let index = this.next
    while (index + 1 < events.length && (events[index + 1]?.time ?? 0) - (events[index]?.time ?? 0) < PAUSE) index++
    this.stopAt = events[index]?.time ?? 0
    this.run()
  }

  /** Shows the final screen at once. */
  skip(): void {
    this.stop()
    this.emit(Infinity)
    this.position = this.length
    this.tell()
  }

  restart(): void {
    this.stop()
    this.next = 0
    this.position = 0
    this.stand.clear()
    this.tell()
  }

  /** @param speed times that of the recording: a quarter to sixteen times */
  setSpeed(speed: number): void {
    this.speed = Math.min(16, Math.max(0.25, speed))
    this.tell()
  }

  /** Ends the clock. */
  dispose(): void {
    this.stop()
  }

  private get length(): number {
    return duration(this.cast)
  }

  private run(): void {
    if (this.stopTicker === undefined) {
      this.since = this.ticker.now()
      this.stopTicker = this.ticker.every(TICK, () => this.tick())
    }
    this.tick()
    this.tell()
  }

  private tick(): void {
    const now = this.ticker.now()
    this.position = Math.min(this.position + ((now - this.since) / 1000) * this.speed, this.stopAt, this.length)
    this.since = now
    this.emit(this.position)
    if (this.next < this.cast.events.length && this.position < this.stopAt) return
    this.stop()
    this.tell()
  }

  /** Writes the events up to a time, together: a recording holds whole characters and sequences in each. */
  private emit(upTo: number): void {
    let data = ''
    for (let event = this.cast.events[this.next]; event && event.time <= upTo; event = this.cast.events[++this.next])
      if (event.code === 'o') data += event.data
    if (data !== '') this.stand.output(data)
  }

  private stop(): void {
    this.stopTicker?.()
    this.stopTicker = undefined
  }

  private tell(): void {
    this.stand.changed()
  }
}

const round = (seconds: number) => Math.round(seconds * 1000) / 1000
