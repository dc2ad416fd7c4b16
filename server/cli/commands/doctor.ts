import type { Command } from 'commander'
import type { DoctorOptions } from '../doctor.ts'
import { addDeck, deckOf, portOption, profileOption } from '../options.ts'

/** Registers `doctor`, which checks this machine. */
export function registerDoctor(program: Command): void {
  addDeck(program.command('doctor').description('check whether this machine can run each step, and suggest fixes'))
    .addOption(portOption())
    .addOption(profileOption())
    .option('--json', 'print JSON', false)
    .action(async (_deck: string, options: Omit<DoctorOptions, 'deck'>, command: Command) => {
      const { printDiagnosis } = await import('../doctor.ts')
      if (!(await printDiagnosis({ ...options, deck: deckOf(command) }))) process.exitCode = 1
    })
}
