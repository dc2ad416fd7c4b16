import { ADDON } from './addon-spec.ts'

/** Commands that get a script in package.json. */
const SCRIPTS = ['start', 'dev', 'build', 'export', 'rehearse', 'doctor', 'check', 'record']

/**
 * The scripts of a deck.
 *
 * @param commands names of all commands
 * @param deck the deck relative to package.json; absent for the default
 */
export function deckScripts(commands: readonly string[], deck?: string): Record<string, string> {
  const names = SCRIPTS.filter((name) => commands.includes(name))
  return Object.fromEntries(names.map((name) => [name, [ADDON, name, ...(deck === undefined ? [] : [deck])].join(' ')]))
}
