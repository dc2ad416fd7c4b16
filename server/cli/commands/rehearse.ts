import type { Command } from 'commander'
import { parseDuration } from '../arguments.ts'
import { addDeckBefore, deckAndRestOf, profileOption, yesOption } from '../options.ts'
import type { RehearseOptions } from '../rehearse.ts'

interface Parsed extends Omit<RehearseOptions, 'deck' | 'steps'> {
  only?: string[]
}

/** Registers `rehearse`, which runs and checks every step. */
export function registerRehearse(program: Command): void {
  addDeckBefore(
    program
      .command('rehearse')
      .description('run every step, check its contract, and save successful runs as recordings'),
    '[steps...]',
    'ids of the steps to run; default: all steps',
  )
    .option('--only <steps...>', 'ids of the steps to run, the same as arguments')
    .option('--start-at <step>', 'skip the steps before this one')
    .addOption(profileOption())
    .addOption(yesOption())
    .option('--keep-going', 'continue after a failed step', false)
    .option('--time-limit <duration>', 'stop after this time in total, such as 90s, 20m or 1:30:00', parseDuration)
    .option('--json <file>', 'write the report to this file as JSON')
    .option('--junit <file>', 'write the report to this file as JUnit XML')
    .option('--fresh', 'rebuild existing Nix results, so that recordings show the builds', false)
    .option('--no-record', 'do not save successful runs as recordings')
    .action(async (_deck: string, _steps: string[], { only = [], ...options }: Parsed, command: Command) => {
      const { deck, rest } = deckAndRestOf(command)
      const { rehearseDeck } = await import('../rehearse.ts')
      const { succeeded } = await rehearseDeck({ ...options, deck, steps: [...rest, ...only] })
      if (!succeeded) process.exitCode = 1
    })
}
