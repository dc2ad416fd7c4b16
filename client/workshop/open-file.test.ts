import { expect, test } from 'vitest'
import { changedOnDisk, difference, draftOf, keepMine, opened, stateOf } from './open-file.ts'

const first = { text: 'port = 80;', hash: 'v1' }
const theirs = { text: 'port = 443;', hash: 'v2' }
const typed = (text: string) => ({ ...opened('flake.nix', first), text })

test('what another editor writes appears, where nothing was typed here', () => {
  const file = changedOnDisk(opened('flake.nix', first), theirs)
  expect([file.text, stateOf(file)]).toEqual([theirs.text, 'clean'])
})

test('a change here and another on the disk is a conflict that keeps both', () => {
  const file = changedOnDisk(typed('port = 8081;'), theirs)
  expect([stateOf(file), file.text, file.disk.text]).toEqual(['conflict', 'port = 8081;', theirs.text])
  expect(draftOf(file)?.text).toBe('port = 8081;')
})

test('the same change on both sides is none', () => {
  expect(stateOf(changedOnDisk(typed(theirs.text), theirs))).toBe('clean')
})

test('what is typed while a save is under way stays, and is no conflict', () => {
  const file = changedOnDisk(
    { ...typed('port = 8081; # more'), saving: 'port = 8081;' },
    { text: 'port = 8081;', hash: 'v2' },
  )
  expect([stateOf(file), file.text]).toEqual(['dirty', 'port = 8081; # more'])
})

test('a learner who keeps their own text can save it over the other', () => {
  const file = keepMine(changedOnDisk(typed('port = 8081;'), theirs))
  expect([stateOf(file), file.base]).toEqual(['dirty', 'v2'])
})

test('what was not saved comes back with the page, and says where the file has gone on meanwhile', () => {
  const draft = { text: 'port = 8081;', base: 'v1' }
  expect(stateOf(opened('flake.nix', first, draft))).toBe('dirty')
  expect(stateOf(opened('flake.nix', theirs, draft))).toBe('conflict')
  expect(draftOf(opened('flake.nix', first))).toBeUndefined()
})

test('only what is different is written into the editor', () => {
  expect(difference('a = 1;\nb = 2;\n', 'a = 1;\nb = 3;\n')).toEqual({ from: 11, to: 12, text: '3' })
  expect(difference('aa', 'aaa')).toEqual({ from: 2, to: 2, text: 'a' })
  expect(difference('same', 'same')).toEqual({ from: 4, to: 4, text: '' })
})

test('a file that was removed while it was edited is a conflict, and its text can be saved again', () => {
  const file = changedOnDisk(typed('port = 8081;'), { text: '', hash: null })
  expect([stateOf(file), keepMine(file).base]).toEqual(['conflict', null])
})
