/**
 * Quotes a string as one word for a POSIX shell (Shell Command Language, section 2.2.2). Plain words are not quoted,
 * because commands are shown on slides.
 */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
