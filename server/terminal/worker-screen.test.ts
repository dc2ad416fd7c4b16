import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, test, vi } from 'vitest'
import { WorkerScreen } from './worker-screen.ts'

const screens: WorkerScreen[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const screen of screens.splice(0)) screen.dispose()
})

function newScreen() {
  let parsed = 0
  const screen = new WorkerScreen({ cols: 40, rows: 5, onReply: () => {}, onParsed: (bytes) => (parsed += bytes) })
  screens.push(screen)
  return { screen, parsed: () => parsed, text: () => new Promise<string>((resolve) => screen.snapshot(0, resolve)) }
}

test('screens are recreated in a new worker if the worker dies, and pending requests are answered', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  // The worker is private; spy on postMessage to get it.
  const postMessage = vi.spyOn(Worker.prototype, 'postMessage')
  const [one, two] = [newScreen(), newScreen()]
  one.screen.write(Buffer.from('before'))
  expect(await one.text()).toContain('before')
  const worker = postMessage.mock.contexts[0] as Worker

  // The worker is terminated before it can process these two.
  one.screen.write(Buffer.from('x'.repeat(1000)))
  const pending = one.text()
  const exited = once(worker, 'exit')
  await worker.terminate()
  await exited
  expect(await pending).not.toContain('before')
  await vi.waitFor(() => expect(one.parsed()).toBe('before'.length + 1000), { timeout: 30_000 })
  for (const { screen, text } of [one, two]) {
    screen.write(Buffer.from('after'))
    expect(await text()).toContain('after')
  }
})

test('simultaneous requests for the same snapshot share one until something is written', async () => {
  const postMessage = vi.spyOn(Worker.prototype, 'postMessage')
  const countRequests = () =>
    postMessage.mock.calls.filter(([message]) => (message as { type: string }).type === 'snapshot').length
  const { screen, text } = newScreen()
  screen.write(Buffer.from('one'))
  const snapshots = await Promise.all(Array.from({ length: 100 }, text))
  expect(new Set(snapshots).size).toBe(1)
  expect(countRequests()).toBe(1)
  // A request is not shared if it was already answered, if the scrollback differs, or if the content has changed.
  const again = text()
  const whole = new Promise<string>((resolve) => screen.snapshot(10, resolve))
  screen.write(Buffer.from('two'))
  const later = text()
  for (const earlier of [again, whole]) expect(await earlier).not.toContain('two')
  expect(await later).toContain('onetwo')
  expect(countRequests()).toBe(4)
})
