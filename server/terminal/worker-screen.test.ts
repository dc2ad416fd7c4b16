import { Worker } from 'node:worker_threads'
import { afterEach, expect, test, vi } from 'vitest'
import { ThreadedScreen } from './worker-screen.ts'

const screens: ThreadedScreen[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const screen of screens.splice(0)) screen.dispose()
})

function newScreen() {
  let parsed = 0
  const screen = new ThreadedScreen({ cols: 40, rows: 5, onReply: () => {}, onParsed: (bytes) => (parsed += bytes) })
  screens.push(screen)
  return { screen, parsed: () => parsed, text: () => new Promise<string>((done) => screen.snapshot(0, done)) }
}

test('a thread of screens that dies is made anew: what waits is answered, what was unparsed is let go, and output is shown again', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  // The thread is nobody's to reach: it is caught where it is spoken to.
  const speaking = vi.spyOn(Worker.prototype, 'postMessage')
  const [one, two] = [newScreen(), newScreen()]
  one.screen.write(Buffer.from('before'))
  expect(await one.text()).toContain('before')
  const thread = speaking.mock.contexts[0] as Worker

  // Both before the thread can answer.
  one.screen.write(Buffer.from('x'.repeat(1000)))
  const waiting = one.text()
  const gone = new Promise((done) => thread.once('exit', done))
  await thread.terminate()
  await gone
  expect(await waiting).not.toContain('before')
  await vi.waitFor(() => expect(one.parsed()).toBe('before'.length + 1000))
  for (const { screen, text } of [one, two]) {
    screen.write(Buffer.from('after'))
    expect(await text()).toContain('after')
  }
})

test('a hall that asks at once shares one snapshot, until something is written', async () => {
  const speaking = vi.spyOn(Worker.prototype, 'postMessage')
  const asked = () =>
    speaking.mock.calls.filter(([message]) => (message as { type: string }).type === 'snapshot').length
  const { screen, text } = newScreen()
  screen.write(Buffer.from('one'))
  const shown = await Promise.all(Array.from({ length: 100 }, text))
  expect(new Set(shown).size).toBe(1)
  expect(asked()).toBe(1)
  // Another part of the screen, another content, and what was answered already are other snapshots.
  const again = text()
  const whole = new Promise<string>((done) => screen.snapshot(10, done))
  screen.write(Buffer.from('two'))
  const later = text()
  for (const before of [again, whole]) expect(await before).not.toContain('two')
  expect(await later).toContain('onetwo')
  expect(asked()).toBe(4)
})
