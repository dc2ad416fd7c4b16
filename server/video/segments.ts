import { slideAt, type Timeline, type VideoEvent } from '../../shared/video/timeline.ts'

/** Divides a timeline into segments: ranges of frames that are rendered in parallel and cached. */

/** A range of frames; `to` is exclusive. */
export interface FrameRange {
  from: number
  to: number
}

/** A range of frames with everything that a page needs to show them. */
export interface Segment extends FrameRange {
  /** The time in seconds at which the page starts: when the slide of the first frame was shown. */
  start: number
  /** The slide and clicks that the page starts with. */
  position: { slide: number; clicks: number }
  /** Events before the first frame. Of those before `start`, only the ones whose effect is still visible. */
  before: VideoEvent[]
  /** Events from the first frame on. */
  during: VideoEvent[]
}

/** The desired number of segments of a timeline. */
const SEGMENT_COUNT = 8
const MIN_SEGMENT_SECONDS = 6
const MAX_SEGMENT_SECONDS = 60
/** Time until the effects of an event, such as transitions, have finished. A slide is not split before that. */
const SETTLING_SECONDS = 2
/** Tolerance for times that are not exact in floating point. */
const FRAME_EPSILON = 1e-6

export function frameCount({ length }: Timeline, fps: number): number {
  return Math.round(length * fps)
}

/** Splits the frames of a timeline at slide changes and, within long slides, at moments without movement. */
export function segmentRanges(timeline: Timeline, fps: number): FrameRange[] {
  const total = frameCount(timeline, fps)
  const maxSeconds = Math.min(MAX_SEGMENT_SECONDS, Math.max(MIN_SEGMENT_SECONDS, timeline.length / SEGMENT_COUNT))
  const starts = new Set([0])
  let { slide } = slideAt(timeline.events, 0)
  for (const event of timeline.events) {
    if (event.type !== 'show' || event.slide === slide) continue
    slide = event.slide
    starts.add(Math.ceil(event.time * fps - FRAME_EPSILON))
  }
  const bounds = [...starts, total].filter((frame) => frame <= total).sort((a, b) => a - b)
  const movements = timeline.events.filter(({ type }) => type !== 'output').map(({ time }) => time)
  const isSettled = (second: number) => !movements.some((time) => time > second - SETTLING_SECONDS && time <= second)
  return bounds.slice(0, -1).flatMap((slideStart, index) => {
    const end = bounds[index + 1] ?? total
    const ranges: FrameRange[] = []
    let from = slideStart
    const lastSplit = end - (maxSeconds * fps) / 2
    for (let second = Math.ceil(from / fps + maxSeconds); second * fps < lastSplit; second++) {
      if (second - from / fps < maxSeconds || !isSettled(second)) continue
      ranges.push({ from, to: second * fps })
      from = second * fps
    }
    return end > from ? [...ranges, { from, to: end }] : ranges
  })
}

/**
 * Collects what a page needs to show a range of frames.
 *
 * @param from the first frame
 * @param to the frame after the last one
 */
export function segmentOf({ events }: Pick<Timeline, 'events'>, fps: number, { from, to }: FrameRange): Segment {
  const earlier = events.filter(({ time }) => time < from / fps)
  const start = slideStart(earlier)
  const visible = stillVisible(earlier.filter(({ time }) => time < start))
  return {
    from,
    to,
    start,
    position: slideAt(earlier, start),
    before: [...visible, ...earlier.filter(({ time }) => time >= start)],
    during: events.filter(({ time }) => time >= from / fps && time * fps < to),
  }
}

/** Returns the time of the last change to another slide; clicks on a slide are ignored. */
function slideStart(events: VideoEvent[]): number {
  let start = 0
  let slide: number | undefined
  for (const event of events)
    if (event.type === 'show' && event.slide !== slide) {
      slide = event.slide
      start = event.time
    }
  return start
}

/** Drops events whose effect later events have replaced, and slide changes. */
function stillVisible(events: VideoEvent[]): VideoEvent[] {
  const replaced = new Set<string>()
  return events
    .toReversed()
    .filter((event) => {
      if (event.type === 'show') return false
      const subject = subjectOf(event)
      if (replaced.has(subject)) return false
      // Output is added to the screen; every other event replaces the state of its subject.
      if (event.type !== 'output') replaced.add(subject)
      return true
    })
    .toReversed()
}

/** Identifies the part of the page that an event changes. */
function subjectOf(event: Exclude<VideoEvent, { type: 'show' }>): string {
  switch (event.type) {
    case 'screen':
    case 'output':
      return `screen ${event.terminal}`
    case 'replay':
      return `replay ${event.terminal}`
    case 'step':
      return `step ${event.step}`
    case 'sync':
      return `sync ${event.channel}`
  }
}
