import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, extname, isAbsolute, relative, resolve } from 'node:path'
import type { SnippetFailure } from '../../shared/failures/deck-problem.ts'

/**
 * Code that a slide imports from a file: `<<< @/run.sh#region sh {step=run}`. Follows node/syntax/snippet.ts of
 * @slidev/cli, which exports none of it; server/deck/page.lab.test.ts compares both.
 */
export interface Snippet {
  /** Absolute. */
  file: string
  /** As the author has written it, with its region. */
  path: string
  /** The info string of the fence that it becomes. */
  info: string
  content: string
  /** The whole text of the file. */
  text: string
  failure?: SnippetFailure
}

const SNIPPET = /^<<<[ \t]*(\S.*?)(#[\w-]+)?[ \t]*(?:[ \t](\S+?))?[ \t]*(\{.*)?$/

/** Marks of a region in the comments of various languages: the beginning, and the end. */
const REGION_MARKS: readonly (readonly [RegExp, RegExp])[] = [
  [/^\s*\/\/\s*#?region\b\s*(.*?)\s*$/, /^\s*\/\/\s*#?endregion\b\s*(.*?)\s*$/],
  [/^\s*<!--\s*#?region\b\s*(.*?)\s*-->/, /^\s*<!--\s*#?endregion\b\s*(.*?)\s*-->/],
  [/^\s*\/\*\s*#region\b\s*(.*?)\s*\*\//, /^\s*\/\*\s*#endregion\b\s*(.*?)\s*\*\//],
  [/^\s*#[rR]egion\b\s*(.*?)\s*$/, /^\s*#[eE]nd ?[rR]egion\b\s*(.*?)\s*$/],
  [/^\s*#\s*#?region\b\s*(.*?)\s*$/, /^\s*#\s*#?endregion\b\s*(.*?)\s*$/],
  [/^\s*(?:--|::|@?REM)\s*#region\b\s*(.*?)\s*$/, /^\s*(?:--|::|@?REM)\s*#endregion\b\s*(.*?)\s*$/],
  [/^\s*#pragma\s+region\b\s*(.*?)\s*$/, /^\s*#pragma\s+endregion\b\s*(.*?)\s*$/],
  [/^\s*\(\*\s*#region\b\s*(.*?)\s*\*\)/, /^\s*\(\*\s*#endregion\b\s*(.*?)\s*\*\)/],
]

export function isSnippet(line: string): boolean {
  return SNIPPET.test(line)
}

/**
 * Reads a snippet.
 *
 * @param line the line of the slide, without indentation
 * @param slideFile the file that contains the slide, absolute
 * @param root folder of the deck, absolute
 * @param allowedRoots folders that may be read, absolute
 * @returns undefined if the line does not import a snippet
 */
export function readSnippet(
  line: string,
  slideFile: string,
  root: string,
  allowedRoots: readonly string[],
): Snippet | undefined {
  const match = SNIPPET.exec(line)
  if (!match) return undefined
  const [, path = '', region = '', language = '', meta = ''] = match
  const file = path.startsWith('@/') ? resolve(root, path.slice(2)) : resolve(dirname(slideFile), path)
  const info = `${language.trim() || extname(path).slice(1)} ${meta.trim()}`.trim()
  const snippet = { file, path: `${path}${region}`, info, content: '', text: '' }
  if (!allowedRoots.some((allowed) => isInside(file, allowed))) return { ...snippet, failure: 'outside' }
  if (!existsSync(file) || !statSync(file).isFile()) return { ...snippet, failure: 'missing' }
  const text = readFileSync(file, 'utf8')
  if (region === '') return { ...snippet, content: text, text }
  const content = regionOf(text, region.slice(1))
  // Slidev shows the whole file instead.
  return content === undefined
    ? { ...snippet, content: text, text, failure: 'missing-region' }
    : { ...snippet, content, text }
}

/** Whether a path is a folder or below it. */
export function isInside(path: string, folder: string): boolean {
  const below = relative(folder, path)
  return !below.startsWith('..') && !isAbsolute(below)
}

function regionOf(text: string, name: string): string | undefined {
  const lines = text.split(/\r?\n/)
  for (const [start, [begin, end]] of lines.flatMap((line, index) =>
    REGION_MARKS.filter(([mark]) => mark.exec(line)?.[1] === name).map((marks) => [index, marks] as const),
  )) {
    let depth = 1
    for (let index = start + 1; index < lines.length; index++) {
      const line = lines[index] ?? ''
      const ended = end.exec(line)?.[1]
      if (begin.exec(line)?.[1] === name) depth++
      else if ((ended === name || ended === '') && --depth === 0)
        return dedent(lines.slice(start + 1, index).filter((each) => !begin.test(each) && !end.test(each)))
    }
    // Slidev considers only the first mark.
    return undefined
  }
  return undefined
}

function dedent(lines: readonly string[]): string {
  const indents = lines.map((line) => line.search(/[^ \t]/)).filter((indent) => indent >= 0)
  const indent = Math.min(...indents)
  return lines.map((line) => (Number.isFinite(indent) ? line.slice(indent) : line)).join('\n')
}
