/** What a hint needs to know to name commands that exist where the user types them. */
export interface CommandLines {
  /**
   * How to run the commands that have a script in package.json, by name: `npm run rehearse`. Commands without a script
   * run through `npx`.
   */
  scripts: Record<string, string>
  /** The deck as an argument, if it is not the default. */
  deck?: string | undefined
}

/** Without knowledge of the deck's package.json, `npx` runs every command. */
export const NO_SCRIPTS: CommandLines = { scripts: {} }

let source = (): CommandLines => NO_SCRIPTS

/**
 * Sets what hints are composed from: once in the server, for the folder of its user, and once in the page, as the
 * server has told it.
 *
 * @param read called for each hint, so that a page can update the hints that it shows
 */
export function provideCommandLines(read: () => CommandLines): void {
  source = read
}

/** What hints are composed from. The server sends it to its windows, whose users type in the same folder. */
export function commandLines(): CommandLines {
  return source()
}

/**
 * Composes the command line for a hint: `npm run rehearse -- run-vm`, or `npx slidev-addon-understudy rehearse run-vm`
 * where package.json has no script for the command.
 *
 * @param name the command, such as `rehearse`
 * @param args its arguments and options, as they are typed
 */
export function commandLine(name: string, ...args: readonly string[]): string {
  const { scripts, deck } = source()
  const script = Object.hasOwn(scripts, name) ? scripts[name] : undefined
  if (script === undefined)
    return ['npx slidev-addon-understudy', name, ...(deck === undefined ? [] : [deck]), ...args].join(' ')
  if (args.length === 0) return script
  // A script that is given the deck already contains the separator.
  return [script, ...(script.includes(' -- ') ? [] : ['--']), ...args].join(' ')
}
