import { expect, test } from 'vitest'
import { MarkFilter, type Piece } from './shell-integration.ts'

const join = (pieces: Piece[]) => Buffer.concat(pieces.flatMap((piece) => ('output' in piece ? [piece.output] : [])))

test('marks are found wherever the output is cut, and nothing else is taken out', () => {
  const stream = Buffer.from(
    'a✓\u001b[31mred\u001b]0;✓ title\u001b\\\u001b]133;D;3;k=s\u0007\u001b]133;A;k=s\u0007$ \u001b]133;B;k=other\u0007z',
  )
  for (let cut = 0; cut <= stream.length; cut++) {
    const filter = new MarkFilter('s')
    const pieces = [...filter.feed(stream.subarray(0, cut)), ...filter.feed(stream.subarray(cut))]
    expect(pieces.flatMap((piece) => ('mark' in piece ? [piece.mark] : []))).toEqual([
      { kind: 'D', exit: 3 },
      { kind: 'A' },
    ])
    expect(join(pieces).toString()).toBe('a✓\u001b[31mred\u001b]0;✓ title\u001b\\$ \u001b]133;B;k=other\u0007z')
  }
})

test('no piece ends within a character or an escape sequence', () => {
  for (const whole of [
    '✓',
    '🙂',
    '\u001b[1;31m',
    '\u001b[?1049h',
    '\u001b(0',
    '\u001b]8;;https://example.org\u001b\\',
    '\u001bPq\u001b\\',
  ])
    for (let cut = 1, bytes = Buffer.from(whole); cut < bytes.length; cut++) {
      const filter = new MarkFilter('s')
      expect(join(filter.feed(Buffer.concat([Buffer.from('ab'), bytes.subarray(0, cut)]))).toString()).toBe('ab')
      expect(join(filter.feed(bytes.subarray(cut))).toString()).toBe(whole)
    }
})

test('a sequence that never ends does not hold the output back for ever', () => {
  const filter = new MarkFilter('s')
  expect(join(filter.feed(Buffer.from(`\u001b]0;${'x'.repeat(10_000)}`))).length).toBe(10_004)
})
