import type { Command } from 'commander'
import type { AddOptions } from '../add.ts'
import { addDeck, deckOf } from '../options.ts'

/** Registers `add`, which adds this package to an existing deck. */
export function registerAdd(program: Command): void {
  addDeck(program.command('add').description('add Understudy to an existing Slidev deck, after showing the changes'))
    .option('--addon <spec>', 'version or file of this package that the deck depends on')
    .option('-y, --yes', 'make the changes without asking', false)
    .option('--dry-run', 'only show the changes', false)
    .action(async (_deck: string, options: Omit<AddOptions, 'deck' | 'commands'>, command: Command) => {
      const { addToDeck } = await import('../add.ts')
      const commands = program.commands.map((each) => each.name())
      await addToDeck({ ...options, deck: deckOf(command), commands })
    })
}
