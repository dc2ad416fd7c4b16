import { expect, test } from 'vitest'
import { cutsOf } from './render.ts'
import type { FilmEvent, Timeline } from './timeline.ts'

function film(length: number, events: FilmEvent[]): Timeline {
  return { version: 1, title: 'A film', date: '2026-01-01T00:00:00.000Z', length, opening: { profile: 'host', steps: [], terminals: [] }, events, chapters: [], captions: [], narration: [], poster: 0 }
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
  for (const { from } of cuts.slice(1)) for (const time of [0, 5, 6.5, 30]) expect(from / 10 <= time || from / 10 >= time + 2).toBe(true)
})
