import type { SourceSlideInfo } from '@slidev/types'
import { isMap } from 'yaml'
import type { DeckIssue } from '../../shared/failures/deck-problem.ts'

/** The mistakes in the frontmatter of a slide, with their lines in Slidev's text of the file, from 0. */
export function frontmatterIssues(
  slide: SourceSlideInfo,
  lines: readonly string[],
): { line: number; issue: DeckIssue }[] {
  const { start, contentStart, frontmatterRaw, frontmatterStyle, frontmatterDoc } = slide
  if (contentStart > lines.length) return [{ line: start, issue: { kind: 'frontmatter-not-closed' } }]
  if (frontmatterRaw === undefined || !frontmatterDoc) return []

  // The text between ``` and ``` begins with the rest of the line ```yaml, and may follow empty lines.
  const first =
    frontmatterStyle === 'yaml' ? lines.findIndex((line, index) => index >= start && line.trim() !== '') : start + 1
  const length = frontmatterRaw.split('\n').length - 1
  if (frontmatterStyle === 'frontmatter' && length < contentStart - start - 2)
    return [{ line: first + length, issue: { kind: 'frontmatter-cut' } }]

  const errors = frontmatterDoc.errors.map(({ message, linePos }) => ({
    line: first + (linePos?.[0].line ?? 1) - 1,
    // The message continues with the position and an excerpt.
    issue: {
      kind: 'frontmatter',
      reason: (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:$/, ''),
    } as const,
  }))
  if (errors.length > 0) return errors
  const { contents } = frontmatterDoc
  if (contents === null || isMap(contents)) return []
  return [{ line: first, issue: { kind: 'frontmatter-not-map' } }]
}

/**
 * Finds a key in the frontmatter of a slide.
 *
 * @param lines Slidev's text of the file
 * @returns its line, from 0; the line of its nearest parent if the key is absent
 */
export function frontmatterLine(
  { start, contentStart, end, frontmatterStyle }: SourceSlideInfo,
  lines: readonly string[],
  path: readonly PropertyKey[],
): number {
  const opening = (lines[start] ?? '').startsWith('---') ? start + 1 : start
  const closing = frontmatterStyle === 'yaml' ? end : contentStart
  let line = opening
  let from = opening
  for (const key of path) {
    const isKey = (text: string) => new RegExp(`^[\\s{,-]*['"]?${escapeRegExp(String(key))}['"]?\\s*:`).test(text)
    const next = lines.findIndex((text, index) => index >= from && index < closing && isKey(text))
    if (next < 0) break
    line = next
    from = next + 1
  }
  return line
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
