import { Broadcast, type Viewer } from '../session/broadcast.ts'
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
  time: number
  duration: number
  speed: number
}

/** Shows a recording to viewers as a session shows its output. */
export class Replay {
  private readonly cast: Cast
  private readonly broadcast: Broadcast
  private readonly listeners = new Set<(playback: Playback) => void>()
  /** Index of the next event. */
  private next = 0
  private position = 0
  private speed = 1
  private stopAt = Infinity
  private timer: NodeJS.Timeout | undefined
  private since = 0

  /** @param cast its own size is used: a recording shows what was on the screen then */
  constructor(cast: Cast) {
    this.cast = compressIdle(cast, IDLE)
    this.broadcast = new Broadcast({ ...cast.header.term, onReply: () => {}, onBehind: () => {} })
  }

  /** When the step was ready, in the replay's time. */
  get readyAt(): number | undefined {
    return this.cast.events.find(({ code, data }) => code === 'm' && data === 'ready')?.time
  }

  get playback(): Playback {
    return { playing: this.timer !== undefined, time: round(Math.min(this.position, this.length)), duration: round(this.length), speed: this.speed }
  }

  onPlayback(listener: (playback: Playback) => void): void {
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
    this.broadcast.clear()
    this.tell()
  }

  /** @param speed times that of the recording: a quarter to sixteen times */
  setSpeed(speed: number): void {
    this.speed = Math.min(16, Math.max(0.25, speed))
    this.tell()
  }

  dispose(): void {
    this.stop()
    this.listeners.clear()
    this.broadcast.dispose()
  }

  private get length(): number {
    return duration(this.cast)
  }

  private run(): void {
    if (this.timer === undefined) {
      this.since = performance.now()
      this.timer = setInterval(() => this.tick(), TICK)
    }
    this.tick()
    this.tell()
  }

  private tick(): void {
    const now = performance.now()
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
    for (let event = this.cast.events[this.next]; event && event.time <= upTo; event = this.cast.events[++this.next]) if (event.code === 'o') data += event.data
    if (data !== '') this.broadcast.write(Buffer.from(data))
  }

  private stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private tell(): void {
    for (const listener of this.listeners) listener(this.playback)
  }
}

const round = (seconds: number) => Math.round(seconds * 1000) / 1000
