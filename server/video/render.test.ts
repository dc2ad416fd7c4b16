import { expect, test } from 'vitest'
import { partOf } from './frame-capturer.ts'
import { cutsOf } from './render.ts'
import type { FilmEvent, Timeline } from '../../shared/video/timeline.ts'

function film(length: number, events: FilmEvent[]): Timeline {
  return {
    version: 1,
    title: 'A film',
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
const show = (time: number, slide: number, clicks = 0): FilmEvent => ({ time, type: 'show', slide, clicks })

test('a film is cut between slides, and every frame is in one part', () => {
  expect(cutsOf(film(12.5, [show(0, 1), show(4, 2), show(5, 2, 1), show(8.2, 3)]), 30)).toEqual([
    { from: 0, to: 120 },
    { from: 120, to: 246 },
    { from: 246, to: 375 },
  ])
})

test('a long slide is cut where nothing has begun to move for two seconds', () => {
  const cuts = cutsOf(film(40, [show(0, 1), show(5, 1, 1), show(6.5, 1, 2), show(30, 1, 3)]), 10)
  expect(cuts[0]).toEqual({ from: 0, to: 90 })
  expect(cuts.map(({ to }) => to).slice(0, -1)).toEqual(cuts.slice(1).map(({ from }) => from))
  expect(cuts.at(-1)?.to).toBe(400)
  for (const { from } of cuts.slice(1))
    for (const time of [0, 5, 6.5, 30]) expect(from / 10 <= time || from / 10 >= time + 2).toBe(true)
})

test('the page of a part is told what still shows, and what happens on the slide before it and its own', () => {
  const { events } = film(30, [
    show(0, 1),
    { time: 1, type: 'screen', terminal: 'a', cols: 80, rows: 24, data: 'gone' },
    { time: 2, type: 'screen', terminal: 'a', cols: 80, rows: 24, data: 'still ' },
    { time: 3, type: 'output', terminal: 'a', data: 'there' },
    { time: 4, type: 'step', step: 'one', status: { state: 'running', since: 0 } },
    { time: 5, type: 'step', step: 'one', status: { state: 'idle' } },
    show(10, 2, 1),
    { time: 12, type: 'output', terminal: 'b', data: 'shown before' },
    show(20, 3),
    { time: 22, type: 'output', terminal: 'b', data: 'shown' },
    show(25, 4),
  ])
  const part = partOf({ events }, 10, 200, 250)
  expect(part).toMatchObject({ base: 10, place: { slide: 2, clicks: 1 } })
  expect(part.before.map(({ time }) => time)).toEqual([2, 3, 5, 10, 12])
  expect(part.during.map(({ time }) => time)).toEqual([20, 22])
})
