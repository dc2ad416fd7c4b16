import type { Command } from 'commander'
import { addDeck, deckOf } from '../options.ts'

/** Registers `lock`, which pins the inputs of the deck's flake. */
export function registerLock(program: Command): void {
  addDeck(program.command('lock').description('lock the inputs of the flake and write nix/flake.lock'))
    .option('--update', 'update the inputs to their newest versions', false)
    .action(async (_deck: string, { update }: { update: boolean }, command: Command) => {
      const { lockFlake } = await import('../lock.ts')
      await lockFlake({ deck: deckOf(command), update })
    })
}
