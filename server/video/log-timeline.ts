import { json } from '../../shared/json.ts'
import type { Chapter, FilmEvent, FilmOpening, Timeline } from '../../shared/video/timeline.ts'
import { type LogHeader, logHeader, type LogLine, logLine } from './talk-log.ts'

/** A file is no log of a talk. The message names the line. */
export class LogError extends Error {
  override name = 'LogError'
}

export interface TalkGiven {
  header: LogHeader
  lines: LogLine[]
}

/**
 * Reads the log of a talk. A last line that was cut off, as when the power failed, is left out.
 *
 * @throws LogError
 */
export function parseLog(text: string): TalkGiven {
  const [first = '', ...rest] = text.split('\n')
  const header = logHeader.safeParse(json(first))
  if (!header.success) throw new LogError('line 1: this is no log of a talk, as npm start -- --log writes them')
  const lines: LogLine[] = []
  for (const [index, line] of rest.entries()) {
    if (line === '') continue
    const parsed = logLine.safeParse(json(line))
    if (parsed.success) lines.push(parsed.data)
    else if (index < rest.length - 1) throw new LogError(`line ${index + 2}: this is no line of a log`)
  }
  return { header: header.data, lines }
}

/** Seconds before the first thing that happens, and after the last: what is outside was nobody's talk. */
const AROUND = { before: 2, after: 5 }
/** Seconds that a slide must stay to be a chapter: the others were on the way. */
const STAY = 2

/**
 * The film of a talk as it was given, with its timing.
 *
 * @param titles of the slides
 * @throws LogError where nothing happened
 */
export function logTimeline({ header, lines }: TalkGiven, titles: string[]): Timeline {
  const hello = lines.find(([, { type }]) => type === 'hello')?.[1]
  if (hello?.type !== 'hello') throw new LogError('Nobody is told anything in this log.')
  const events = [
    ...Object.entries(hello.sync).flatMap(([channel, state]) => synced(0, channel, state)),
    ...lines.flatMap(([ms, message]) => eventsOf(ms / 1000, message)),
  ]
  const happenings = events.filter(
    ({ type, time }) => time > 0 && (type === 'show' || type === 'step' || type === 'output'),
  )
  const [begin, end] = [happenings[0]?.time, happenings.at(-1)?.time]
  if (begin === undefined || end === undefined) throw new LogError('Nothing happens in this log.')
  const opening: FilmOpening = { profile: hello.profile, steps: hello.steps, terminals: hello.terminals }
  const whole: Timeline = {
    version: 1,
    title: header.title,
    date: header.date,
    length: end + AROUND.after,
    opening,
    events,
    chapters: [],
    captions: [],
    narration: [],
    poster: 0,
  }
  const cut = keep(whole, [{ from: Math.max(0, begin - AROUND.before), to: end + AROUND.after }])
  return { ...cut, chapters: chaptersOf(cut, titles) }
}

/** Only some slides of it. @param numbers from 1 */
export function onlySlides(film: Timeline, numbers: readonly number[], titles: string[]): Timeline {
  const spans = stays(film).filter(({ slide }) => numbers.includes(slide))
  if (spans.length === 0) throw new LogError(`The talk was never on slide ${numbers.join(', ')}.`)
  const cut = keep(film, spans)
  return { ...cut, chapters: chaptersOf(cut, titles) }
}

/** The slides that were shown, in the order of their first time. */
export function slidesOf(film: Timeline): number[] {
  return [
    ...new Set(
      stays(film)
        .filter(({ from, to }) => to - from >= STAY)
        .map(({ slide }) => slide),
    ),
  ]
}

interface Span {
  from: number
  to: number
}

/** How long each slide stayed. */
function stays({ events, length }: Timeline): (Span & { slide: number })[] {
  const shows = events.flatMap((event) => (event.type === 'show' ? [event] : []))
  const turns = shows.filter(({ slide }, index) => slide !== shows[index - 1]?.slide)
  const begun = turns[0]?.time === 0 ? turns : [{ time: 0, slide: 1 }, ...turns]
  return begun
    .map(({ time, slide }, index) => ({ slide, from: time, to: begun[index + 1]?.time ?? length }))
    .filter(({ from, to }) => to > from)
}

/** Keeps some times of a film. What happened in between has happened when the next one begins. */
function keep(film: Timeline, spans: Span[]): Timeline {
  let length = 0
  const moved = spans.map(({ from, to }) => {
    const at = length
    length += to - from
    return { from, to, at }
  })
  const timeOf = (time: number) => {
    const span = moved.find(({ to }) => time < to)
    return span ? span.at + Math.max(0, time - span.from) : undefined
  }
  const events = film.events.flatMap((event) => {
    const time = timeOf(event.time)
    return time === undefined ? [] : [{ ...event, time: round(time) }]
  })
  // The page's clock goes on as it went: what has run for a minute says so.
  const date = new Date(Date.parse(film.date) + (spans[0]?.from ?? 0) * 1000).toISOString()
  return {
    ...film,
    date,
    events,
    length: Math.max(0.1, Math.ceil(length * 10) / 10),
    chapters: [],
    poster: Math.min(1, length),
  }
}

function chaptersOf(film: Timeline, titles: string[]): Chapter[] {
  const slides = stays(film)
    .filter(({ from, to }) => to - from >= STAY)
    .map(({ from, slide }) => ({ time: from, title: titles[slide - 1] ?? `Slide ${slide}`, slide }))
  const steps = film.events.flatMap((event): Chapter[] => {
    if (event.type !== 'step' || event.status.state !== 'running') return []
    const slide = film.opening.steps.find(({ id }) => id === event.step)?.slide ?? 1
    return [
      { time: event.time, title: `${titles[slide - 1] ?? `Slide ${slide}`}: ${event.step}`, slide, step: event.step },
    ]
  })
  // A player needs the first at the beginning.
  return [...slides, ...steps]
    .sort((a, b) => a.time - b.time)
    .map((each, index) => (index === 0 ? { ...each, time: 0 } : each))
}

function eventsOf(time: number, message: LogLine[1]): FilmEvent[] {
  switch (message.type) {
    case 'snapshot':
      return [
        {
          time,
          type: 'screen',
          terminal: message.terminal,
          cols: message.cols,
          rows: message.rows,
          data: message.data,
        },
      ]
    case 'output':
      return [{ time, type: 'output', terminal: message.terminal, data: message.data }]
    case 'step':
      return [{ time, type: 'step', step: message.step, status: message.status }]
    case 'replay':
      return [{ time, type: 'replay', terminal: message.terminal, ...(message.replay && { replay: message.replay }) }]
    case 'sync':
      return synced(time, message.channel, message.state)
    default:
      return []
  }
}

/** Slidev tells where it is in one of its channels: that is known by what is in it. */
function synced(time: number, channel: string, state: Record<string, unknown>): FilmEvent[] {
  const { page, clicks } = state
  if (typeof page !== 'number') return [{ time, type: 'sync', channel, state }]
  return [{ time, type: 'show', slide: page, clicks: typeof clicks === 'number' ? clicks : 0 }]
}

const round = (seconds: number) => Math.round(seconds * 1000) / 1000
