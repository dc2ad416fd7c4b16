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
let door: FrontDoor
let seen: string[]

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

const get = (path: string, headers: Record<string, string> = {}) => fetchFrom(port, path, headers)

const cookie = () => `understudy-${port}=${token}`

const handshake = (headers: Record<string, string>, path = SOCKET_PATH, to = port) => handshakeWith(to, path, headers)

describe('the front door', () => {
  test('lets in who has the link, once, and keeps the token out of the address bar', async () => {
    const entry = await get(`/3?token=${token}&clicks=2`)
    expect(entry.status).toBe(303)
    expect(entry.headers.location).toBe('/3?clicks=2')
    expect(String(entry.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Strict/)
    expect((await get('/3', { cookie: cookie() })).text).toBe('the deck')
  })

  test('refuses a missing, wrong or old token and says which link to open', async () => {
    for (const headers of [
      {} as Record<string, string>,
      { cookie: `understudy-${port}=${'b'.repeat(43)}` },
      { cookie: `understudy-1=${token}` },
    ]) {
      const answer = await get('/', headers)
      expect(answer.status).toBe(401)
      expect(answer.text).toContain('Open the link that the server printed')
    }
    expect((await get(`/?token=${'b'.repeat(43)}`)).status).toBe(401)
  })

  test('behind a proxy with TLS it is called what the proxy is called, and each name has its own Origin', async () => {
    const own = await freePort()
    const learner = 'e'.repeat(43)
    const behind = await openFrontDoor({
      port: own,
      token,
      learners: [{ name: 'ada', token: learner }],
      publicUrl: 'https://workshop.example',
      deck: { request: (_, response) => void response.end('the deck') },
      onSocket: (socket) => socket.terminate(),
    })
    try {
      expect(behind.origin).toBe('https://workshop.example')
      const ask = (path: string, headers: Record<string, string>) => fetchFrom(own, path, headers)
      const host = 'workshop.example'
      const entry = await ask(`/workshop?token=${learner}`, { host })
      expect(entry.status).toBe(303)
      // Followed from a mail, it is let in at once; nobody on the way reads it.
      expect(String(entry.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Lax; Path=\/; Secure$/)
      // With TLS by a name that no other host of the domain can set.
      const cookie = `__Host-understudy-${own}-learner=${learner}; understudy-${own}-learner=${learner}`
      expect(String(entry.headers['set-cookie'])).toMatch(new RegExp(`^__Host-understudy-${own}-learner=`))
      expect((await ask('/', { host, cookie: `understudy-${own}-learner=${learner}` })).status).toBe(401)
      const local = `localhost:${own}`
      const statuses = async (headers: Record<string, string>) => [
        (await ask('/', { ...headers, cookie })).status,
        await handshake({ ...headers, cookie }, SOCKET_PATH, own),
      ]
      expect(await statuses({ host, origin: 'https://workshop.example' })).toEqual([200, 'open'])
      expect(await statuses({ host: local, origin: `http://${local}` })).toEqual([200, 'open'])
      for (const origin of ['http://workshop.example', 'https://evil.example', `http://${local}`])
        expect(await statuses({ host, origin }), origin).toEqual([403, '403'])
      expect(await statuses({ host: 'evil.example', origin: 'https://workshop.example' })).toEqual([421, '403'])
    } finally {
      await behind.close()
    }
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
    expect(
      await handshake({ cookie: cookie(), origin: `http://evil.example:${port}`, host: `evil.example:${port}` }),
    ).toBe('403')
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
    socket.send('x'.repeat(MAX_CLIENT_MESSAGE_BYTES))
    expect(String((await once(socket, 'message'))[0])).toHaveLength(MAX_CLIENT_MESSAGE_BYTES)
    socket.on('error', () => {})
    socket.send('x'.repeat(10_000_000))
    expect((await once(socket, 'close'))[0]).toBe(1009)
  })

  test('listens on this machine only', async () => {
    const { networkInterfaces } = await import('node:os')
    const outside = Object.values(networkInterfaces())
      .flat()
      .filter((address) => address && !address.internal && address.family === 'IPv4')
    for (const address of outside) {
      const socket = connect(port, address?.address)
      const [error] = await once(socket, 'error')
      expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED')
    }
  })

  test("closes although a websocket of the deck's own server is open", async () => {
    const other = await freePort()
    const developing = await openFrontDoor({
      port: other,
      token,
      deck: {
        request: (_, response) => response.end(),
        upgrade: (_, socket) =>
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
      },
      onSocket: () => {},
    })
    const socket = connect(other, '127.0.0.1').on('error', () => {})
    socket.write(
      `GET /hmr HTTP/1.1\r\nHost: localhost:${other}\r\nOrigin: http://localhost:${other}\r\nCookie: understudy-${other}=${token}\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`,
    )
    await once(socket, 'data')
    await Promise.all([developing.close(), once(socket, 'close')])
  })

  test('names the process that holds its port', async () => {
    await expect(openFrontDoor({ port, token, deck: { request: () => {} }, onSocket: () => {} })).rejects.toThrow(
      new RegExp(`Port ${port} is in use by process ${process.pid} .*--port`),
    )
  })
})

describe('the door to the local network', () => {
  const guests = { audience: 'c'.repeat(43), remote: 'd'.repeat(43) }
  /** Stands for the address on the network: not the loopback's own. */
  const address = '127.0.0.2'
  let own: number
  let shared: FrontDoor
  let admitted: string[]

  beforeAll(async () => {
    own = await freePort()
    admitted = []
    shared = await openFrontDoor({
      port: own,
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
  afterAll(() => shared.close())

  const ask = (path: string, headers: Record<string, string> = {}, to = address) =>
    fetchFrom(own, path, { host: `${address}:${own}`, ...headers }, to)
  const cookies = (role: 'audience' | 'remote' | 'presenter') =>
    role === 'presenter' ? `understudy-${own}=${token}` : `understudy-${own}-${role}=${guests[role]}`
  const enter = (headers: Record<string, string>, to = address): Promise<string> =>
    new Promise((done) => {
      const socket = new WebSocket(`ws://${to}:${own}${SOCKET_PATH}`, {
        headers: { host: `${address}:${own}`, origin: `http://${address}:${own}`, ...headers },
      })
      socket.on('open', () => (socket.terminate(), done('open')))
      socket.on('unexpected-response', (request, response) => (request.destroy(), done(String(response.statusCode))))
      socket.on('error', () => {})
    })

  test('lets the audience in by its own link, also one that is followed from another site', async () => {
    expect(shared.shared).toBe(`http://${address}:${own}`)
    const entry = await ask(`/3?token=${guests.audience}`)
    expect(entry.status).toBe(303)
    expect(entry.headers.location).toBe('/3')
    expect(String(entry.headers['set-cookie'])).toBe(
      `understudy-${own}-audience=${guests.audience}; HttpOnly; SameSite=Lax; Path=/`,
    )
    expect((await ask('/3', { cookie: cookies('audience') })).status).toBe(200)
    expect(await enter({ cookie: cookies('audience') })).toBe('open')
    expect(admitted.at(-1)).toBe('audience: view')
  })

  test("knows no presenter: neither by the link, nor by the cookie, nor by loopback's name", async () => {
    const localhost = { host: `localhost:${own}`, origin: `http://localhost:${own}` }
    expect((await ask(`/?token=${token}`)).status).toBe(401)
    expect((await ask('/', { cookie: cookies('presenter') })).status).toBe(401)
    expect(await enter({ cookie: cookies('presenter') })).toBe('401')
    expect((await ask(`/?token=${token}`, { host: localhost.host })).status).toBe(421)
    expect(await enter({ cookie: cookies('presenter'), ...localhost })).toBe('403')
    expect(await enter({ cookie: cookies('presenter'), host: localhost.host })).toBe('421')
    // The token of the presenter beside another adds nothing to it.
    expect(await enter({ cookie: `${cookies('presenter')}; ${cookies('audience')}` })).toBe('open')
    expect(admitted.at(-1)).toBe('audience: view')
  })

  test('has one name and one Origin, and loopback does not have them', async () => {
    const cookie = cookies('audience')
    for (const host of [
      'evil.example',
      `evil.example:${own}`,
      address,
      `${address}:${own + 1}`,
      `127.0.0.1:${own}`,
      `localhost:${own}`,
    ]) {
      expect((await ask('/', { cookie, host })).status, host).toBe(421)
      expect(await enter({ cookie, host }), host).toBe('421')
    }
    for (const origin of [
      'null',
      'http://evil.example',
      `http://evil.example:${own}`,
      `http://${address}`,
      `https://${address}:${own}`,
      `http://localhost:${own}`,
    ]) {
      expect((await ask('/', { cookie, origin })).status, origin).toBe(403)
      expect(await enter({ cookie, origin }), origin).toBe('403')
    }
    expect((await ask('/', { cookie }, '127.0.0.1')).status).toBe(421)
    expect(await enter({ cookie }, '127.0.0.1')).toBe('403')
  })

  test('gives the remote its permissions on this machine, and on the network only where that was asked for', async () => {
    expect(await enter({ cookie: cookies('remote') })).toBe('open')
    expect(admitted.at(-1)).toBe('remote: view')
    const localhost = { host: `localhost:${own}`, origin: `http://localhost:${own}` }
    expect(await enter({ cookie: cookies('remote'), ...localhost }, '127.0.0.1')).toBe('open')
    expect(admitted.at(-1)).toBe('remote: view run navigate replay')

    const port = await freePort()
    let permissions: readonly string[] = []
    const insecure = await openFrontDoor({
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
    await insecure.close()
  })

  test("leaves Slidev's development server to the author", async () => {
    const port = await freePort()
    const developing = await openFrontDoor({
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
    await developing.close()
  })

  test('says so where the machine has no such address, and holds no port then', async () => {
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
    await expect(open()).rejects.toThrow('This machine has no address 198.51.100.7')
    await (await openFrontDoor({ port, token, deck: { request: () => {} }, onSocket: () => {} })).close()
  })
})
