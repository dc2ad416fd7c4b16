import { z } from 'zod'
import { json } from '../json.ts'

/**
 * asciicast: the output of a terminal with its timing. Recordings are saved as version 3
 * (docs.asciinema.org/manual/asciicast/v3); version 2 is exported for older players.
 *
 * A file consists of a header and one event per line. In version 3, the time of an event is the interval since the
 * previous event.
 */

const grid = z.strictObject({
  cols: z.number().int().min(1),
  rows: z.number().int().min(1),
  type: z.string().optional(),
})

export const castHeader = z.object({
  version: z.literal(3),
  term: grid,
  /** Unix time in seconds. */
  timestamp: z.number().int().optional(),
  idle_time_limit: z.number().positive().optional(),
  command: z.string().optional(),
  title: z.string().optional(),
})
export type CastHeader = z.infer<typeof castHeader>

/** Output, input, marker, resize (`90x30`), exit status. */
const eventCode = z.enum(['o', 'i', 'm', 'r', 'x'])
const castEvent = z.tuple([z.number().nonnegative(), eventCode, z.string()])

export interface CastEvent {
  /** Seconds since the beginning. */
  time: number
  code: z.infer<typeof eventCode>
  data: string
}

export interface Cast {
  header: CastHeader
  events: CastEvent[]
}

/** Thrown for an invalid recording. The message contains the line number. */
export class CastError extends Error {
  override name = 'CastError'
}

/**
 * Parses an asciicast of version 3.
 *
 * @throws CastError
 */
export function parseCast(text: string): Cast {
  const lines = text.split('\n')
  const header = castHeader.safeParse(json(lines[0] ?? ''))
  if (!header.success) throw new CastError('line 1: not a header of an asciicast version 3')
  const events: CastEvent[] = []
  let time = 0
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line === '' || line.startsWith('#')) continue
    const event = castEvent.safeParse(json(line))
    if (!event.success) throw new CastError(`line ${index + 1}: not an event; the recording is truncated or damaged`)
    const [interval, code, data] = event.data
    time += interval
    events.push({ time, code, data })
  }
  return { header: header.data, events }
}

/** Length of a recording in seconds: the time of its last event. */
export function duration({ events }: Cast): number {
  return events.at(-1)?.time ?? 0
}

export function headerLine(header: CastHeader): string {
  return `${JSON.stringify(header)}\n`
}

/**
 * Serializes events of version 3. Carries rounding errors over to the next interval, so that times stay accurate to a
 * millisecond.
 */
export class EventLines {
  /** Time of the last event, in milliseconds. */
  private lastTime = 0

  /** @param event.time if it is before the time of the previous event, that time is used instead */
  line({ time, code, data }: CastEvent): string {
    const now = Math.max(this.lastTime, Math.round(time * 1000))
    const interval = (now - this.lastTime) / 1000
    this.lastTime = now
    return `${JSON.stringify([interval, code, data])}\n`
  }
}

/**
 * Serializes a recording as version 2: with absolute times, and without the exit status, which version 2 does not have.
 */
export function toVersion2({ header, events }: Cast): string {
  const { term, version: _, ...rest } = header
  const first = JSON.stringify({
    version: 2,
    width: term.cols,
    height: term.rows,
    ...rest,
    env: { TERM: term.type ?? 'xterm-256color' },
  })
  const lines = events
    .filter(({ code }) => code !== 'x')
    .map(({ time, code, data }) => JSON.stringify([Math.round(time * 1e6) / 1e6, code, data]))
  return `${[first, ...lines].join('\n')}\n`
}

/**
 * Shortens the pauses of a recording.
 *
 * @param limit maximum length of a pause, in seconds
 */
export function compressIdle({ header, events }: Cast, limit: number): Cast {
  let cut = 0
  let previous = 0
  return {
    header,
    events: events.map((event) => {
      cut += Math.max(0, event.time - previous - limit)
      previous = event.time
      return { ...event, time: event.time - cut }
    }),
  }
}
