import xterm from '@xterm/headless'
import { afterEach, expect, test, vi } from 'vitest'
import type { Cast } from '../../shared/recording/cast.ts'
import type { Viewer } from './broadcast.ts'
import { Replay } from './replay.ts'

const cast = (...events: [time: number, data: string][]): Cast => ({
  header: { version: 3, term: { cols: 40, rows: 5 } },
  events: [
    ...events.map(([time, data]) => ({ time, code: 'o' as const, data })),
    { time: events.at(-1)?.[0] ?? 0, code: 'x', data: '0' },
  ],
})

let replay: Replay
afterEach(() => replay.dispose())

const WAIT = { timeout: 30_000 }

class Window implements Viewer {
  terminal = new xterm.Terminal({ cols: 40, rows: 5, allowProposedApi: true })
  bytes = 0
  snapshot(channel: number, _cols: number, _rows: number, data: string) {
    this.bytes = 0
    this.terminal.write(`\u001bc${data}`)
    replay.ack(channel, 0)
  }
  output(channel: number, bytes: Uint8Array) {
    this.bytes += bytes.length
    const upTo = this.bytes
    this.terminal.write(bytes, () => replay.ack(channel, upTo))
  }
  text(): string {
    return Array.from(
      { length: 5 },
      (_, row) => this.terminal.buffer.active.getLine(row)?.translateToString(true) ?? '',
    )
      .join('\n')
      .trimEnd()
  }
}
const shows = (window: Window, text: string) => vi.waitFor(() => expect(window.text()).toBe(text), WAIT)

test('a replay plays to its end with long pauses shortened, and a viewer that attaches later shows the same', async () => {
  replay = new Replay(cast([0, 'one\r\n'], [600, 'two\r\n'], [600.1, 'three']))
  expect(replay.playback).toEqual({ playing: false, stepping: false, time: 0, duration: 1.6, speed: 1 })
  const early = new Window()
  replay.attach(early)
  replay.setSpeed(4)
  replay.play()
  await shows(early, 'one\ntwo\nthree')
  await vi.waitFor(() => expect(replay.playback).toMatchObject({ playing: false, time: 1.6 }), WAIT)
  const late = new Window()
  replay.attach(late)
  await shows(late, 'one\ntwo\nthree')
})

test('a replay can be stepped, paused, skipped to its end and restarted', async () => {
  replay = new Replay(cast([0, 'one '], [0.05, 'more\r\n'], [1, 'two\r\n'], [2, 'three']))
  const window = new Window()
  replay.attach(window)
  replay.step()
  await shows(window, 'one more')
  await vi.waitFor(() => expect(replay.playback.playing).toBe(false), WAIT)
  replay.setSpeed(10)
  replay.step()
  await shows(window, 'one more\ntwo')
  replay.play()
  replay.pause()
  expect(replay.playback.playing).toBe(false)
  replay.skip()
  await shows(window, 'one more\ntwo\nthree')
  replay.restart()
  await shows(window, '')
  replay.step()
  await shows(window, 'one more')
})

test('play restarts a replay that is at its end', async () => {
  replay = new Replay(cast([0, 'all']))
  const window = new Window()
  replay.attach(window)
  replay.skip()
  await shows(window, 'all')
  replay.play()
  await shows(window, 'all')
  expect(replay.playback.time).toBe(0)
})
