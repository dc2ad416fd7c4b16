/** Names that differ in more letters are different names. */
const MAX_DISTANCE = 2

/**
 * Finds the name that was probably meant.
 *
 * @returns the most similar name, or undefined if none is similar
 */
export function similarName(written: string, names: Iterable<string>): string | undefined {
  const normalize = (name: string) => name.toLowerCase().replace(/[-_]/g, '')
  const [best] = [...names]
    .map((name) => ({ name, distance: editDistance(normalize(written), normalize(name)) }))
    .filter(({ name, distance }) => distance <= Math.min(MAX_DISTANCE, Math.floor(name.length / 2)))
    .sort((a, b) => a.distance - b.distance)
  return best?.name
}

/** The number of letters to insert, remove or replace to turn one word into another (Levenshtein). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1]
    for (const [column, other] of [...b].entries())
      current.push(
        Math.min(
          (previous[column + 1] ?? 0) + 1,
          (current[column] ?? 0) + 1,
          (previous[column] ?? 0) + (letter === other ? 0 : 1),
        ),
      )
    previous = current
  }
  return previous.at(-1) ?? 0
}
