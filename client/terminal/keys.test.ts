import { expect, test } from 'vitest'
import { actionOf, KEYS } from './keys.ts'

const press = (code: string, ...modifiers: ('ctrlKey' | 'shiftKey' | 'altKey' | 'metaKey')[]) =>
  actionOf({
    ctrlKey: false,
    shiftKey: false,
    altKey: false,
    metaKey: false,
    code,
    key: code,
    ...Object.fromEntries(modifiers.map((name) => [name, true])),
  })

test('each shortcut of the terminal has one action', () => {
  const codes = KEYS.flatMap(({ codes }) => codes)
  expect(new Set(codes).size).toBe(codes.length)
  for (const { action, codes } of KEYS)
    for (const code of codes) expect(press(code, 'ctrlKey', 'shiftKey')).toBe(action)
  expect(press('Escape', 'shiftKey')).toBe('leave')
})

test('keys of the shell and its programs have no action', () => {
  for (const code of ['KeyC', 'KeyF', 'KeyL', 'Minus']) {
    expect(press(code, 'ctrlKey')).toBeUndefined()
    expect(press(code, 'shiftKey')).toBeUndefined()
    expect(press(code, 'ctrlKey', 'shiftKey', 'altKey')).toBeUndefined()
  }
  expect(press('Escape')).toBeUndefined()
  expect(press('KeyR', 'ctrlKey', 'shiftKey')).toBeUndefined()
})
