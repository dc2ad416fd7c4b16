/** Seconds per unit of a time. A month and a year are averages. */
const UNIT_SECONDS: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, ['s', 'sec', 'secs']],
      [60, ['m', 'min', 'mins']],
      [3600, ['h', 'hr', 'hrs', 'hour', 'hours']],
      [86_400, ['day', 'days']],
      [604_800, ['week', 'weeks']],
      [2_629_746, ['month', 'months']],
      [31_556_952, ['year', 'years']],
    ] as const
  ).flatMap(([seconds, units]) => units.map((unit) => [unit, seconds] as const)),
)

/**
 * Parses a time in Slidev's notation, such as `90s`, `1h10m`, `1:30:00`, or a number of seconds. Equal to
 * `parseTimeString` of @slidev/parser, which neither the addon's pages nor its server can import by its name: package
 * managers install it inside of @slidev/cli.
 *
 * @returns seconds; undefined for an invalid time
 */
export function parseTime(text: string | number): number | undefined {
  if (typeof text === 'number') return text
  const time = text.startsWith('+') ? text.slice(1) : text
  if (time.includes(':')) return parseClock(time.split(':').map(Number))
  if (!/[a-z]/i.test(time)) return finite(Number(time))
  const part = /([\d.]+)([a-z]+)/gi
  if (time.replace(part, '').trim() !== '') return undefined
  let seconds = 0
  for (const [, value, unit = ''] of time.matchAll(part)) {
    const factor = UNIT_SECONDS.get(unit.toLowerCase())
    if (factor === undefined) return undefined
    seconds += Number(value) * factor
  }
  return finite(seconds)
}

/** @param parts minutes and seconds, or hours, minutes and seconds */
function parseClock(parts: readonly number[]): number | undefined {
  if (parts.length < 2 || parts.length > 3) return undefined
  return finite(parts.reduce((total, part) => total * 60 + part, 0))
}

function finite(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value
}
