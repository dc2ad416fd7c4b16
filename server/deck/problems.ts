import {
  type DeckIssue,
  type DeckProblem,
  describeDeckProblem,
  type Place,
} from '../../shared/failures/deck-problem.ts'

const WARNINGS: ReadonlySet<DeckIssue['kind']> = new Set([
  'similar-input',
  'suspicious-character',
  'prompt-in-command',
  'hidden-output',
  'network',
  'network-fonts',
  'network-favicon',
  'network-component',
  'replaced-component',
  'reserved-component',
  'replaced-layout',
  'replaced-key',
  'unused-task',
  'recording-without-step',
  'unreadable-recording',
  'stale-recording',
])

/** Creates a problem. Its kind determines its severity. */
export function deckProblem({ file, line, slide }: Place, issue: DeckIssue): DeckProblem {
  // Indented text may show how a step is written. Elsewhere the author has certainly meant a step.
  const isIndented = issue.kind === 'swallowed-step' && issue.by.kind === 'indentation'
  return {
    file,
    ...(line !== undefined && { line }),
    ...(slide !== undefined && { slide }),
    severity: WARNINGS.has(issue.kind) || isIndented ? 'warning' : 'error',
    ...issue,
  }
}

/** Thrown for a deck with errors. The message lists all of them. */
export class DeckError extends Error {
  override name = 'DeckError'
  /** The errors, in the order of the deck. */
  readonly problems: readonly DeckProblem[]
  /** What else was found. */
  readonly warnings: readonly DeckProblem[]

  /** @param problems errors and warnings */
  constructor(problems: readonly DeckProblem[]) {
    const errors = problems.filter(({ severity }) => severity === 'error')
    super(errors.map(describeDeckProblem).join('\n'))
    this.problems = errors
    this.warnings = problems.filter(({ severity }) => severity === 'warning')
  }
}

/** The problems that are not among the earlier ones. Their lines do not count: an edit moves what follows it. */
export function newProblems(problems: readonly DeckProblem[], earlier: readonly DeckProblem[]): DeckProblem[] {
  const keyOf = ({ line, slide, ...rest }: DeckProblem) => JSON.stringify(rest)
  const known = new Set(earlier.map(keyOf))
  return problems.filter((problem) => !known.has(keyOf(problem)))
}
