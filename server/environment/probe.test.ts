import { getEventListeners, once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { untilReady } from './probe.ts'

/** More polls than the number of listeners above which Node.js prints a warning. */
const POLLS = 12

let server: Server | undefined
afterEach(() => server?.close())

/** A page that responds with 503 to the first requests. */
async function startPage(failures: number): Promise<{ http: string; requests: () => number }> {
  let requests = 0
  server = createServer((_, response) => {
    requests++
    response.writeHead(requests > failures ? 200 : 503).end('the page')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { http: `http://127.0.0.1:${port}/`, requests: () => requests }
}

test('untilReady leaves no listeners on its signal', async () => {
  const page = await startPage(POLLS)
  const { signal } = new AbortController()
  expect(await untilReady({ http: page.http, contains: 'page' }, signal)).toBe(true)
  expect(page.requests()).toBe(POLLS + 1)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('untilReady returns false when its signal aborts while it waits', async () => {
  const page = await startPage(Infinity)
  const controller = new AbortController()
  const ready = untilReady(page, controller.signal)
  await expect.poll(page.requests).toBeGreaterThan(1)
  controller.abort()
  expect(await ready).toBe(false)
})

test('untilReady returns false when its signal aborts during a request', async () => {
  let requested = 0
  server = createServer(() => requested++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const controller = new AbortController()
  const ready = untilReady({ http: `http://127.0.0.1:${port}/` }, controller.signal)
  await expect.poll(() => requested).toBe(1)
  controller.abort()
  expect(await ready).toBe(false)
  server.closeAllConnections()
})
