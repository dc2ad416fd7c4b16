/** One measurement of a value. */
export interface Point {
  /** ISO 8601 */
  date: string
  value: number
}

/** Puts measurements in order, each of a date once. */
export function inOrder(points: Point[]): Point[] {
  return [...new Map(points.map((point) => [point.date, point])).values()].sort((a, b) => a.date.localeCompare(b.date))
}

/** How a value has changed since the measurement before; undefined where it has not, or there was none. */
export function change(points: Point[]): number | undefined {
  const [before, last] = points.slice(-2)
  return before && last && before.value !== last.value ? last.value - before.value : undefined
}

/** A measurement in the picture: x and y from 0 to 1, y from above. */
export interface Dot extends Point {
  x: number
  y: number
}

/**
 * Places measurements: to the right by their date, up by their value. The lowest and the highest are kept off the edges; one alone, or values
 * that do not differ, stand in the middle.
 */
export function placed(points: Point[]): Dot[] {
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
