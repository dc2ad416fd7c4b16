import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type FrontDoor, openFrontDoor } from './front-door.ts'
import { MAX_CLIENT_MESSAGE, SOCKET_PATH } from './protocol.ts'

const token = 'a'.repeat(43)
let port: number
let door: FrontDoor
let seen: string[]

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

beforeAll(async () => {
  port = await freePort()
  seen = []
  door = await openFrontDoor({
    port,
    token,
    deck: { request: (request, response) => (seen.push(request.url ?? ''), response.end('the deck')) },
    onSocket: (socket) => socket.on('message', (data) => socket.send(String(data))).on('error', () => {}),
  })
})
afterAll(() => door.close())

function get(path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((done, fail) => {
    httpRequest({ host: '127.0.0.1', port, path, headers: { host: `localhost:${port}`, ...headers } }, async (response) => {
      let text = ''
      for await (const chunk of response) text += String(chunk)
      done({ status: response.statusCode ?? 0, headers: response.headers, text })
    })
      .on('error', fail)
      .end()
  })
}

const cookie = () => `understudy-${port}=${token}`

/** How a handshake of a websocket ends: `open`, or the status that it was refused with. */
function handshake(headers: Record<string, string>, path = SOCKET_PATH): Promise<string> {
  return new Promise((done) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { host: `localhost:${port}`, ...headers } })
    socket.on('open', () => (socket.terminate(), done('open')))
    socket.on('unexpected-response', (request, response) => (request.destroy(), done(String(response.statusCode))))
    socket.on('error', () => {})
  })
}

describe('the front door', () => {
  test('lets in who has the link, once, and keeps the token out of the address bar', async () => {
    const entry = await get(`/3?token=${token}&clicks=2`)
    expect(entry.status).toBe(303)
    expect(entry.headers.location).toBe('/3?clicks=2')
    expect(String(entry.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Strict/)
    expect((await get('/3', { cookie: cookie() })).text).toBe('the deck')
  })

  test('refuses a missing, wrong or old token and says which link to open', async () => {
    for (const headers of [{} as Record<string, string>, { cookie: `understudy-${port}=${'b'.repeat(43)}` }, { cookie: `understudy-1=${token}` }]) {
      const answer = await get('/', headers)
      expect(answer.status).toBe(401)
      expect(answer.text).toContain('Open the link that the server printed')
    }
    expect((await get(`/?token=${'b'.repeat(43)}`)).status).toBe(401)
  })

  test('refuses a foreign Host, also with the token (DNS rebinding)', async () => {
    for (const host of ['evil.example', `evil.example:${port}`, `127.0.0.1:${port}`, `localhost:${port + 1}`])
      expect((await get(`/?token=${token}`, { host, cookie: cookie() })).status, host).toBe(421)
  })

  test('refuses a request from a foreign Origin', async () => {
    expect((await get('/', { cookie: cookie(), origin: 'http://evil.example' })).status).toBe(403)
    expect((await get('/', { cookie: cookie(), origin: `http://127.0.0.1:${port}` })).status).toBe(403)
  })

  test('opens a websocket only for its own Origin and Host, with the token', async () => {
    const origin = `http://localhost:${port}`
    expect(await handshake({ cookie: cookie(), origin })).toBe('open')
    expect(await handshake({ origin })).toBe('401')
    expect(await handshake({ cookie: cookie() })).toBe('403')
    expect(await handshake({ cookie: cookie(), origin: 'null' })).toBe('403')
    expect(await handshake({ cookie: cookie(), origin: 'http://evil.example' })).toBe('403')
    expect(await handshake({ cookie: cookie(), origin: `http://evil.example:${port}`, host: `evil.example:${port}` })).toBe('403')
    expect(await handshake({ cookie: cookie(), origin, host: `evil.example:${port}` })).toBe('421')
    expect(await handshake({ cookie: cookie(), origin }, '/elsewhere')).toBe('404')
  })

  test('answers an address that is none, and goes on', async () => {
    for (const path of ['//', 'http://[', '//%']) expect((await get(path)).status).toBe(400)
    expect((await get('/')).status).toBe(401)
  })

  test('ends a connection that sends 10 MB in one message', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${SOCKET_PATH}`, {
      headers: { host: `localhost:${port}`, cookie: cookie(), origin: `http://localhost:${port}` },
    })
    await once(socket, 'open')
    socket.send('x'.repeat(MAX_CLIENT_MESSAGE))
    expect(String((await once(socket, 'message'))[0])).toHaveLength(MAX_CLIENT_MESSAGE)
    socket.on('error', () => {})
    socket.send('x'.repeat(10_000_000))
    expect((await once(socket, 'close'))[0]).toBe(1009)
  })

  test('listens on this machine only', async () => {
    const { networkInterfaces } = await import('node:os')
    const outside = Object.values(networkInterfaces()).flat().filter((address) => address && !address.internal && address.family === 'IPv4')
    for (const address of outside) {
      const socket = connect(port, address?.address)
      const [error] = await once(socket, 'error')
      expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED')
    }
  })

  test('closes although a websocket of the deck\'s own server is open', async () => {
    const other = await freePort()
    const developing = await openFrontDoor({
      port: other,
      token,
      deck: { request: (_, response) => response.end(), upgrade: (_, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n') },
      onSocket: () => {},
    })
    const socket = connect(other, '127.0.0.1').on('error', () => {})
    socket.write(`GET /hmr HTTP/1.1\r\nHost: localhost:${other}\r\nOrigin: http://localhost:${other}\r\nCookie: understudy-${other}=${token}\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`)
    await once(socket, 'data')
    await Promise.all([developing.close(), once(socket, 'close')])
  })

  test('names the process that holds its port', async () => {
    await expect(
      openFrontDoor({ port, token, deck: { request: () => {} }, onSocket: () => {} }),
    ).rejects.toThrow(new RegExp(`Port ${port} is taken by process ${process.pid} .*--port`))
  })
})
