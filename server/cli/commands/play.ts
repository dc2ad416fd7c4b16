import type { Command } from 'commander'
import type { Profile } from '../../../shared/deck/contract.ts'
import { addDeckBefore, deckAndRestOf, profileOption } from '../options.ts'

/** Registers `play`, which plays a recording in the user's terminal. */
export function registerPlay(program: Command): void {
  addDeckBefore(
    program
      .command('play')
      .description('play the recording of a step or a log of an earlier talk; without an argument, list all of them'),
    '[recording]',
    'id of a step or number of a log',
  )
    .addOption(profileOption('environment whose recordings to play'))
    .action(async (_deck: string, _recording: string, { profile }: { profile?: Profile }, command: Command) => {
      const { deck, rest } = deckAndRestOf(command)
      if (rest.length > 1) command.error(`error: Too many arguments: ${rest.slice(1).join(', ')}.`)
      const { play } = await import('../play.ts')
      await play({ deck, recording: rest[0], profile })
    })
}
