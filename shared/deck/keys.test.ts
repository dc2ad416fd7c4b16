import { expect, test } from 'vitest'
import { DEFAULT_KEYS, keysSchema, withDefaults } from './keys.ts'

const messages = (keys: unknown) =>
  keysSchema.safeParse(keys).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []

test('a deck changes the keys that it names and keeps the others', () => {
  const keys = withDefaults(keysSchema.parse({ run: 'x', restart: 'shift+x', replay: false }))
  expect(keys).toEqual({ ...DEFAULT_KEYS, run: 'x', restart: 'shift+x', replay: false })
})

test('two commands may swap their keys, or one may take the key of a command that has none', () => {
  expect(messages({ run: 'i', interrupt: 'r' })).toEqual([])
  expect(messages({ run: 'l', replay: false })).toEqual([])
})

test.each(['d', 'g', 'o', 'f', 'R', 'ctrl+r', 'Enter', '', 7, null, true])('%j is rejected as a key', (key) => {
  expect(messages({ run: key })).toEqual([expect.stringMatching(/^run: must be false, or a lowercase letter or digit/)])
})

test('a key that another command has is rejected with the name of that command', () => {
  expect(messages({ run: 'i' })).toEqual([
    'run: "i" is also the key of "interrupt": choose another, or set interrupt: false',
  ])
})

test('an unknown command is rejected', () => {
  expect(messages({ jump: 'j' })).toHaveLength(1)
})
