import { type Command, Option } from 'commander'
import type { ExportOptions } from '../export.ts'
import { addDeck, deckOf, profileOption } from '../options.ts'

interface Parsed extends Omit<ExportOptions, 'deck' | 'format'> {
  format: ExportOptions['format'] | 'cast'
}

/** Registers `export`, which writes slides or recordings as files. */
export function registerExport(program: Command): void {
  addDeck(
    program
      .command('export')
      .description('export the slides as PDF, PNG or PPTX, with the final output of each recording; or the recordings'),
  )
    .addOption(
      new Option('--format <format>', 'format to write; cast writes the recordings for asciinema before 3.0')
        .choices(['pdf', 'png', 'pptx', 'cast'])
        .default('pdf'),
    )
    .option('-o, --out <path>', 'file to write; a folder for png and cast')
    .addOption(profileOption('environment whose recordings to show'))
    .option('--dark', 'use the dark color scheme', false)
    .option('--with-clicks', 'export each click of a slide as a page of its own', false)
    .option('--range <slides>', 'slides to export, such as 1,4-7')
    .option('--with-notes', 'include the speaker notes in the PPTX', false)
    .action(async (_deck: string, { format, ...options }: Parsed, command: Command) => {
      const deck = deckOf(command)
      if (format === 'cast') await (await import('../export-casts.ts')).exportCasts({ ...options, deck })
      else await (await import('../export.ts')).exportTalk({ ...options, deck, format })
    })
}
