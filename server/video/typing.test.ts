import { expect, test } from 'vitest'
import type { Cast } from '../../shared/recording/cast.ts'
import { simulateTyping, typingSeconds } from './typing.ts'

const prompt = '\u001b[1;32m❯\u001b[0m \u001b[?2004h'
const echo = (command: string) => `\u001b[7m${command}\u001b[27m\r\u001b[C\u001b[C${command}\r\n\u001b[?2004l\r`

function recorded(command: string, echoed = echo(command)): Cast {
  return {
    header: { version: 3, term: { cols: 20, rows: 5 }, command },
    events: [
      { time: 0, code: 'o', data: prompt },
      { time: 0.1, code: 'o', data: echoed },
      { time: 9, code: 'o', data: 'done\r\n' },
      { time: 9.2, code: 'm', data: 'ready' },
      { time: 9.3, code: 'x', data: '0' },
    ],
  }
}

test('a command is typed key by key at a human pace', async () => {
  const recording = await simulateTyping(recorded('echo ok'), 'hello')
  expect(recording.prompt).toBe(prompt)
  expect(recording.keys.map(({ text }) => text).join('')).toBe('echo ok')
  expect(typingSeconds(recording)).toBeGreaterThan(0.5)
  expect(typingSeconds(recording)).toBeLessThan(2)
})

test('the typing rhythm depends only on the seed', async () => {
  const recording = await simulateTyping(recorded('echo ok'), 'hello')
  expect(await simulateTyping(recorded('echo ok'), 'hello')).toEqual(recording)
  expect((await simulateTyping(recorded('echo ok'), 'another')).keys).not.toEqual(recording.keys)
})

test('pauses are shortened, and output times count from Enter', async () => {
  const { output, ready, length } = await simulateTyping(recorded('echo ok'), 'hello')
  expect(output.map(({ time }) => Math.round(time * 1000))).toEqual([0, 1500])
  expect(ready).toBeCloseTo(1.7)
  expect(length).toBeCloseTo(1.8)
})

test('a multi-line command with a wrapped line is typed unchanged', async () => {
  const command = 'one two three four five \\\n  six'
  const line = `\u001b[7mone two three four\u001b[27m\r❯ one two three four five \\\r\n  six\r\n\u001b[?2004l\r`
  const { keys } = await simulateTyping(recorded(command, line), 'hello')
  expect(keys.map(({ text }) => text).join('')).toBe('one two three four five \\\r\n  six')
})

test('a command whose recorded echo differs from it is not typed', async () => {
  const recording = await simulateTyping(recorded('echo ok', echo('echo other')), 'hello')
  expect(recording.keys).toEqual([])
  expect(recording.output[0]?.text).toBe(echo('echo other'))
})
