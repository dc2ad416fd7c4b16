import type { Command } from 'commander'
import type { CheckOptions } from '../check.ts'
import { addDeck, deckOf } from '../options.ts'

/** Registers `check`, which finds mistakes in a deck. */
export function registerCheck(program: Command): void {
  addDeck(program.command('check').description('find mistakes in the deck, without running anything'))
    .option('--json', 'print JSON', false)
    .option('--github', 'print annotations for GitHub Actions', false)
    .option('--strict', 'fail if there are warnings', false)
    .action(async (_deck: string, options: Omit<CheckOptions, 'deck'>, command: Command) => {
      const { printProblems } = await import('../check.ts')
      if (!(await printProblems({ ...options, deck: deckOf(command) }))) process.exitCode = 1
    })
}
