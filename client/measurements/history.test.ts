import { expect, test } from 'vitest'
import { change, sortByDate, toDots } from './history.ts'

const point = (date: string, value: number) => ({ date: `2026-${date}T10:00:00.000Z`, value })

test('measurements are sorted by date, and duplicates are removed', () => {
  const points = sortByDate([point('03-01', 2), point('01-01', 1), point('03-01', 2)])
  expect(points).toEqual([point('01-01', 1), point('03-01', 2)])
})

test('the change is the difference to the previous measurement, and undefined without one', () => {
  expect(change([point('01-01', 5), point('02-01', 7), point('03-01', 4)])).toBe(-3)
  expect(change([point('01-01', 5), point('02-01', 5)])).toBeUndefined()
  expect(change([point('01-01', 5)])).toBeUndefined()
  expect(change([])).toBeUndefined()
})

test('dots are spread in proportion to date and value, and a single dot is centered', () => {
  expect(toDots([point('01-01', 10), point('01-02', 30), point('01-05', 20)]).map(({ x, y }) => [x, y])).toEqual([
    [0, 1],
    [0.25, 0],
    [1, 0.5],
  ])
  expect(toDots([point('01-01', 10)])).toMatchObject([{ x: 0.5, y: 0.5 }])
  expect(toDots([point('01-01', 10), point('01-02', 10)]).map(({ y }) => y)).toEqual([0.5, 0.5])
  expect(toDots([])).toEqual([])
})
