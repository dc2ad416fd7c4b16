import { z } from 'zod'
import { json } from '../json.ts'

/**
 * asciicast: what a terminal showed, with its timing. Version 3 (docs.asciinema.org/manual/asciicast/v3) is what is kept; version 2 is for
 * older players.
 *
 * A file is a header and then one event on each line. In version 3 the time of an event is the interval since the one before it.
 */

const grid = z.strictObject({
  cols: z.number().int().min(1),
  rows: z.number().int().min(1),
  type: z.string().optional(),
})

export const castHeader = z.object({
  version: z.literal(3),
  term: grid,
  /** Seconds since 1970. */
  timestamp: z.number().int().optional(),
  idle_time_limit: z.number().positive().optional(),
  command: z.string().optional(),
  title: z.string().optional(),
})
export type CastHeader = z.infer<typeof castHeader>

/** Output, input, a marker, a new size (`90x30`), the exit status. */
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

/** A file is no recording. The message names the line. */
export class CastError extends Error {
  override name = 'CastError'
}

/**
 * Reads a recording of version 3.
 *
 * @throws CastError
 */
export function parseCast(text: string): Cast {
  const lines = text.split('\n')
  const header = castHeader.safeParse(json(lines[0] ?? ''))
  if (!header.success) throw new CastError('line 1: this is no header of an asciicast of version 3')
  const events: CastEvent[] = []
  let time = 0
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line === '' || line.startsWith('#')) continue
    const event = castEvent.safeParse(json(line))
    if (!event.success) throw new CastError(`line ${index + 1}: this is no event: the recording was cut off or damaged`)
    const [interval, code, data] = event.data
    time += interval
    events.push({ time, code, data })
  }
  return { header: header.data, events }
}

/** Seconds of a recording: its last event. */
export function duration({ events }: Cast): number {
  return events.at(-1)?.time ?? 0
}

export function headerLine(header: CastHeader): string {
  return `${JSON.stringify(header)}\n`
}

/** Writes events of version 3: remembers what was rounded away, so that the sum of the intervals stays true to a millisecond. */
export class EventLines {
  private written = 0

  /** @param time seconds since the beginning; one that goes back counts as no time */
  line({ time, code, data }: CastEvent): string {
    const now = Math.max(this.written, Math.round(time * 1000))
    const interval = (now - this.written) / 1000
    this.written = now
    return `${JSON.stringify([interval, code, data])}\n`
  }
}

/** The same recording in version 2: absolute times, and the size in the header. The exit status has no place there. */
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
 * The same recording with its pauses cut to a length.
 *
 * @param limit seconds that nothing may happen
 */
export function compressIdle({ header, events }: Cast, limit: number): Cast {
  let cut = 0
  let before = 0
  return {
    header,
    events: events.map((event) => {
      cut += Math.max(0, event.time - before - limit)
      before = event.time
      return { ...event, time: event.time - cut }
    }),
  }
}
