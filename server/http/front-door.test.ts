import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type FrontDoor, openFrontDoor } from './front-door.ts'
import { MAX_CLIENT_MESSAGE_BYTES, SOCKET_PATH } from '../../shared/protocol/talk.ts'
import { freePort } from '../test/free-port.ts'
import { fetchFrom, handshake as handshakeWith } from '../test/requests.ts'

const token = 'a'.repeat(43)
let port: number
let frontDoor: FrontDoor

beforeAll(async () => {
  port = await freePort()
  frontDoor = await openFrontDoor({
    port,
    token,
    deck: { request: (_, response) => void response.end('the deck') },
    onSocket: (socket) => socket.on('message', (data) => socket.send(String(data))).on('error', () => {}),
  })
})
afterAll(() => frontDoor.close())

/** Sends a request to the front door. */
const get = (path: string, headers: Record<string, string> = {}) => fetchFrom(port, path, headers)

/** The presenter's cookie. */
const cookie = () => `understudy-${port}=${token}`

/** Opens a websocket. @returns `open`, or the status of the rejection */
const handshake = (headers: Record<string, string>, path = SOCKET_PATH, to = port) => handshakeWith(to, path, headers)

describe('the front door', () => {
  test('exchanges the token in a link for a cookie and removes it from the address bar', async () => {
    const entry = await get(`/3?token=${token}&clicks=2`)
    expect(entry.status).toBe(303)
    expect(entry.headers.location).toBe('/3?clicks=2')
    expect(String(entry.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Strict/)
    expect((await get('/3', { cookie: cookie() })).text).toBe('the deck')
  })

  test('rejects a missing or wrong token and names the link to open', async () => {
    for (const headers of [
      {} as Record<string, string>,
      { cookie: `understudy-${port}=${'b'.repeat(43)}` },
      { cookie: `understudy-1=${token}` },
    ]) {
      const response = await get('/', headers)
      expect(response.status).toBe(401)
      expect(response.text).toContain('Open the link that the server printed')
    }
    expect((await get(`/?token=${'b'.repeat(43)}`)).status).toBe(401)
  })

  test('rejects a foreign Host even with a valid token (DNS rebinding)', async () => {
    for (const host of ['evil.example', `evil.example:${port}`, `127.0.0.1:${port}`, `localhost:${port + 1}`])
      expect((await get(`/?token=${token}`, { host, cookie: cookie() })).status, host).toBe(421)
  })

  test('rejects a request from a foreign Origin', async () => {
    expect((await get('/', { cookie: cookie(), origin: 'http://evil.example' })).status).toBe(403)
    expect((await get('/', { cookie: cookie(), origin: `http://127.0.0.1:${port}` })).status).toBe(403)
  })

  test('opens a websocket only with its own Host, its own Origin and a token', async () => {
    const origin = `http://localhost:${port}`
    expect(await handshake({ cookie: cookie(), origin })).toBe('open')
    expect(await handshake({ origin })).toBe('401')
    expect(await handshake({ cookie: cookie() })).toBe('403')
    expect(await handshake({ cookie: cookie(), origin: 'null' })).toBe('403')
    expect(await handshake({ cookie: cookie(), origin: 'http://evil.example' })).toBe('403')
    expect(
      await handshake({ cookie: cookie(), origin: `http://evil.example:${port}`, host: `evil.example:${port}` }),
    ).toBe('403')
    expect(await handshake({ cookie: cookie(), origin, host: `evil.example:${port}` })).toBe('421')
    expect(await handshake({ cookie: cookie(), origin }, '/elsewhere')).toBe('404')
  })

  test('answers a malformed URL with 400 and keeps running', async () => {
    for (const path of ['//', 'http://[', '//%']) expect((await get(path)).status).toBe(400)
    expect((await get('/')).status).toBe(401)
  })

  test('closes a websocket that sends a message of 10 MB', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${SOCKET_PATH}`, {
      headers: { host: `localhost:${port}`, cookie: cookie(), origin: `http://localhost:${port}` },
    })
    await once(socket, 'open')
    socket.send('x'.repeat(MAX_CLIENT_MESSAGE_BYTES))
    expect(String((await once(socket, 'message'))[0])).toHaveLength(MAX_CLIENT_MESSAGE_BYTES)
    socket.on('error', () => {})
    socket.send('x'.repeat(10_000_000))
    expect((await once(socket, 'close'))[0]).toBe(1009)
  })

  test('listens only on loopback addresses', async () => {
    const { networkInterfaces } = await import('node:os')
    const external = Object.values(networkInterfaces())
      .flat()
      .filter((address) => address && !address.internal && address.family === 'IPv4')
    for (const address of external) {
      const socket = connect(port, address?.address)
      const [error] = await once(socket, 'error')
      expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED')
    }
  })

  test("closes while a websocket of the deck's own server is open", async () => {
    const port = await freePort()
    const frontDoor = await openFrontDoor({
      port,
      token,
      deck: {
        request: (_, response) => response.end(),
        upgrade: (_, socket) =>
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
      },
      onSocket: () => {},
    })
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.write(
      `GET /hmr HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: http://localhost:${port}\r\nCookie: understudy-${port}=${token}\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`,
    )
    await once(socket, 'data')
    await Promise.all([frontDoor.close(), once(socket, 'close')])
  })

  test('names the process that is using its port', async () => {
    await expect(openFrontDoor({ port, token, deck: { request: () => {} }, onSocket: () => {} })).rejects.toThrow(
      new RegExp(`Port ${port} is in use by process ${process.pid} .*--port`),
    )
  })
})

