import { expect, test } from 'vitest'
import type { Timeline, VideoEvent } from '../../shared/video/timeline.ts'
import { segmentOf, segmentRanges } from './segments.ts'

function timelineOf(length: number, events: VideoEvent[]): Timeline {
  return {
    version: 1,
    title: 'A talk',
    date: '2026-01-01T00:00:00.000Z',
    length,
    opening: { profile: 'host', steps: [], terminals: [] },
    events,
    chapters: [],
    captions: [],
    narration: [],
    poster: 0,
  }
}
const show = (time: number, slide: number, clicks = 0): VideoEvent => ({ time, type: 'show', slide, clicks })

test('segmentRanges splits at slide changes, and each frame is in one range', () => {
  expect(segmentRanges(timelineOf(12.5, [show(0, 1), show(4, 2), show(5, 2, 1), show(8.2, 3)]), 30)).toEqual([
    { from: 0, to: 120 },
    { from: 120, to: 246 },
    { from: 246, to: 375 },
  ])
})

test('segmentRanges splits a long slide only if no movement has started for two seconds', () => {
  const ranges = segmentRanges(timelineOf(40, [show(0, 1), show(5, 1, 1), show(6.5, 1, 2), show(30, 1, 3)]), 10)
  expect(ranges[0]).toEqual({ from: 0, to: 90 })
  expect(ranges.map(({ to }) => to).slice(0, -1)).toEqual(ranges.slice(1).map(({ from }) => from))
  expect(ranges.at(-1)?.to).toBe(400)
  for (const { from } of ranges.slice(1))
    for (const time of [0, 5, 6.5, 30]) expect(from / 10 <= time || from / 10 >= time + 2).toBe(true)
})

test('a segment contains the state that is still visible and the events of its own and the previous slide', () => {
  const { events } = timelineOf(30, [
    show(0, 1),
    { time: 1, type: 'screen', terminal: 'a', cols: 80, rows: 24, data: 'replaced' },
    { time: 2, type: 'screen', terminal: 'a', cols: 80, rows: 24, data: 'still ' },
    { time: 3, type: 'output', terminal: 'a', data: 'visible' },
    { time: 4, type: 'step', step: 'one', status: { state: 'running', since: 0 } },
    { time: 5, type: 'step', step: 'one', status: { state: 'idle' } },
    show(10, 2, 1),
    { time: 12, type: 'output', terminal: 'b', data: 'on the previous slide' },
    show(20, 3),
    { time: 22, type: 'output', terminal: 'b', data: 'on the slide' },
    show(25, 4),
  ])
  const segment = segmentOf({ events }, 10, { from: 200, to: 250 })
  expect(segment).toMatchObject({ start: 10, position: { slide: 2, clicks: 1 } })
  expect(segment.before.map(({ time }) => time)).toEqual([2, 3, 5, 10, 12])
  expect(segment.during.map(({ time }) => time)).toEqual([20, 22])
})
