import { type Command, Option } from 'commander'
import { parseIpv4 } from '../arguments.ts'
import { addDeck, deckOf, noOpenOption, portOption, profileOption, yesOption } from '../options.ts'
import type { StartOptions } from '../start.ts'

type Parsed = Omit<StartOptions, 'deck' | 'develop'>

/** Registers `start`, which presents the talk. */
export function registerStart(program: Command): void {
  const command = program.command('start').description('present the talk: serve the built deck and its terminals')
  addServingOptions(command)
    .option('--share', 'share the talk view-only on the local network; prints a link and a QR code')
    .addOption(new Option('--share-address <address>', 'share at this address of this machine').argParser(parseIpv4))
    .option('--insecure-remote', 'share the talk and let a paired phone run steps over unencrypted HTTP')
    .action((_deck: string, options: Parsed, self: Command) => run(self, options, false))
}

/** Registers `dev`, for authors. Slidev's development server can read and write files, so `dev` cannot be shared. */
export function registerDev(program: Command): void {
  const command = program.command('dev').description('edit the talk: the same as start, with Slidev’s live reload')
  addServingOptions(command).action((_deck: string, options: Parsed, self: Command) => run(self, options, true))
}

function addServingOptions(command: Command): Command {
  return addDeck(command)
    .addOption(portOption())
    .addOption(profileOption())
    .addOption(yesOption())
    .addOption(noOpenOption())
    .option('--save-log [file]', 'save a log of the talk as the audience sees it, for record --from-log')
}

async function run(command: Command, options: Parsed, develop: boolean): Promise<void> {
  const { start } = await import('../start.ts')
  await start({ ...options, deck: deckOf(command), develop })
}
