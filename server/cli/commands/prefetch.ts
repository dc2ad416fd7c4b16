import type { Command } from 'commander'
import { addDeck, deckOf, profileOption, yesOption } from '../options.ts'
import type { PrefetchOptions } from '../prefetch.ts'

/** Registers `prefetch`, which prepares a talk without a network. */
export function registerPrefetch(program: Command): void {
  addDeck(
    program
      .command('prefetch')
      .description('build and keep everything the steps need, so that the talk runs without a network'),
  )
    .addOption(profileOption('environment that the steps run in', ['nixos', 'lab']))
    .addOption(yesOption())
    .option('--export <folder>', 'also write a binary cache to this folder, such as a USB stick')
    .option('--import <folder>', 'first import the binary cache that --export has written to this folder')
    .action(async (_deck: string, options: Omit<PrefetchOptions, 'deck'>, command: Command) => {
      const { prefetchDeck } = await import('../prefetch.ts')
      if (!(await prefetchDeck({ ...options, deck: deckOf(command) }))) process.exitCode = 1
    })
}
