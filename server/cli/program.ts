import { Command } from 'commander'
import { registerAdd } from './commands/add.ts'
import { registerBuild } from './commands/build.ts'
import { registerCheck } from './commands/check.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerExport } from './commands/export.ts'
import { registerImport } from './commands/import.ts'
import { registerLock } from './commands/lock.ts'
import { registerNew } from './commands/new.ts'
import { registerPlay } from './commands/play.ts'
import { registerPrefetch } from './commands/prefetch.ts'
import { registerRecord } from './commands/record.ts'
import { registerRehearse } from './commands/rehearse.ts'
import { registerDev, registerStart } from './commands/start.ts'
import { registerWorkshop } from './commands/workshop.ts'
import { commandLine } from '../../shared/command-line.ts'
import { checkConsumedOptions, provideHints } from './npm.ts'
import { deckAndRestOf } from './options.ts'
import { acceptFormerNames } from './renamed-options.ts'

/** The commands, in the order of the help. */
const COMMANDS = [
  registerStart,
  registerDev,
  registerWorkshop,
  registerPrefetch,
  registerRehearse,
  registerPlay,
  registerBuild,
  registerExport,
  registerRecord,
  registerCheck,
  registerDoctor,
  registerLock,
  registerNew,
  registerAdd,
  registerImport,
]

/**
 * Assembles the command line interface. Each command imports its implementation when it runs, which keeps --help fast.
 *
 * @param notify receives notices about former names of options
 */
export function createProgram(notify: (notice: string) => void): Command {
  provideHints()
  const program = new Command('slidev-addon-understudy').description(
    'Slidev slides whose commands run for real in terminals on the slides',
  )
  for (const register of COMMANDS) register(program)
  acceptFormerNames(program, notify)
  program.showHelpAfterError('All commands: npx slidev-addon-understudy --help')
  for (const command of program.commands)
    command.showHelpAfterError(`All options: ${commandLine(command.name(), '--help')}`)
  program.hook('preAction', (_, command) => {
    checkConsumedOptions(command)
    if (command.options.some(({ long }) => long === '--deck')) provideHints(deckAndRestOf(command).deck)
  })
  return program
}
