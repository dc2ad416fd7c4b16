import { hasPrompt } from '../../shared/deck/console.ts'

/** Characters that look like a space or like nothing. A zero-width joiner may be part of an emoji. */
const INVISIBLE = /[\u00a0\u2007\u202f\u200b\u200c\u2060\ufeff\u00ad]|(?<!\p{Extended_Pictographic}\ufe0f?)\u200d/u
/** Quotes that word processors write, and dashes in place of the hyphen of an option. */
const TYPOGRAPHIC = /[\u2018\u2019\u201c\u201d]|(?<=^|\s)[–—](?=[\w–—-])/u
const QUOTED = /\\.|'[^']*'|"(?:\\[\s\S]|[^"\\])*"/g

/**
 * Finds characters that the shell probably does not understand as the author does: the first one of each line. Comments
 * are left out, and so are typographic characters in quotes, where they are text.
 *
 * @param code the contents of a fence
 * @returns lines from 0
 */
export function suspiciousCharacters(code: string): { line: number; character: string }[] {
  const unquoted = code
    .replace(QUOTED, (text) => text.replace(/[^\n]/g, '_'))
    .replace(/(^|\s)#.*/gm, '')
    .split('\n')
  return code.split('\n').flatMap((text, line) => {
    if (text.trimStart().startsWith('#')) return []
    const character = (INVISIBLE.exec(text) ?? TYPOGRAPHIC.exec(unquoted[line] ?? ''))?.[0]
    return character === undefined ? [] : [{ line, character }]
  })
}

/** The line of a prompt that would be typed into the shell, from 0; undefined if there is none. */
export function promptLine(code: string, language: string): number | undefined {
  if (language === 'console') return undefined
  const lines = code.split('\n')
  const first = lines.findIndex((line) => line.trim() !== '')
  return hasPrompt(lines[first] ?? '') ? first : undefined
}
