import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { type FrontDoor, openFrontDoor } from './front-door.ts'
import { StepPages } from './step-pages.ts'
import { freePort } from '../test/free-port.ts'
import { fetchFrom, handshake } from '../test/requests.ts'

let door: FrontDoor
let port: number
/** What the steps serve, by learner. */
let served: Record<string, string | undefined>
let page: Server
let asked: { url: string | undefined; headers: IncomingHttpHeaders }[]
const pages = new StepPages('https://*.workshop.example', ({ learner = '', step }) =>
  step === 'site' ? served[learner] : undefined,
)

beforeAll(async () => {
  port = await freePort()
  page = createServer((request, response) => {
    asked.push({ url: request.url, headers: request.headers })
    response.setHeader('Set-Cookie', 'own=1').end('the page')
  })
  new WebSocketServer({ server: page, path: '/socket' })
  page.listen(0, '127.0.0.1')
  await once(page, 'listening')
  door = await openFrontDoor({
    port,
    token: 'a'.repeat(43),
    publicUrl: 'https://deck.workshop.example',
    pages,
    deck: { request: (_, response) => void response.end('the deck') },
    onSocket: (socket) => socket.terminate(),
  })
})
afterAll(async () => {
  await door.close()
  page.closeAllConnections()
  page.close()
})
beforeEach(() => {
  asked = []
  const address = page.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  served = { ada: `${origin}/start?theme=dark`, bob: `${origin}/` }
})

/** As a browser does that comes from the slide: where it was led, and the cookie that it was given. */
async function enter(learner: string): Promise<{ host: string; cookie: string; location: string }> {
  const link = new URL(pages.link({ learner, step: 'site' }) ?? '')
  const { status, headers } = await fetchFrom(port, link.pathname + link.search, { host: link.host })
  expect(status).toBe(303)
  return {
    host: link.host,
    cookie: String(headers['set-cookie']).split(';')[0] ?? '',
    location: String(headers.location),
  }
}

test('a browser on another machine is led to the page, which has a host of its own and sees nothing of how it was let in', async () => {
  const { host, cookie, location } = await enter('ada')
  expect(location).toBe(`https://${host}/start?theme=dark`)
  const { status, text, headers } = await fetchFrom(port, '/start?theme=dark', { host, cookie: `own=1; ${cookie}` })
  expect([status, text]).toEqual([200, 'the page'])
  expect(String(headers['set-cookie'])).toBe('own=1')
  expect(asked).toMatchObject([{ url: '/start?theme=dark', headers: { cookie: 'own=1' } }])
  expect(asked[0]?.headers.host).toMatch(/^127\.0\.0\.1:/)
  // Its files are where it looks for them.
  expect((await fetchFrom(port, '/assets/app.js', { host, cookie })).status).toBe(200)
  expect(asked.at(-1)?.headers.cookie).toBeUndefined()
})

test('nobody reaches a page by its address alone, or with what lets them into another page', async () => {
  const [ada, bob] = [await enter('ada'), await enter('bob')]
  expect(ada.host).not.toBe(bob.host)
  for (const cookie of ['', bob.cookie])
    expect((await fetchFrom(port, '/', { host: ada.host, cookie })).status).toBe(401)
  expect((await fetchFrom(port, '/?understudy-page=guessed', { host: ada.host })).status).toBe(401)
  expect((await fetchFrom(port, '/', { host: `${'0'.repeat(32)}.workshop.example`, cookie: ada.cookie })).status).toBe(
    404,
  )
  expect(asked).toEqual([])
})

test('the deck keeps its own name, and names that are neither its nor a page’s are nobody’s', async () => {
  for (const host of ['deck.workshop.example', `localhost:${port}`])
    expect((await fetchFrom(port, '/', { host })).text).toContain('The access token is missing or wrong')
  for (const host of ['workshop.example', 'a.b.workshop.example', 'evil.example', 'workshop.example.evil.example'])
    expect((await fetchFrom(port, '/', { host })).status, host).toBe(421)
})

test('a step that serves nothing, or does not answer, is told as that', async () => {
  expect(pages.link({ learner: 'ada', step: 'other' })).toBeUndefined()
  const { host, cookie } = await enter('ada')
  served = {}
  expect(await fetchFrom(port, '/', { host, cookie })).toMatchObject({
    status: 503,
    text: expect.stringContaining('Run it'),
  })
  served = { ada: `http://127.0.0.1:${await freePort()}/` }
  expect(await fetchFrom(port, '/', { host, cookie })).toMatchObject({
    status: 502,
    text: expect.stringContaining('did not answer'),
  })
})

test('a websocket of the page reaches it, and one that another page opens does not', async () => {
  const { host, cookie } = await enter('ada')
  const origin = `https://${host}`
  expect(await handshake(port, '/socket', { host, cookie, origin })).toBe('open')
  for (const headers of [
    { cookie: '', origin },
    { cookie, origin: 'https://deck.workshop.example' },
    { cookie, origin: '' },
  ])
    expect(await handshake(port, '/socket', { host, ...headers })).toBe('403')
})
