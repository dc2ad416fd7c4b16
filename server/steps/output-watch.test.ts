import { expect, test } from 'vitest'
import { OutputWatch } from './output-watch.ts'

function matchesOf(source: string, pieces: (string | Buffer)[], once = false): string[] {
  const matches: string[] = []
  const watch = new OutputWatch()
  watch.on(source, (match) => matches.push(match[1] ?? match[0]), once)
  for (const piece of pieces) watch.feed(Buffer.from(piece))
  watch.end()
  return matches
}

test('a pattern matches a colored line regardless of the position at which the output is split', () => {
  const text = Buffer.from('first\r\n\u001b[1;32mwelcome to naïveté\u001b[0m 42 %\r\nlast')
  for (let cut = 0; cut <= text.length; cut++)
    expect(matchesOf('welcome to (\\S+) 42', [text.subarray(0, cut), text.subarray(cut)])).toEqual(['naïveté'])
})

test('a pattern matches the last line without a line break', () =>
  expect(matchesOf('login:$', ['spa-vm login:'])).toEqual(['login:']))

test('a pattern does not match across a line break', () => expect(matchesOf('a.*b', ['a\nb'])).toEqual([]))

test('a pattern matches each update of a progress line', () =>
  expect(matchesOf('(\\d+) %', ['1 %\r50 %\r100 %\r\n'])).toEqual(['1', '50', '100']))

test('a pattern with once matches only the first line', () =>
  expect(matchesOf('(\\d)', ['1\n2\n3\n'], true)).toEqual(['1']))

test('a pattern matches a line after 50 MB of output', () => {
  const watch = new OutputWatch()
  let matches = 0
  watch.on('^needle$', () => matches++, true)
  const chunk = Buffer.from('some words on a line of output\n'.repeat(2000))
  for (let bytes = 0; bytes < 50e6; bytes += chunk.length) watch.feed(chunk)
  // A long line without a line break.
  const endless = Buffer.alloc(1 << 20, 'x')
  for (let round = 0; round < 20; round++) watch.feed(endless)
  expect(matches).toBe(0)
  watch.feed(Buffer.from('\nneedle\n'))
  expect(matches).toBe(1)
})
