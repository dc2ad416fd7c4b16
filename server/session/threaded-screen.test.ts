import { Worker } from 'node:worker_threads'
import { afterEach, expect, test, vi } from 'vitest'
import { ThreadedScreen } from './threaded-screen.ts'

const screens: ThreadedScreen[] = []
afterEach(() => {
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
