import { resolve } from 'node:path'
import type { Command } from 'commander'
import { DEFAULT_DECK } from '../arguments.ts'

/** Registers `import`, which converts decks of presenterm. */
export function registerImport(program: Command): void {
  program
    .command('import')
    .description('convert a presenterm deck to a Slidev deck with steps; list what could not be converted')
    .argument('<deck>', 'the presenterm deck')
    .option('-o, --out <file>', 'file to write; it must not exist', DEFAULT_DECK)
    .action(async (deck: string, { out }: { out: string }) => {
      const { importDeck } = await import('../import.ts')
      await importDeck({ source: resolve(deck), out: resolve(out) })
    })
}
