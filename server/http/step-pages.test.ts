import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { type FrontDoor, openFrontDoor } from './front-door.ts'
import { StepPages } from './step-pages.ts'
import { freePort } from '../test/free-port.ts'
import { fetchFrom, handshake } from '../test/requests.ts'

let frontDoor: FrontDoor
let port: number
/** The URL that each learner's step serves, by learner. */
let servedUrls: Record<string, string | undefined>
/** The page of a step. */
let pageServer: Server
/** The requests that have reached it. */
let requests: { url: string | undefined; headers: IncomingHttpHeaders }[]
const pages = new StepPages('https://*.workshop.example', ({ learner = '', step }) =>
  step === 'site' ? servedUrls[learner] : undefined,
)

beforeAll(async () => {
  port = await freePort()
  pageServer = createServer((request, response) => {
    requests.push({ url: request.url, headers: request.headers })
    response.setHeader('Set-Cookie', 'own=1').end('the page')
  })
  new WebSocketServer({ server: pageServer, path: '/socket' })
  pageServer.listen(0, '127.0.0.1')
  await once(pageServer, 'listening')
  frontDoor = await openFrontDoor({
    port,
    token: 'a'.repeat(43),
    publicUrl: 'https://deck.workshop.example',
    pages,
    deck: { request: (_, response) => void response.end('the deck') },
    onSocket: (socket) => socket.terminate(),
  })
})
afterAll(async () => {
  await frontDoor.close()
  pageServer.closeAllConnections()
  pageServer.close()
})
beforeEach(() => {
  requests = []
  const address = pageServer.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  servedUrls = { ada: `${origin}/start?theme=dark`, bob: `${origin}/` }
})

/** Follows the link of a slide, as a browser does. @returns the host of the page, its cookie, and the redirect */
async function openPage(learner: string): Promise<{ host: string; cookie: string; location: string }> {
  const link = new URL(pages.link({ learner, step: 'site' }) ?? '')
  const { status, headers } = await fetchFrom(port, link.pathname + link.search, { host: link.host })
  expect(status).toBe(303)
  return {
    host: link.host,
    cookie: String(headers['set-cookie']).split(';')[0] ?? '',
    location: String(headers.location),
  }
}

test('the link of a slide leads to the page, which does not receive the cookie of the proxy', async () => {
  const { host, cookie, location } = await openPage('ada')
  expect(location).toBe(`https://${host}/start?theme=dark`)
  const { status, text, headers } = await fetchFrom(port, '/start?theme=dark', { host, cookie: `own=1; ${cookie}` })
  expect([status, text]).toEqual([200, 'the page'])
  expect(String(headers['set-cookie'])).toBe('own=1')
  expect(requests).toMatchObject([{ url: '/start?theme=dark', headers: { cookie: 'own=1' } }])
  expect(requests[0]?.headers.host).toMatch(/^127\.0\.0\.1:/)
  // The page's own files are below `/`, as on this machine.
  expect((await fetchFrom(port, '/assets/app.js', { host, cookie })).status).toBe(200)
  expect(requests.at(-1)?.headers.cookie).toBeUndefined()
})

test('a page rejects requests without its own cookie', async () => {
  const [ada, bob] = [await openPage('ada'), await openPage('bob')]
  expect(ada.host).not.toBe(bob.host)
  for (const cookie of ['', bob.cookie])
    expect((await fetchFrom(port, '/', { host: ada.host, cookie })).status).toBe(401)
  expect((await fetchFrom(port, '/?understudy-page=guessed', { host: ada.host })).status).toBe(401)
  expect((await fetchFrom(port, '/', { host: `${'0'.repeat(32)}.workshop.example`, cookie: ada.cookie })).status).toBe(
    404,
  )
  expect(requests).toEqual([])
})

test('a host that is neither of the deck nor of a page is rejected with 421', async () => {
  for (const host of ['deck.workshop.example', `localhost:${port}`])
    expect((await fetchFrom(port, '/', { host })).text).toContain('The access token is missing or wrong')
  for (const host of ['workshop.example', 'a.b.workshop.example', 'evil.example', 'workshop.example.evil.example'])
    expect((await fetchFrom(port, '/', { host })).status, host).toBe(421)
})

test('a page returns 503 if its step is not serving, and 502 if it does not respond', async () => {
  expect(pages.link({ learner: 'ada', step: 'other' })).toBeUndefined()
  const { host, cookie } = await openPage('ada')
  servedUrls = {}
  expect(await fetchFrom(port, '/', { host, cookie })).toMatchObject({
    status: 503,
    text: expect.stringContaining('Run it'),
  })
  servedUrls = { ada: `http://127.0.0.1:${await freePort()}/` }
  expect(await fetchFrom(port, '/', { host, cookie })).toMatchObject({
    status: 502,
    text: expect.stringContaining('did not respond'),
  })
})

test('a page receives its own websockets, but not those of another page', async () => {
  const { host, cookie } = await openPage('ada')
  const origin = `https://${host}`
  expect(await handshake(port, '/socket', { host, cookie, origin })).toBe('open')
  for (const headers of [
    { cookie: '', origin },
    { cookie, origin: 'https://deck.workshop.example' },
    { cookie, origin: '' },
  ])
    expect(await handshake(port, '/socket', { host, ...headers })).toBe('403')
})