describe('the front door behind a TLS proxy', () => {
  const host = 'workshop.example'
  const learnerToken = 'e'.repeat(43)
  let port: number
  let frontDoor: FrontDoor

  beforeAll(async () => {
    port = await freePort()
    frontDoor = await openFrontDoor({
      port,
      token,
      learners: [{ name: 'ada', token: learnerToken }],
      publicUrl: `https://${host}`,
      deck: { request: (_, response) => void response.end('the deck') },
      onSocket: (socket) => socket.terminate(),
    })
  })
  afterAll(() => frontDoor.close())

  const get = (path: string, headers: Record<string, string>) => fetchFrom(port, path, headers)

  test('begins links with the public URL', () => {
    expect(frontDoor.origin).toBe(`https://${host}`)
  })

  test('sets a Secure cookie that no other host of the domain can set', async () => {
    const entry = await get(`/workshop?token=${learnerToken}`, { host })
    expect(entry.status).toBe(303)
    const [cookie] = entry.headers['set-cookie'] as string[]
    expect(cookie).toBe(`__Host-understudy-${port}-learner=${learnerToken}; HttpOnly; SameSite=Lax; Path=/; Secure`)
    expect((await get('/', { host, cookie: `understudy-${port}-learner=${learnerToken}` })).status).toBe(401)
  })

  test('accepts each of its host names only with the matching Origin', async () => {
    const cookie = `__Host-understudy-${port}-learner=${learnerToken}; understudy-${port}-learner=${learnerToken}`
    const results = async (headers: Record<string, string>) => [
      (await get('/', { ...headers, cookie })).status,
      await handshake({ ...headers, cookie }, SOCKET_PATH, port),
    ]
    const local = `localhost:${port}`
    expect(await results({ host, origin: `https://${host}` })).toEqual([200, 'open'])
    expect(await results({ host: local, origin: `http://${local}` })).toEqual([200, 'open'])
    for (const origin of [`http://${host}`, 'https://evil.example', `http://${local}`])
      expect(await results({ host, origin }), origin).toEqual([403, '403'])
    expect(await results({ host: 'evil.example', origin: `https://${host}` })).toEqual([421, '403'])
  })
})

