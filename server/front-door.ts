import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { describeHolder } from './ports.ts'
import { MAX_CLIENT_MESSAGE, SOCKET_PATH } from './protocol.ts'
import { sameToken } from './token.ts'

/** What answers behind the front door once a request is let in: the built deck, or Slidev's development server. */
export interface DeckServer {
  request(request: IncomingMessage, response: ServerResponse): void
  /** Websockets other than the project's own (Slidev's live reload). Absent: refused. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

export interface FrontDoorOptions {
  port: number
  token: string
  deck: DeckServer
  onSocket(socket: WebSocket): void
}

export interface FrontDoor {
  /** `http://localhost:<port>` */
  origin: string
  close(): Promise<void>
}

/**
 * Opens the one port of the server: deck, websocket and pages behind one check of Host, Origin and token.
 *
 * Only `localhost:<port>` is a name of this server: any other Host is a page elsewhere whose name was made to point here
 * (DNS rebinding), or `127.0.0.1`, where a cookie would reach the pages that steps serve.
 *
 * @throws an Error that names the process which holds the port
 */
export async function openFrontDoor({ port, token, deck, onSocket }: FrontDoorOptions): Promise<FrontDoor> {
  const host = `localhost:${port}`
  const origin = `http://${host}`
  // Cookies know no ports: two decks on one machine need two names.
  const cookie = `understudy-${port}`
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_CLIENT_MESSAGE, perMessageDeflate: false })

  const hasToken = (request: IncomingMessage) => {
    const given = new RegExp(`(?:^|;\\s*)${cookie}=([^;]*)`).exec(request.headers.cookie ?? '')?.[1]
    return given !== undefined && sameToken(token, given)
  }

  /** Why a request is not let in, or undefined. */
  const refusal = (request: IncomingMessage): { status: number; text: string } | undefined => {
    if (request.headers.host !== host)
      return { status: 421, text: `This server is ${origin} and nothing else. Open the link that it printed when it started.` }
    if (request.headers.origin !== undefined && request.headers.origin !== origin)
      return { status: 403, text: `Requests from ${request.headers.origin.slice(0, 100)} are not let in.` }
    if (!hasToken(request))
      return { status: 401, text: 'The access token is missing or wrong. Open the link that the server printed when it started.' }
    return undefined
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Referrer-Policy', 'no-referrer')
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('X-Frame-Options', 'SAMEORIGIN')
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')

    if (!URL.canParse(request.url ?? '', origin)) {
      response.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8' }).end('That is no address of this server.\n')
      return
    }
    const url = new URL(request.url ?? '', origin)
    const given = url.searchParams.get('token')
    if (given !== null && request.method === 'GET' && request.headers.host === host && sameToken(token, given)) {
      url.searchParams.delete('token')
      response.setHeader('Set-Cookie', `${cookie}=${token}; HttpOnly; SameSite=Strict; Path=/`)
      response.writeHead(303, { Location: url.pathname + url.search }).end()
      return
    }
    const refused = refusal(request)
    if (refused) response.writeHead(refused.status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${refused.text}\n`)
    else deck.request(request, response)
  }

  /** Connections that were upgraded: the HTTP server no longer counts them as its own, and would wait for them. */
  const upgraded = new Set<Duplex>()
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    upgraded.add(socket)
    socket.on('close', () => upgraded.delete(socket))
    // A browser always says where a websocket comes from; what does not is no browser of ours.
    const refused = request.headers.origin === origin ? refusal(request) : { status: 403, text: 'The Origin is missing or foreign.' }
    const path = URL.canParse(request.url ?? '', origin) ? new URL(request.url ?? '', origin).pathname : ''
    if (refused || (path !== SOCKET_PATH && !deck.upgrade)) {
      const { status, text } = refused ?? { status: 404, text: 'There is no websocket here.' }
      socket.end(`HTTP/1.1 ${status} Refused\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`)
    } else if (path === SOCKET_PATH) sockets.handleUpgrade(request, socket, head, onSocket)
    else deck.upgrade?.(request, socket, head)
  }

  const servers: Server[] = []
  const close = async () => {
    for (const socket of upgraded) socket.destroy()
    await Promise.all(
      servers.map((server) => {
        server.closeAllConnections()
        return new Promise((done) => server.close(done))
      }),
    )
  }
  // `localhost` may mean either loopback address: whoever held the other one would be taken for this server.
  for (const address of ['127.0.0.1', '::1']) {
    const server = createServer(onRequest).on('upgrade', onUpgrade)
    const error = await new Promise<NodeJS.ErrnoException | undefined>((done) => {
      server.once('error', done)
      server.listen({ port, host: address, exclusive: true }, () => done(undefined))
    })
    if (!error) {
      servers.push(server)
      continue
    }
    if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') continue
    await close()
    if (error.code === 'EADDRINUSE') throw new Error(`${await describeHolder(port)}, or choose another: npm start -- --port ${port + 1}`)
    throw new Error(`Cannot listen on port ${port}: ${error.message}. Choose another: npm start -- --port 4030`)
  }
  return { origin, close }
}
