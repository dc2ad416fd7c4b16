/** What a text says as JSON, to be parsed by a schema; undefined where it is none. */
export function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