describe('the front door on the local network', () => {
  const guests = { audience: 'c'.repeat(43), remote: 'd'.repeat(43) }
  /** Represents an address on the network: another one than that of loopback's listener. */
  const address = '127.0.0.2'
  let port: number
  let frontDoor: FrontDoor
  /** Role and permissions of each window that was admitted. */
  let admitted: string[]

  beforeAll(async () => {
    port = await freePort()
    admitted = []
    frontDoor = await openFrontDoor({
      port,
      token,
      guests,
      share: { address, insecureRemote: false },
      deck: { request: (_, response) => response.end('the deck') },
      onSocket: (socket, { role, permissions }) => (
        admitted.push(`${role}: ${permissions.join(' ')}`),
        socket.on('error', () => {})
      ),
    })
  })
  afterAll(() => frontDoor.close())

  const get = (path: string, headers: Record<string, string> = {}, to = address) =>
    fetchFrom(port, path, { host: `${address}:${port}`, ...headers }, to)
  const cookieOf = (role: 'audience' | 'remote' | 'presenter') =>
    role === 'presenter' ? `understudy-${port}=${token}` : `understudy-${port}-${role}=${guests[role]}`
  /** Opens a websocket. @returns `open`, or the status of the rejection */
  const connectSocket = (headers: Record<string, string>, to = address): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://${to}:${port}${SOCKET_PATH}`, {
        headers: { host: `${address}:${port}`, origin: `http://${address}:${port}`, ...headers },
      })
      socket.on('open', () => {
        socket.terminate()
        resolve('open')
      })
      socket.on('unexpected-response', (request, response) => {
        request.destroy()
        resolve(String(response.statusCode))
      })
      socket.on('error', () => {})
    })

  test('admits the audience by its link, with the permission to view', async () => {
    expect(frontDoor.lanUrl).toBe(`http://${address}:${port}`)
    const entry = await get(`/3?token=${guests.audience}`)
    expect(entry.status).toBe(303)
    expect(entry.headers.location).toBe('/3')
    expect(String(entry.headers['set-cookie'])).toBe(
      `understudy-${port}-audience=${guests.audience}; HttpOnly; SameSite=Lax; Path=/`,
    )
    expect((await get('/3', { cookie: cookieOf('audience') })).status).toBe(200)
    expect(await connectSocket({ cookie: cookieOf('audience') })).toBe('open')
    expect(admitted.at(-1)).toBe('audience: view')
  })

  test("rejects the presenter's token in a link, in a cookie and with the Host of loopback", async () => {
    const localhost = { host: `localhost:${port}`, origin: `http://localhost:${port}` }
    expect((await get(`/?token=${token}`)).status).toBe(401)
    expect((await get('/', { cookie: cookieOf('presenter') })).status).toBe(401)
    expect(await connectSocket({ cookie: cookieOf('presenter') })).toBe('401')
    expect((await get(`/?token=${token}`, { host: localhost.host })).status).toBe(421)
    expect(await connectSocket({ cookie: cookieOf('presenter'), ...localhost })).toBe('403')
    expect(await connectSocket({ cookie: cookieOf('presenter'), host: localhost.host })).toBe('421')
    // A second cookie with the presenter's token adds no permissions.
    expect(await connectSocket({ cookie: `${cookieOf('presenter')}; ${cookieOf('audience')}` })).toBe('open')
    expect(admitted.at(-1)).toBe('audience: view')
  })

  test('accepts only its own Host and Origin', async () => {
    const cookie = cookieOf('audience')
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      address,
      `${address}:${port + 1}`,
      `127.0.0.1:${port}`,
      `localhost:${port}`,
    ]) {
      expect((await get('/', { cookie, host })).status, host).toBe(421)
      expect(await connectSocket({ cookie, host }), host).toBe('421')
    }
    for (const origin of [
      'null',
      'http://evil.example',
      `http://evil.example:${port}`,
      `http://${address}`,
      `https://${address}:${port}`,
      `http://localhost:${port}`,
    ]) {
      expect((await get('/', { cookie, origin })).status, origin).toBe(403)
      expect(await connectSocket({ cookie, origin }), origin).toBe('403')
    }
  })

  test('loopback rejects the Host and Origin of the network', async () => {
    const cookie = cookieOf('audience')
    expect((await get('/', { cookie }, '127.0.0.1')).status).toBe(421)
    expect(await connectSocket({ cookie }, '127.0.0.1')).toBe('403')
  })

  test('makes the remote view-only, but not on loopback', async () => {
    expect(await connectSocket({ cookie: cookieOf('remote') })).toBe('open')
    expect(admitted.at(-1)).toBe('remote: view')
    const localhost = { host: `localhost:${port}`, origin: `http://localhost:${port}` }
    expect(await connectSocket({ cookie: cookieOf('remote'), ...localhost }, '127.0.0.1')).toBe('open')
    expect(admitted.at(-1)).toBe('remote: view run navigate replay')
  })

  test('gives the remote its permissions if insecure remotes are allowed', async () => {
    const port = await freePort()
    let permissions: readonly string[] = []
    const frontDoor = await openFrontDoor({
      port,
      token,
      guests,
      share: { address, insecureRemote: true },
      deck: { request: () => {} },
      onSocket: (socket, access) => ((permissions = access.permissions), socket.terminate()),
    })
    const socket = new WebSocket(`ws://${address}:${port}${SOCKET_PATH}`, {
      headers: {
        host: `${address}:${port}`,
        origin: `http://${address}:${port}`,
        cookie: `understudy-${port}-remote=${guests.remote}`,
      },
    })
    await once(socket, 'close')
    expect(permissions).toEqual(['view', 'run', 'navigate', 'replay'])
    await frontDoor.close()
  })

  test("rejects the audience and the remote if it serves Slidev's development server", async () => {
    const port = await freePort()
    const frontDoor = await openFrontDoor({
      port,
      token,
      guests,
      deck: { request: (_, response) => response.end(), upgrade: (_, socket) => socket.destroy() },
      onSocket: () => {},
    })
    const get = async (cookie: string) => (await fetchFrom(port, '/', { cookie })).status
    expect(await get(`understudy-${port}=${token}`)).toBe(200)
    expect(await get(`understudy-${port}-audience=${guests.audience}`)).toBe(403)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/hmr`, {
      headers: {
        host: `localhost:${port}`,
        origin: `http://localhost:${port}`,
        cookie: `understudy-${port}-remote=${guests.remote}`,
      },
    }).on('error', () => {})
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
    expect(response.statusCode).toBe(403)
    socket.terminate()
    await frontDoor.close()
  })

  test('does not open the port if this machine does not have the address', async () => {
    const port = await freePort()
    const open = () =>
      openFrontDoor({
        port,
        token,
        guests,
        share: { address: '198.51.100.7', insecureRemote: false },
        deck: { request: () => {} },
        onSocket: () => {},
      })
    await expect(open()).rejects.toThrow('This machine does not have the address 198.51.100.7')
    await (await openFrontDoor({ port, token, deck: { request: () => {} }, onSocket: () => {} })).close()
  })
})
