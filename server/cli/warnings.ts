import type { Deck } from '../deck/deck.ts'
import { describeDeckProblem } from '../../shared/failures/deck-problem.ts'

/** Prints the warnings of a deck to the standard error, so that the output of a command remains usable by programs. */
export function printWarnings({ warnings }: Deck): void {
  if (warnings.length === 0) return
  const lines = warnings.map((warning) => `  ${describeDeckProblem(warning)}`)
  console.error(`${warnings.length === 1 ? 'Warning' : 'Warnings'}:\n${lines.join('\n')}\n`)
}
