import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { type CommandLines, commandLine, provideCommandLines } from '../../shared/command-line.ts'
import { json } from '../../shared/json.ts'
import { shellQuote } from '../lib/shell-quote.ts'
import { DEFAULT_DECK } from './arguments.ts'

/** What hints need to know about the user's folder: which commands have a script in its package.json. */

/**
 * Options that npm also has. npm may set them itself, so the environment does not show whether npm has consumed them.
 */
const SET_BY_NPM = ['yes', 'json', 'only']

/** A script that runs a command of this package, such as `slidev-addon-understudy start talk.md`. */
const OWN_SCRIPT = /(?:slidev-addon-understudy|understudy\.js)\s+([a-z]+)\b([^&|;]*)$/

function isRunByNpm(): boolean {
  return process.env.npm_lifecycle_event !== undefined
}

/**
 * Composes hints for the user's folder from now on.
 *
 * @param deck the deck of the command, absolute; by default the default deck
 */
export function provideHints(deck?: string): void {
  const hints = commandLinesIn(process.cwd(), deck)
  provideCommandLines(() => hints)
}

/**
 * Finds the commands that have a script, as npm would find them.
 *
 * @param folder the user's current folder, absolute
 * @param deck the deck of the command, absolute; by default the default deck in that folder
 */
export function commandLinesIn(folder: string, deck = join(folder, DEFAULT_DECK)): CommandLines {
  const root = packageFolder(folder) ?? folder
  // npm runs scripts in the folder of package.json.
  const typed = deckArgument(folder, deck)
  const inScript = deckArgument(root, deck)
  const scripts: Record<string, string> = {}
  for (const [name, script] of Object.entries(scriptsIn(root))) {
    const [, command, rest = ''] = OWN_SCRIPT.exec(script) ?? []
    const ownDeck = /\S+\.md\b/.exec(rest)?.[0]
    if (command !== name || (ownDeck !== undefined && resolve(root, ownDeck) !== deck)) continue
    const run = name === 'start' ? 'npm start' : `npm run ${name}`
    scripts[name] = ownDeck !== undefined || inScript === undefined ? run : `${run} -- ${inScript}`
  }
  return { scripts, ...(typed !== undefined && { deck: typed }) }
}

/** The deck as the user types it; undefined if it is the default. */
function deckArgument(folder: string, deck: string): string | undefined {
  const inFolder = relative(folder, deck)
  if (inFolder === DEFAULT_DECK) return undefined
  const path = inFolder.startsWith('..') ? deck : inFolder
  return /^[\w./-]+$/.test(path) ? path : shellQuote(path)
}

/** The nearest folder with a package.json: the given one or one above it. */
function packageFolder(folder: string): string | undefined {
  if (readText(join(folder, 'package.json')) !== undefined) return folder
  return dirname(folder) === folder ? undefined : packageFolder(dirname(folder))
}

function scriptsIn(folder: string): Record<string, string> {
  // Not parsed by a schema, because loading zod would double the time of --help.
  const manifest = json(readText(join(folder, 'package.json')) ?? '')
  if (typeof manifest !== 'object' || manifest === null || !('scripts' in manifest)) return {}
  const { scripts } = manifest
  if (typeof scripts !== 'object' || scripts === null) return {}
  return Object.fromEntries(
    Object.entries(scripts).flatMap(([name, script]) => (typeof script === 'string' ? [[name, script]] : [])),
  )
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * Checks that npm has not consumed options of the command, which it does with options before "--".
 *
 * @throws Error with the corrected command line
 */
export function checkConsumedOptions(command: Command): void {
  if (!isRunByNpm()) return
  const consumed = command.options.find((option) => {
    const name = option.name().replace(/^no-/, '')
    return !SET_BY_NPM.includes(name) && process.env[`npm_config_${name.replaceAll('-', '_')}`] !== undefined
  })
  if (consumed)
    throw new Error(
      `npm consumed ${consumed.long ?? ''}. Put options after "--", for example: ${commandLine(command.name(), consumed.flags.split(', ').at(-1) ?? '')}`,
    )
}
