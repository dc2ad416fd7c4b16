import { expect, test } from 'vitest'
import { Random, randomOutput } from '../test/random.ts'
import { newTerminal, stateOf, written } from '../test/screen-state.ts'
import { serialize } from './serializer.ts'

const COLS = 24
const ROWS = 8

/** A terminal that has received output, and a copy made from its serialized screen. */
async function copyOf(output: string, scrollback = 50) {
  const original = newTerminal(COLS, ROWS, scrollback)
  await written(original, output)
  const copy = newTerminal(COLS, ROWS, scrollback)
  await written(copy, serialize(original, scrollback))
  return { original, copy }
}

test.each([
  ['a scroll region', '\u001b[3;6rone\r\ntwo'],
  ['a scroll region with origin mode and the cursor inside', '\u001b[3;6r\u001b[?6h\u001b[2;5Hhere'],
  [
    'the alternate screen with its own scroll region, and the normal screen',
    'shell\r\n\u001b[?1049h\u001b[2;5rvim\u001b[4;4H',
  ],
  ['line drawing characters in G0', '\u001b(0lqk'],
  ['line drawing characters in G1 by shift out', '\u001b)0\u000elqk'],
  ['insert mode', 'abc\u001b[4h\u001b[1;2H'],
  ['disabled automatic wrap', '\u001b[?7labc'],
  ['a hidden cursor with a shape', '\u001b[?25l\u001b[5 q'],
  ['mouse tracking with its encoding', '\u001b[?1002h\u001b[?1006h'],
  ['bracketed paste, application cursor keys and keypad', '\u001b[?2004h\u001b[?1h\u001b='],
  ['tab stops', '\u001b[3g\u001b[5G\u001bH\u001b[11G\u001bH\r\ta\tb'],
  ['a saved cursor with its colors', '\u001b[31;44m\u001b[4;5H\u001b7\u001b[0m\u001b[Hx'],
  ['a cursor after the last column', 'x'.repeat(COLS)],
  ['a cursor after the last column of an erased line', `${'x'.repeat(COLS)}\u001b[2K`],
  ['wrapped lines, one with an erased end', `${'x'.repeat(COLS + 5)}\u001b[A\u001b[20G\u001b[K`],
  [
    'trailing spaces, and empty cells with a background color',
    'abc   \r\n\u001b[44m\u001b[K\u001b[0m\r\n\u001b[5G\u001b[41mx\u001b[K',
  ],
  ['wide characters, one of which did not fit into the line', `${'x'.repeat(COLS - 1)}\u4f60\u597d`],
  ['underline styles and colors', '\u001b[4:3m\u001b[58:2::9:8:7mcurly\u001b[4:2mdouble\u001b[21m\u001b[59m'],
  ['a wrapped line whose beginning was erased from the scrollback', `${'x'.repeat(COLS * ROWS + 5)}\u001b[3J`],
  ['links', '\u001b]8;;https://example.org\u0007here\u001b]8;;\u0007 and there'],
])('serializes %s', async (_, output) => {
  const { original, copy } = await copyOf(output)
  expect(stateOf(copy)).toEqual(stateOf(original))
  // Further output has the same effect on both.
  for (const terminal of [original, copy])
    await written(terminal, 'lq\u001b[1mnext\r\n\tline\u001b8saved\u001b[?1049lback\r\n\n\n\nend')
  expect(stateOf(copy)).toEqual(stateOf(original))
})

test('random output and further output give the same state in the original and the copy', async () => {
  for (let seed = 1; seed <= 400; seed++) {
    const random = new Random(seed)
    const { original, copy } = await copyOf(randomOutput(random, COLS, ROWS, 20 + random.below(300)))
    expect(stateOf(copy), `seed ${seed}`).toEqual(stateOf(original))
    const more = randomOutput(random, COLS, ROWS, 60)
    for (const terminal of [original, copy]) await written(terminal, more)
    expect(stateOf(copy), `seed ${seed}, further output`).toEqual(stateOf(original))
  }
})
