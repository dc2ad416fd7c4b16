/** One measurement of a value. */
export interface Point {
  /** ISO 8601 */
  date: string
  value: number
}

/** Sorts measurements by date, and keeps only the last one of each date. */
export function sortByDate(points: Point[]): Point[] {
  return [...new Map(points.map((point) => [point.date, point])).values()].sort((a, b) => a.date.localeCompare(b.date))
}

/** The difference between the last two measurements; undefined if they are equal or there are fewer than two. */
export function change(points: Point[]): number | undefined {
  const [before, last] = points.slice(-2)
  return before && last && before.value !== last.value ? last.value - before.value : undefined
}

/** A measurement in a chart: x and y from 0 to 1, with y measured from the top. */
export interface Dot extends Point {
  x: number
  y: number
}

/**
 * Positions measurements in a chart: horizontally by date, vertically by value, each from the smallest to the largest.
 * A single measurement is centered, and so are equal values.
 */
export function toDots(points: Point[]): Dot[] {
  const times = points.map(({ date }) => Date.parse(date))
  const values = points.map(({ value }) => value)
  const share = (value: number, all: number[]) =>
    Math.max(...all) === Math.min(...all) ? 0.5 : (value - Math.min(...all)) / (Math.max(...all) - Math.min(...all))
  return points.map((point, index) => ({
    ...point,
    x: points.length === 1 ? 0.5 : share(times[index] ?? 0, times),
    y: 1 - share(point.value, values),
  }))
}
