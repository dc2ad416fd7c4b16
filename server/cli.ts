import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { DeckError } from './deck/deck.ts'
import { BuildError } from './slidev.ts'
import { start } from './start.ts'

const program = new Command('slidev-addon-understudy').description('Slides whose commands run for real, in terminals on the slides').showHelpAfterError()

for (const [name, description] of [
  ['start', 'give the talk: serve the built deck and its terminals'],
  ['dev', 'write the talk: the same, with Slidev’s live reload'],
] as const)
  program
    .command(name)
    .description(description)
    .argument('[deck]', 'the slides', 'slides.md')
    .option('-p, --port <port>', 'the one port of the server', port, 3030)
    .addOption(new Option('--profile <profile>', 'what the steps run against').choices(['nixos', 'lab']))
    .option('-y, --yes', 'install missing system packages without asking', false)
    .option('--no-open', 'do not open a browser')
    .action((deck: string, options: { port: number; profile?: 'nixos' | 'lab'; yes: boolean; open: boolean }) =>
      start({ deck: resolve(deck), ...options, develop: name === 'dev' }),
    )

try {
  await program.parseAsync()
  process.exit(0)
} catch (error) {
  if (error instanceof DeckError) console.error(`The deck cannot be used:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}`)
  else if (error instanceof BuildError) console.error(`Slidev could not build the deck:\n${error.message}`)
  else console.error(error instanceof Error ? error.message : String(error))
  process.exit(1)
}

function port(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 65535) throw new InvalidArgumentError('A port is a whole number from 1 to 65535.')
  return value
}
