import { expect, test } from 'vitest'
import { ShellIntegrationParser, type Piece } from './shell-integration.ts'

const outputOf = (pieces: Piece[]) =>
  Buffer.concat(pieces.flatMap((piece) => ('output' in piece ? [piece.output] : [])))

test('marks with the secret are separated from the output regardless of the position at which it is split', () => {
  const stream = Buffer.from(
    'a✓\u001b[31mred\u001b]0;✓ title\u001b\\\u001b]133;D;3;k=s\u0007\u001b]133;A;k=s\u0007$ \u001b]133;B;k=other\u0007z',
  )
  for (let cut = 0; cut <= stream.length; cut++) {
    const parser = new ShellIntegrationParser('s')
    const pieces = [...parser.feed(stream.subarray(0, cut)), ...parser.feed(stream.subarray(cut))]
    expect(pieces.flatMap((piece) => ('mark' in piece ? [piece.mark] : []))).toEqual([
      { kind: 'command-end', exit: 3 },
      { kind: 'prompt-start' },
    ])
    expect(outputOf(pieces).toString()).toBe('a✓\u001b[31mred\u001b]0;✓ title\u001b\\$ \u001b]133;B;k=other\u0007z')
  }
})

test('a piece of output never ends within a character or an escape sequence', () => {
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
      const parser = new ShellIntegrationParser('s')
      expect(outputOf(parser.feed(Buffer.concat([Buffer.from('ab'), bytes.subarray(0, cut)]))).toString()).toBe('ab')
      expect(outputOf(parser.feed(bytes.subarray(cut))).toString()).toBe(whole)
    }
})

test('an escape sequence without an end is passed on once it is too long', () => {
  const parser = new ShellIntegrationParser('s')
  expect(outputOf(parser.feed(Buffer.from(`\u001b]0;${'x'.repeat(10_000)}`))).length).toBe(10_004)
})
