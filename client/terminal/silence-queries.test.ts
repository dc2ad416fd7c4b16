import { Terminal } from '@xterm/headless'
import { expect, test } from 'vitest'
import { silenceQueries } from './silence-queries.ts'

/** The answers of a terminal to the output of a program. */
async function answers(output: string, silent: boolean): Promise<string> {
  const terminal = new Terminal({ allowProposedApi: true })
  let answered = ''
  terminal.onData((data) => (answered += data))
  if (silent) silenceQueries(terminal.parser)
  await new Promise<void>((resolve) => terminal.write(output, resolve))
  terminal.dispose()
  return answered
}

const queries = {
  'primary device attributes': '\x1b[c',
  'secondary device attributes': '\x1b[>c',
  status: '\x1b[5n',
  'cursor position': '\x1b[6n',
  'DEC cursor position': '\x1b[?6n',
  'ANSI mode': '\x1b[4$p',
  'DEC mode': '\x1b[?2004$p',
  'setting (DECRQSS)': '\x1bP$qm\x1b\\',
}

test.each(Object.entries(queries))('a viewer does not answer a query for the %s', async (_, query) => {
  expect(await answers(query, false)).not.toBe('')
  expect(await answers(query, true)).toBe('')
})

test('a sequence that sets a color, and text, reach the screen', async () => {
  const terminal = new Terminal({ allowProposedApi: true })
  silenceQueries(terminal.parser)
  await new Promise<void>((resolve) => terminal.write('\x1b]11;#000000\x07\x1b[2;3Hhere', resolve))
  expect(terminal.buffer.active.getLine(1)?.translateToString(true)).toBe('  here')
  terminal.dispose()
})
