import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { NewOptions } from '../new.ts'

/** Registers `new`, which creates a deck. */
export function registerNew(program: Command): void {
  program
    .command('new')
    .description('create a folder with a small deck, install its packages and rehearse it')
    .argument('<folder>', 'folder to create; it must be empty if it exists')
    .option('--addon <spec>', 'version or file of this package that the deck depends on')
    .option('--no-install', 'only write the files')
    .action(async (folder: string, options: Pick<NewOptions, 'addon' | 'install'>) => {
      const { createDeck } = await import('../new.ts')
      const commands = program.commands.map((command) => command.name())
      if (!(await createDeck({ ...options, folder: resolve(folder), commands }))) process.exitCode = 1
    })
}
