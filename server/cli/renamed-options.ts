import { type Command, Option } from 'commander'

/** Former names of options, by command. They still work, are hidden from the help, and print a notice. */
export const RENAMED_OPTIONS: Record<string, Record<string, string>> = {
  start: { '--log': '--save-log' },
  dev: { '--log': '--save-log' },
  workshop: { '--at': '--public-url', '--pages-at': '--page-url', '--gate': '--sequential' },
  rehearse: { '--from': '--start-at' },
  prefetch: { '--from': '--import', '--to': '--export' },
  record: { '--from': '--from-log' },
}

/** A former name of an option: sets the value of the current one. */
class FormerName extends Option {
  private readonly current: Option

  constructor(former: string, current: Option) {
    super(current.flags.replace(/^.*--[a-z-]+/, former))
    this.current = current
    this.parseArg = current.parseArg
    this.hideHelp()
  }

  override attributeName(): string {
    return this.current.attributeName()
  }
}

/**
 * Lets the commands of a program accept the former names of their options.
 *
 * @param notify receives one notice for each former name that is used
 * @throws Error if a current name is not an option of its command
 */
export function acceptFormerNames(program: Command, notify: (notice: string) => void): void {
  for (const command of program.commands)
    for (const [former, current] of Object.entries(RENAMED_OPTIONS[command.name()] ?? {})) {
      const option = command.options.find(({ long }) => long === current)
      if (!option) throw new Error(`The command "${command.name()}" has no option ${current}.`)
      const alias = new FormerName(former, option)
      command.addOption(alias)
      command.on(`option:${alias.name()}`, () => notify(`${former} is now ${current}.`))
    }
}
