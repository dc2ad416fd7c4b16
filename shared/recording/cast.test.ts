import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as pty from 'node-pty'
import { expect, test } from 'vitest'
import { CastError, compressIdle, duration, EventLines, headerLine, parseCast, toVersion2 } from './cast.ts'

const header = { version: 3 as const, term: { cols: 80, rows: 24 } }

function serialize(times: number[]): string {
  const lines = new EventLines()
  return headerLine(header) + times.map((time) => lines.line({ time, code: 'o', data: `${time}\r\n` })).join('')
}

test('rounding errors do not accumulate over 3000 events', () => {
  const times = Array.from({ length: 3000 }, (_, index) => index / 3000)
  const { events } = parseCast(serialize(times))
  for (const [index, { time }] of events.entries()) expect(Math.abs(time - (times[index] ?? 0))).toBeLessThan(0.0011)
})

test('a time before the previous event is replaced by the previous time', () =>
  expect(parseCast(serialize([1, 0.5, 2])).events.map(({ time }) => time)).toEqual([1, 1, 2]))

test('parseCast ignores comments and empty lines', () =>
  expect(parseCast(`${headerLine(header)}# a comment\n\n[0.5,"m","here"]\n`).events).toEqual([
    { time: 0.5, code: 'm', data: 'here' },
  ]))

test.each([
  ['a missing header', 'hello', 'line 1'],
  ['version 2', '{"version":2,"width":80,"height":24}', 'line 1'],
  ['a truncated event', `${headerLine(header)}[0.1,"o","a"]\n[0.1,"o","b`, 'line 3'],
  ['a negative interval', `${headerLine(header)}[-1,"o","a"]\n`, 'line 2'],
])('parseCast rejects %s with the line number', (_, text, line) => {
  expect(() => parseCast(text)).toThrow(CastError)
  expect(() => parseCast(text)).toThrow(line)
})

test('compressIdle shortens pauses to the limit', () => {
  const cast = parseCast(serialize([0, 0.5, 60, 60.2]))
  expect(compressIdle(cast, 2).events.map(({ time }) => Math.round(time * 10) / 10)).toEqual([0, 0.5, 2.5, 2.7])
  expect(duration(compressIdle(cast, 2))).toBeCloseTo(2.7)
})

test('a recording exported as version 2 has absolute times and plays in asciinema', async ({ skip }) => {
  const text = toVersion2(parseCast(`${serialize([0, 0.01, 0.02])}[0,"x","0"]\n`))
  expect(
    text
      .split('\n')
      .slice(0, 3)
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { version: 2, width: 80, height: 24, env: { TERM: 'xterm-256color' } },
    [0, 'o', '0\r\n'],
    [0.01, 'o', '0.01\r\n'],
  ])
  if (spawnSync('asciinema', ['--version']).error) skip('asciinema is not installed: apt-get install asciinema')
  const folder = await mkdtemp(join(tmpdir(), 'understudy-cast-'))
  await writeFile(join(folder, 'v2.cast'), text)
  // asciinema requires a terminal.
  const player = pty.spawn('asciinema', ['play', join(folder, 'v2.cast')], { env: { ...process.env, LANG: 'C.UTF-8' } })
  let shown = ''
  player.onData((data) => (shown += data))
  const status = await new Promise((resolve) => player.onExit(({ exitCode }) => resolve(exitCode)))
  await rm(folder, { recursive: true })
  expect(shown).toContain('0.02')
  expect(status).toBe(0)
})
