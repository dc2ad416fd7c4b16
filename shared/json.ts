/** Parses JSON for validation by a schema. @returns undefined if the text is not valid JSON */
export function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
