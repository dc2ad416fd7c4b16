import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { deckAndRestOf, deckOf } from './options.ts'
import { createProgram } from './program.ts'
import { RENAMED_OPTIONS } from './renamed-options.ts'

/** Parses a command line without running the command. */
function parse(...words: [string, ...string[]]): { command: Command; notices: string[] } {
  const notices: string[] = []
  const program = createProgram((notice) => notices.push(notice))
  const command = program.commands.find((each) => each.name() === words[0])
  if (!command) throw new Error(`no command ${words[0]}`)
  command.action(() => {})
  program.parse(words, { from: 'user' })
  return { command, notices }
}

/** Commands that create a deck instead of using one. */
const CREATING = ['new', 'import']

const NAMES = createProgram(() => {})
  .commands.map((command) => command.name())
  .filter((name) => !CREATING.includes(name))

/** Commands whose arguments are step ids or recordings. */
const WITH_STEPS = ['rehearse', 'record', 'play']

const deckOfCommand = (command: Command) =>
  WITH_STEPS.includes(command.name()) ? deckAndRestOf(command).deck : deckOf(command)

describe.each(NAMES)('%s', (name) => {
  test('uses slides.md by default', () => {
    expect(deckOfCommand(parse(name).command)).toBe(`${process.cwd()}/slides.md`)
  })

  test('accepts the deck as its first argument', () => {
    expect(deckOfCommand(parse(name, 'deck.md').command)).toBe(`${process.cwd()}/deck.md`)
  })

  test('accepts the deck as --deck', () => {
    expect(deckOfCommand(parse(name, '--deck', '/talk/deck.md').command)).toBe('/talk/deck.md')
  })

  test('rejects two different decks', () => {
    expect(() => deckOfCommand(parse(name, 'a.md', '--deck', 'b.md').command)).toThrow('Two decks are given')
  })
})

test.each(WITH_STEPS)('%s separates the deck from its other arguments', (name) => {
  expect(deckAndRestOf(parse(name, 'deck.md', 'build').command)).toEqual({
    deck: `${process.cwd()}/deck.md`,
    rest: ['build'],
  })
  expect(deckAndRestOf(parse(name, 'build').command).rest).toEqual(['build'])
})

/** A valid value for each renamed option that has one. */
const VALUES: Record<string, string> = {
  '--public-url': 'https://workshop.example',
  '--page-url': 'https://*.workshop.example',
  '--sequential': '',
}

const renamed = Object.entries(RENAMED_OPTIONS).flatMap(([name, options]) =>
  Object.entries(options).map(([former, current]) => [name, former, current] as const),
)

describe.each(renamed)('%s %s', (name, former, current) => {
  const value = VALUES[current] ?? 'value'
  const given = value === '' ? [] : [value]

  test(`sets the same value as ${current} and prints a notice`, () => {
    const { command, notices } = parse(name, former, ...given)
    expect(command.opts()).toEqual(parse(name, current, ...given).command.opts())
    expect(notices).toEqual([`${former} is now ${current}.`])
  })

  test('is hidden from the help', () => {
    const { command, notices } = parse(name)
    expect(command.helpInformation()).not.toContain(`${former} `)
    expect(notices).toEqual([])
  })
})

test('start --log without a file saves the log in the cache', () => {
  expect(parse('start', '--log').command.opts()).toMatchObject({ saveLog: true })
})
