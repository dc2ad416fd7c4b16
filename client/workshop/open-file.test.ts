import { expect, test } from 'vitest'
import { changedOnDisk, difference, draftOf, keepMine, opened, stateOf } from './open-file.ts'

const first = { text: 'port = 80;', hash: 'v1' }
const theirs = { text: 'port = 443;', hash: 'v2' }
const typed = (text: string) => ({ ...opened('flake.nix', first), text })

test('a change on the disk updates a clean file', () => {
  const file = changedOnDisk(opened('flake.nix', first), theirs)
  expect([file.text, stateOf(file)]).toEqual([theirs.text, 'clean'])
})

test('different changes in the editor and on the disk are a conflict that keeps both texts', () => {
  const file = changedOnDisk(typed('port = 8081;'), theirs)
  expect([stateOf(file), file.text, file.disk.text]).toEqual(['conflict', 'port = 8081;', theirs.text])
  expect(draftOf(file)?.text).toBe('port = 8081;')
})

test('equal changes in the editor and on the disk are not a conflict', () => {
  expect(stateOf(changedOnDisk(typed(theirs.text), theirs))).toBe('clean')
})

test('text that is typed during a save stays unsaved without a conflict', () => {
  const file = changedOnDisk(
    { ...typed('port = 8081; # more'), saving: 'port = 8081;' },
    { text: 'port = 8081;', hash: 'v2' },
  )
  expect([stateOf(file), file.text]).toEqual(['dirty', 'port = 8081; # more'])
})

test('keepMine allows the editor’s text to be saved over the file on the disk', () => {
  const file = keepMine(changedOnDisk(typed('port = 8081;'), theirs))
  expect([stateOf(file), file.base]).toEqual(['dirty', 'v2'])
})

test('a draft is restored, as a conflict if the file has changed since', () => {
  const draft = { text: 'port = 8081;', base: 'v1' }
  expect(stateOf(opened('flake.nix', first, draft))).toBe('dirty')
  expect(stateOf(opened('flake.nix', theirs, draft))).toBe('conflict')
  expect(draftOf(opened('flake.nix', first))).toBeUndefined()
})

test('difference returns the smallest replacement', () => {
  expect(difference('a = 1;\nb = 2;\n', 'a = 1;\nb = 3;\n')).toEqual({ from: 11, to: 12, text: '3' })
  expect(difference('aa', 'aaa')).toEqual({ from: 2, to: 2, text: 'a' })
  expect(difference('same', 'same')).toEqual({ from: 4, to: 4, text: '' })
})

test('removing an edited file is a conflict, and keepMine allows the text to be saved again', () => {
  const file = changedOnDisk(typed('port = 8081;'), { text: '', hash: null })
  expect([stateOf(file), keepMine(file).base]).toEqual(['conflict', null])
})
