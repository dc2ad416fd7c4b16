import { expect, test } from 'vitest'
import { OutputWatch } from './output-watch.ts'

function found(source: string, pieces: (string | Buffer)[], once = false): string[] {
  const matches: string[] = []
  const watch = new OutputWatch()
  watch.on(source, (match) => matches.push(match[1] ?? match[0]), once)
  for (const piece of pieces) watch.feed(Buffer.from(piece))
  watch.end()
  return matches
}

test('a line is found wherever the output is cut, in colours too', () => {
  const text = Buffer.from('first\r\n\u001b[1;32mwelcome to naïveté\u001b[0m 42 %\r\nlast')
  for (let cut = 0; cut <= text.length; cut++)
    expect(found('welcome to (\\S+) 42', [text.subarray(0, cut), text.subarray(cut)])).toEqual(['naïveté'])
})

test('the last line counts without its end', () => expect(found('login:$', ['spa-vm login:'])).toEqual(['login:']))

test('a pattern does not reach over the end of a line', () => expect(found('a.*b', ['a\nb'])).toEqual([]))

test('progress on one line is looked at as it goes', () =>
  expect(found('(\\d+) %', ['1 %\r50 %\r100 %\r\n'])).toEqual(['1', '50', '100']))

test('once means the first one', () => expect(found('(\\d)', ['1\n2\n3\n'], true)).toEqual(['1']))

test('a late line is found after fifty megabytes, in bounded memory', () => {
  const watch = new OutputWatch()
  let matched = 0
  watch.on('^needle$', () => matched++, true)
  const chunk = Buffer.from('some words on a line of output\n'.repeat(2000))
  for (let bytes = 0; bytes < 50e6; bytes += chunk.length) watch.feed(chunk)
  // A line without an end does not grow either.
  const endless = Buffer.alloc(1 << 20, 'x')
  for (let round = 0; round < 20; round++) watch.feed(endless)
  expect(matched).toBe(0)
  watch.feed(Buffer.from('\nneedle\n'))
  expect(matched).toBe(1)
})
