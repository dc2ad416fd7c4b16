import { dirname, relative, resolve } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import {
  type DeckIssue,
  type DeckProblem,
  describeDeckProblem,
  type Place,
} from '../../shared/failures/deck-problem.ts'
import { deckProblem } from './problems.ts'
import type { LoadedSlides } from './slidev.ts'

/** The translation of Slidev's output to problems of a deck. */

/** Lines of Slidev's output that are shown if its errors are not recognized. */
const MAX_OUTPUT_LINES = 12

/** Thrown if Slidev cannot build the deck. The message lists all problems. */
export class BuildError extends Error {
  override name = 'BuildError'
  /** The problems in the files of the deck; empty if Slidev failed in another way. */
  readonly problems: readonly DeckProblem[]

  /** @param cause the problems, or the end of Slidev's output if it contains none */
  constructor(cause: readonly DeckProblem[] | string) {
    super(typeof cause === 'string' ? cause : cause.map(describeDeckProblem).join('\n'))
    this.problems = typeof cause === 'string' ? [] : cause
  }
}

/**
 * Parses the output of a failed build.
 *
 * @param slides the slides of the deck
 * @param root folder of the deck, in which Slidev ran, absolute
 * @param exitCode undefined if a signal ended Slidev
 */
export function parseBuildErrors(output: string, slides: LoadedSlides, root: string, exitCode?: number): BuildError {
  const text = stripVTControlCharacters(output)
  // Vite and Rolldown may report the same mistake.
  const problems = new Map<string, DeckProblem>()
  const add = (issue: DeckIssue, module: string, search?: string) => {
    const problem = deckProblem(findPlace(module, slides, root, search), issue)
    problems.set(describeDeckProblem(problem), problem)
  }

  for (const [, id = '', file = ''] of text.matchAll(/Could not resolve '(.+)' in (.+)$/gm))
    add({ kind: 'unresolved-import', import: id }, file, id)
  for (const [, id = '', file = ''] of text.matchAll(/failed to resolve import "(.+)" from "(.+)"/g))
    add({ kind: 'unresolved-import', import: id }, file, id)
  for (const [, file = '', message = ''] of text.matchAll(/^\[plugin [^\]]*\] (.+)\n(?:\w*Error: )?(.*)$/gm))
    // PostCSS repeats the position.
    add({ kind: 'compilation', message: message.replace(/^\[postcss\] .*?:\d+:\d+: /, '') }, file)
  for (const [, code, message = '', file = ''] of text.matchAll(/^\[([A-Z_]+)\] (.+)\n\s+╭─\[ (.+) \]$/gm))
    if (code !== 'UNRESOLVED_IMPORT') add({ kind: 'compilation', message }, file)

  const inOrder = [...problems.values()].toSorted((a, b) => (a.slide ?? 0) - (b.slide ?? 0))
  if (inOrder.length > 0) return new BuildError(inOrder)
  const rest = lastLines(withoutStacks(text.replace(/^[\s\S]*^Build failed with .*$/m, '')))
  return new BuildError(rest || `Slidev exited with status ${exitCode ?? '(none)'}.`)
}

/**
 * The position of a module in the deck.
 *
 * @param module path of a file, or of a slide as Slidev names it, with a query or with line and column
 * @param search a text in the module, which determines the line
 */
function findPlace(module: string, { slides }: LoadedSlides, root: string, search?: string): Place {
  const path = module.replace(/(\?.*|:\d+:\d+)$/, '')
  const number = Number(/^.*__slidev_(\d+)\.md$/.exec(path)?.[1])
  const slide = slides[number - 1]
  // Lines in the output are those of the code that slides and components are compiled to.
  if (slide === undefined) return { file: relative(root, resolve(root, path)) }
  const { filepath, start, raw } = slide.source
  const index = search === undefined ? -1 : raw.split('\n').findIndex((text) => text.includes(search))
  return {
    file: relative(root, resolve(dirname(root), filepath)),
    ...(index >= 0 && { line: start + index + 1 }),
    slide: number,
  }
}

/** Removes the stack traces of Node and of Rust, which would hide the error itself. */
function withoutStacks(text: string): string {
  const stack = /^\s+at |^\s*\d+: |^Stack backtrace:|^\s*errors: \[Getter\/Setter\]|^[{}\s]*$/
  return text
    .split('\n')
    .filter((line) => !stack.test(line))
    .join('\n')
}

/** The end of a program's output, for an error message. */
export function lastLines(text: string): string {
  return stripVTControlCharacters(text).trim().split('\n').slice(-MAX_OUTPUT_LINES).join('\n')
}
