import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { Profile } from '../../shared/deck/contract.ts'
import { chooseDeck, DEFAULT_DECK, parsePort, splitDeckArgument } from './arguments.ts'

/** Options and arguments that several commands share. */

/** All profiles. Listed here because importing their schema would load zod, which doubles the time of --help. */
const PROFILES = Object.keys({ nixos: true, lab: true, host: true } satisfies Record<Profile, true>)

/** Adds the deck as the only argument of a command, and as `--deck`. */
export function addDeck(command: Command): Command {
  return command
    .argument('[deck]', 'slides file', DEFAULT_DECK)
    .option('--deck <file>', 'slides file, instead of the argument')
}

/** The deck of a command that was declared with `addDeck`, absolute. */
export function deckOf(command: Command): string {
  return resolve(chooseDeck(command.args[0], deckOption(command)))
}

/** Adds the deck as an optional first argument of a command that accepts step ids, and as `--deck`. */
export function addDeckBefore(command: Command, name: string, description: string): Command {
  return command
    .argument('[deck]', 'slides file: a path that ends in .md', DEFAULT_DECK)
    .argument(name, description)
    .option('--deck <file>', 'slides file, instead of the argument')
}

/**
 * The arguments of a command that was declared with `addDeckBefore`.
 *
 * @returns the deck, absolute, and the other arguments
 */
export function deckAndRestOf(command: Command): { deck: string; rest: string[] } {
  const { deck, rest } = splitDeckArgument(command.args, deckOption(command))
  return { deck: resolve(deck), rest }
}

function deckOption(command: Command): string | undefined {
  return command.opts<{ deck?: string }>().deck
}

/** `--profile`. */
export function profileOption(
  description = 'environment that the steps run in',
  profiles: readonly string[] = PROFILES,
): Option {
  return new Option('--profile <profile>', description).choices(profiles)
}

/** `--port`. */
export function portOption(): Option {
  return new Option('-p, --port <port>', 'TCP port to listen on').argParser(parsePort).default(3030)
}

/** `--yes`. */
export function yesOption(): Option {
  return new Option('-y, --yes', 'install missing system packages without asking').default(false)
}

/** `--no-open`. */
export function noOpenOption(): Option {
  return new Option('--no-open', 'do not open a browser')
}
