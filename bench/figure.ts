/** One measured value, its target and its references. */
export interface Figure {
  name: string
  value: number
  unit: string
  /** Smallest and largest of several measurements. */
  range?: [number, number]
  target?: { atLeast: number } | { atMost: number }
  /** Values measured in the same run for comparison, by name with unit. */
  references?: Record<string, number>
}

/** @returns whether the value meets its target; undefined without a target */
export function meetsTarget({ value, target }: Figure): boolean | undefined {
  if (!target) return undefined
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost
}

/** Makes a figure of several measurements: their median and range. */
export function medianFigure(
  name: string,
  unit: string,
  values: number[],
  more: Pick<Figure, 'target' | 'references'> = {},
): Figure {
  return {
    name,
    value: round(median(values)),
    unit,
    range: [round(Math.min(...values)), round(Math.max(...values))],
    ...more,
  }
}

export function median(values: number[]): number {
  return percentile(values, 50)
}

/** @param rank 0 to 100 */
export function percentile(values: number[], rank: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((rank / 100) * sorted.length))] ?? NaN
}

/** Rounds to three significant digits. */
export function round(value: number): number {
  return Number(value.toPrecision(3))
}
