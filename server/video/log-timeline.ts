import type { Chapter, RenderOpening, Timeline, VideoEvent } from '../../shared/video/timeline.ts'
import { VideoError } from './failures.ts'
import type { LogMessage, ParsedTalkLog } from './talk-log-format.ts'

/** Builds the timeline of a live talk from its log, with its original timing. */

/** Time kept before the first and after the last event; the rest of the log is cut off. */
const LEAD_IN_SECONDS = 2
const LEAD_OUT_SECONDS = 5
/** A slide that was shown for less time was only skipped over, and is not a chapter. */
const MIN_CHAPTER_SECONDS = 2
const POSTER_SECONDS = 1

/**
 * Builds the timeline of a whole talk.
 *
 * @param titles of the slides, in order
 * @throws VideoError `log-without-hello` or `log-without-events`
 */
export function logTimeline({ header, lines }: ParsedTalkLog, titles: string[]): Timeline {
  const hello = lines.map(([, message]) => message).find((message) => message.type === 'hello')
  if (!hello) throw new VideoError({ kind: 'log-without-hello' })
  const events = [
    ...Object.entries(hello.sync).flatMap(([channel, state]) => syncEvents(0, channel, state)),
    ...lines.flatMap(([ms, message]) => eventsOf(ms / 1000, message)),
  ]
  const activity = events.filter(
    ({ type, time }) => time > 0 && (type === 'show' || type === 'step' || type === 'output'),
  )
  const [start, end] = [activity[0]?.time, activity.at(-1)?.time]
  if (start === undefined || end === undefined) throw new VideoError({ kind: 'log-without-events' })
  const opening: RenderOpening = { profile: hello.profile, steps: hello.steps, terminals: hello.terminals }
  const whole: Timeline = {
    version: 1,
    title: header.title,
    date: header.date,
    length: end + LEAD_OUT_SECONDS,
    opening,
    events,
    chapters: [],
    captions: [],
    narration: [],
    poster: 0,
  }
  return extract(whole, [{ from: Math.max(0, start - LEAD_IN_SECONDS), to: end + LEAD_OUT_SECONDS }], titles)
}

/**
 * Extracts the parts of a timeline in which some slides are shown.
 *
 * @param numbers of the slides, from 1
 * @param titles of all slides, in order
 * @throws VideoError `slides-not-in-log` if none of the slides was shown
 */
export function extractSlides(timeline: Timeline, numbers: readonly number[], titles: string[]): Timeline {
  const spans = slideSpans(timeline).filter(({ slide }) => numbers.includes(slide))
  if (spans.length === 0) throw new VideoError({ kind: 'slides-not-in-log', slides: numbers })
  return extract(timeline, spans, titles)
}

/** Returns the slides that were shown long enough to be a chapter, in the order of their first appearance. */
export function shownSlides(timeline: Timeline): number[] {
  return [...new Set(chapterSpans(timeline).map(({ slide }) => slide))]
}

/** A period of time in seconds. */
interface Span {
  from: number
  to: number
}

interface SlideSpan extends Span {
  slide: number
}

/** Returns the periods in which each slide was shown. Before the first `show` event, slide 1 is shown. */
function slideSpans({ events, length }: Timeline): SlideSpan[] {
  const shows = events.filter((event) => event.type === 'show')
  const changes = shows.filter(({ slide }, index) => slide !== shows[index - 1]?.slide)
  const starts = changes[0]?.time === 0 ? changes : [{ time: 0, slide: 1 }, ...changes]
  return starts
    .map(({ time, slide }, index) => ({ slide, from: time, to: starts[index + 1]?.time ?? length }))
    .filter(({ from, to }) => to > from)
}

function chapterSpans(timeline: Timeline): SlideSpan[] {
  return slideSpans(timeline).filter(({ from, to }) => to - from >= MIN_CHAPTER_SECONDS)
}

/** Joins periods of a timeline. Events between two periods are applied at the start of the second one. */
function extract(timeline: Timeline, spans: Span[], titles: string[]): Timeline {
  let length = 0
  const shifted = spans.map(({ from, to }) => {
    const start = length
    length += to - from
    return { from, to, start }
  })
  const newTime = (time: number) => {
    const span = shifted.find(({ to }) => time < to)
    return span ? span.start + Math.max(0, time - span.from) : undefined
  }
  const events = timeline.events.flatMap((event) => {
    const time = newTime(event.time)
    return time === undefined ? [] : [{ ...event, time: roundToMs(time) }]
  })
  // Advances the date by the length that was cut off at the start, so that running times on the slides remain correct.
  const date = new Date(Date.parse(timeline.date) + (spans[0]?.from ?? 0) * 1000).toISOString()
  const extracted = {
    ...timeline,
    date,
    events,
    length: Math.max(0.1, Math.ceil(length * 10) / 10),
    poster: Math.min(POSTER_SECONDS, length),
  }
  return { ...extracted, chapters: chaptersOf(extracted, titles) }
}

function chaptersOf(timeline: Timeline, titles: string[]): Chapter[] {
  const titleOf = (slide: number) => titles[slide - 1] ?? `Slide ${slide}`
  const slides = chapterSpans(timeline).map(({ from, slide }) => ({ time: from, title: titleOf(slide), slide }))
  const steps = timeline.events.flatMap((event): Chapter[] => {
    if (event.type !== 'step' || event.status.state !== 'running') return []
    const slide = timeline.opening.steps.find(({ id }) => id === event.step)?.slide ?? 1
    return [{ time: event.time, title: `${titleOf(slide)}: ${event.step}`, slide, step: event.step }]
  })
  // Players require the first chapter to start at 0.
  return [...slides, ...steps]
    .sort((a, b) => a.time - b.time)
    .map((chapter, index) => (index === 0 ? { ...chapter, time: 0 } : chapter))
}

/** Converts a message to events. Messages without a visible effect are dropped. */
function eventsOf(time: number, message: LogMessage): VideoEvent[] {
  switch (message.type) {
    case 'snapshot': {
      const { terminal, cols, rows, data } = message
      return [{ time, type: 'screen', terminal, cols, rows, data }]
    }
    case 'output':
      return [{ time, type: 'output', terminal: message.terminal, data: message.data }]
    case 'step':
      return [{ time, type: 'step', step: message.step, status: message.status }]
    case 'replay':
      return [{ time, type: 'replay', terminal: message.terminal, ...(message.replay && { replay: message.replay }) }]
    case 'sync':
      return syncEvents(time, message.channel, message.state)
    default:
      return []
  }
}

/** Slidev's own channel, whose name contains the title of the talk, is recognized by its `page` property. */
function syncEvents(time: number, channel: string, state: Record<string, unknown>): VideoEvent[] {
  const { page, clicks } = state
  if (typeof page !== 'number') return [{ time, type: 'sync', channel, state }]
  return [{ time, type: 'show', slide: page, clicks: typeof clicks === 'number' ? clicks : 0 }]
}

const roundToMs = (seconds: number) => Math.round(seconds * 1000) / 1000
