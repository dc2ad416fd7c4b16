import type { Command } from 'commander'
import type { BuildOptions } from '../build.ts'
import { addDeck, deckOf, profileOption } from '../options.ts'

/** Registers `build`, which writes a static site. */
export function registerBuild(program: Command): void {
  addDeck(
    program
      .command('build')
      .description('build a static site whose terminals replay recordings; it works at any path of any web server'),
  )
    .option('-o, --out <folder>', 'folder to write the site to', 'dist')
    .addOption(profileOption('environment whose recordings to show'))
    .option('--with-notes', 'include the speaker notes', false)
    .action(async (_deck: string, options: Omit<BuildOptions, 'deck'>, command: Command) => {
      const { buildTalk } = await import('../build.ts')
      await buildTalk({ ...options, deck: deckOf(command) })
    })
}
