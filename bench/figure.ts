/** One measured value and what it is held against. */
export interface Figure {
  name: string
  value: number
  unit: string
  /** The best and the worst of several measurements. */
  range?: [number, number]
  /** What it should be: at least, or at most. */
  target?: { atLeast: number } | { atMost: number }
  /** Measured in the same run: what it is compared with. */
  references?: Record<string, number>
}

export function meets({ value, target }: Figure): boolean | undefined {
  if (!target) return undefined
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost
}

/** A figure of several measurements: their median, with the range. */
export function figure(
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

export function round(value: number): number {
  return Number(value.toPrecision(3))
}
