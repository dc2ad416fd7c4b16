import { Terminal } from '@xterm/headless'
import { expect, test } from 'vitest'
import { silence } from './silence-queries.ts'

/** What a terminal answers to what a program writes. */
async function answers(output: string, silent: boolean): Promise<string> {
  const terminal = new Terminal({ allowProposedApi: true })
  let answered = ''
  terminal.onData((data) => (answered += data))
  if (silent) silence(terminal.parser)
  await new Promise<void>((done) => terminal.write(output, done))
  terminal.dispose()
  return answered
}

const questions = {
  'primary device attributes': '\x1b[c',
  'secondary device attributes': '\x1b[>c',
  status: '\x1b[5n',
  'cursor position': '\x1b[6n',
  'DEC cursor position': '\x1b[?6n',
  'ANSI mode': '\x1b[4$p',
  'DEC mode': '\x1b[?2004$p',
  'a setting (DECRQSS)': '\x1bP$qm\x1b\\',
}

test.each(Object.entries(questions))('a viewer leaves %s to the server', async (_, question) => {
  expect(await answers(question, false)).not.toBe('')
  expect(await answers(question, true)).toBe('')
})

test('what is no question snapshot reaches the screen', async () => {
  const terminal = new Terminal({ allowProposedApi: true })
  silence(terminal.parser)
  await new Promise<void>((done) => terminal.write('\x1b]11;#000000\x07\x1b[2;3Hhere', done))
  expect(terminal.buffer.active.getLine(1)?.translateToString(true)).toBe('  here')
  terminal.dispose()
})
