import { expect, test } from 'vitest'
import type { Cast } from '../../shared/recording/cast.ts'
import { sceneOf, typingLength } from './typing.ts'

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

test('a command is typed key by key, at a pace that is the same each time', async () => {
  const scene = await sceneOf(recorded('echo ok'), 'hello')
  expect(scene.before).toBe(prompt)
  expect(scene.keys.map(({ text }) => text).join('')).toBe('echo ok')
  expect(typingLength(scene)).toBeGreaterThan(0.5)
  expect(typingLength(scene)).toBeLessThan(2)
  expect(await sceneOf(recorded('echo ok'), 'hello')).toEqual(scene)
  expect((await sceneOf(recorded('echo ok'), 'another')).keys).not.toEqual(scene.keys)
})

test('pauses are cut, and everything behind the last key is told from there', async () => {
  const { output, ready, length } = await sceneOf(recorded('echo ok'), 'hello')
  expect(output.map(({ time }) => Math.round(time * 1000))).toEqual([0, 1500])
  expect(ready).toBeCloseTo(1.7)
  expect(length).toBeCloseTo(1.8)
})

test('a command of several lines, one of them longer than the terminal, is typed as it stands', async () => {
  const command = 'one two three four five \\\n  six'
  const line = `\u001b[7mone two three four\u001b[27m\r❯ one two three four five \\\r\n  six\r\n\u001b[?2004l\r`
  const { keys } = await sceneOf(recorded(command, line), 'hello')
  expect(keys.map(({ text }) => text).join('')).toBe('one two three four five \\\r\n  six')
})

test('a command whose echo is another text than the command is there at once, as it was', async () => {
  const scene = await sceneOf(recorded('echo ok', echo('echo other')), 'hello')
  expect(scene.keys).toEqual([])
  expect(scene.output[0]?.text).toBe(echo('echo other'))
})
