/** One word for a POSIX shell (Shell Command Language, section 2.2.2). Plain words stay as they are, to be read on a slide. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
