import type { Command } from 'commander'
import { isSameSite, parseCommandPrefix, parseLearners, parsePageUrl, parsePublicUrl } from '../arguments.ts'
import { addDeck, deckOf, noOpenOption, portOption, profileOption, yesOption } from '../options.ts'
import type { WorkshopOptions } from '../workshop.ts'

interface Parsed extends Omit<WorkshopOptions, 'deck'> {
  learners?: string[]
  publicUrl?: string
  pageUrl?: string
  commandPrefix?: string
  terminalPrefix?: string
}

/** Registers `workshop`, which serves the deck to one learner or a class. */
export function registerWorkshop(program: Command): void {
  addDeck(
    program
      .command('workshop')
      .description('serve the deck as a workshop, for one learner or a class: slides, tasks, a terminal and an editor'),
  )
    .addOption(portOption())
    .addOption(profileOption('environment that the steps and tasks run in'))
    .addOption(yesOption())
    .option('--sequential', 'unlock each slide or task after the previous one is passed or skipped', false)
    .addOption(noOpenOption())
    .option(
      '--learners <learners>',
      'serve a class: the number of learners or their names (ada,bob); each gets a container on this machine',
      parseLearners,
    )
    .option(
      '--public-url <url>',
      'public HTTPS URL of the reverse proxy, used in learner links (https://workshop.example)',
      parsePublicUrl,
    )
    .option(
      '--page-url <url>',
      'wildcard HTTPS URL that the proxy gives the pages of steps (https://*.workshop.example)',
      parsePageUrl,
    )
    .option(
      '--command-prefix <command>',
      'run the learners’ shells on other machines with this command, such as "ssh -T {learner}@lab"',
      parseCommandPrefix,
    )
    .option(
      '--terminal-prefix <command>',
      'command for shells with a terminal, such as "ssh -tt {learner}@lab"; default: --command-prefix',
      parseCommandPrefix,
    )
    .action((_deck: string, options: Parsed, command: Command) => run(command, options))
}

async function run(command: Command, parsed: Parsed): Promise<void> {
  const { learners, publicUrl, pageUrl, commandPrefix, terminalPrefix, ...serving } = parsed
  checkClassOptions(parsed)
  const options = { ...serving, deck: deckOf(command) }
  if (!learners) return (await import('../workshop.ts')).openWorkshop(options)
  const { openClass } = await import('../class.ts')
  return openClass({
    ...options,
    learners,
    ...(publicUrl !== undefined && { publicUrl }),
    ...(pageUrl !== undefined && { pageUrl }),
    ...(commandPrefix !== undefined && { commandPrefix }),
    ...(terminalPrefix !== undefined && { terminalPrefix }),
  })
}

/** @throws Error if the options of a class contradict each other */
function checkClassOptions({ learners, publicUrl, pageUrl, commandPrefix, terminalPrefix }: Parsed): void {
  if (pageUrl !== undefined && (publicUrl === undefined || !isSameSite(publicUrl, pageUrl)))
    throw new Error(
      '--page-url requires --public-url at the same domain, for example --public-url https://workshop.example --page-url https://*.workshop.example. Browsers withhold the cookies of pages that are embedded in another site.',
    )
  if (!learners && (commandPrefix ?? terminalPrefix ?? publicUrl) !== undefined)
    throw new Error('--public-url, --command-prefix and --terminal-prefix require --learners.')
}
