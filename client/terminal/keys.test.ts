import { expect, test } from 'vitest'
import { actionOf, KEYS } from './keys.ts'

const press = (code: string, ...held: ('ctrlKey' | 'shiftKey' | 'altKey' | 'metaKey')[]) =>
  actionOf({
    ctrlKey: false,
    shiftKey: false,
    altKey: false,
    metaKey: false,
    code,
    key: code,
    ...Object.fromEntries(held.map((name) => [name, true])),
  })

test('each key of the terminal does one thing', () => {
  const codes = KEYS.flatMap(({ codes }) => codes)
  expect(new Set(codes).size).toBe(codes.length)
  for (const { action, codes } of KEYS)
    for (const code of codes) expect(press(code, 'ctrlKey', 'shiftKey')).toBe(action)
  expect(press('Escape', 'shiftKey')).toBe('leave')
})

test('the keys of the shell and of its programs are theirs', () => {
  for (const code of ['KeyC', 'KeyF', 'KeyL', 'Minus']) {
    expect(press(code, 'ctrlKey')).toBeUndefined()
    expect(press(code, 'shiftKey')).toBeUndefined()
    expect(press(code, 'ctrlKey', 'shiftKey', 'altKey')).toBeUndefined()
  }
  expect(press('Escape')).toBeUndefined()
  expect(press('KeyR', 'ctrlKey', 'shiftKey')).toBeUndefined()
})
