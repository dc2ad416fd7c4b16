import { commandLine } from '../../shared/command-line.ts'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { MAX_CLIENT_MESSAGE_BYTES, SOCKET_PATH } from '../../shared/protocol/talk.ts'
import { type Access, access, type Role, viewOnly } from '../../shared/roles.ts'
import { findPortHolder } from '../environment/ports.ts'
import { describePortHolder } from '../environment/problems.ts'
import type { StepPages } from './step-pages.ts'
import { type GuestRole, sameToken } from './token.ts'

/** The server behind the front door: it serves the built deck, or Slidev's development server. */
export interface DeckServer {
  request: (request: IncomingMessage, response: ServerResponse, access: Access) => void
  /**
   * Takes websockets other than the project's own (Slidev's live reload); absent for a built deck, where they are
   * refused. A development server reads and writes files, so only windows with the permission to type reach one.
   */
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** How the talk is shared with the local network. */
export interface Sharing {
  /** An IPv4 address of this machine. */
  address: string
  /** Give the remote its permissions although others on the network can read its token. */
  insecureRemote: boolean
}

export interface FrontDoorOptions {
  port: number
  /** The presenter's token; absent if there is no presenter. */
  token?: string
  /** The learners, each with the token of their link. Their names tell their windows apart. */
  learners?: readonly { name: string; token: string }[]
  /** The tokens of the guests; absent if there are none. */
  guests?: Record<GuestRole, string>
  /** Absent if only this machine is served. */
  share?: Sharing
  /** `https://<host>`: the public URL of a reverse proxy with TLS on this machine. Links lead there. */
  publicUrl?: string
  /** Serves requests for other hosts of that proxy: the pages of steps. */
  pages?: StepPages
  deck: DeckServer
  onSocket: (socket: WebSocket, access: Access) => void
}

export interface FrontDoor {
  /** The beginning of links: `http://localhost:<port>`, or the public URL of the proxy. */
  origin: string
  /** `http://<address>:<port>`, if the talk is shared with the local network. */
  lanUrl?: string
  close: () => Promise<void>
}

/** A name of a listener: a request must carry this Host, and this Origin if it carries one. */
interface ListenerName {
  host: string
  origin: string
}

/** Addresses that the server listens on, their names, and who may come in there. */
interface ListenerOptions {
  /** All addresses of a name: a program that held the other address of `localhost` would be taken for this server. */
  addresses: string[]
  /** The first name is the listener's own; a second one is that of the proxy in front of it. */
  names: [ListenerName, ...ListenerName[]]
  /** The access of a role, or of a learner's window; undefined if it is not allowed here. */
  admit: (role: Role, learner?: string) => Access | undefined
  /** Serves requests for other hosts. */
  pages?: StepPages
  /** What to do, for users whose request is rejected. */
  hint: string
  limits: { connections: number; sockets: number }
}

/**
 * Connections and websockets at the same time. The network may bring a room full of browsers with six connections each.
 */
const LIMITS = {
  loopback: { connections: Infinity, sockets: Infinity },
  network: { connections: 2000, sockets: 400 },
}

/** Why a remote on the network is view-only. */
export const INSECURE_REMOTE =
  'The page was loaded over plain HTTP, so others on the network could read its token and use it. See docs/sharing.md for a safe way, or start the talk with --insecure-remote.'

/** A response to a request that is rejected. */
interface Rejection {
  status: number
  text: string
}

const builtDeckOnly = (): Rejection => ({
  status: 403,
  text: `During development only the author's windows have access. Give the talk with: ${commandLine('start')}`,
})

/**
 * Opens the one port of the server. Deck, websocket and pages are behind one check of Host, Origin and token.
 *
 * Each listener has exactly one name of its own. The loopback's is `localhost:<port>`; any other Host is a page
 * elsewhere whose name was made to point here (DNS rebinding), or `127.0.0.1`, where a cookie would reach the pages
 * that steps serve. A reverse proxy with TLS sends the proxy's name. On the local network it is `<address>:<port>`; the
 * presenter's token is not accepted there.
 *
 * @throws an Error that names the process that has the port
 */
export async function openFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const { port, share, publicUrl, pages } = options
  const named = (origin: string): ListenerName => ({ host: new URL(origin).host, origin })
  const loopback: ListenerOptions = {
    addresses: ['127.0.0.1', '::1'],
    names: [named(`http://localhost:${port}`), ...(publicUrl === undefined ? [] : [named(publicUrl)])],
    admit: access,
    ...(pages && { pages }),
    hint: 'Open the link that the server printed when it started.',
    limits: LIMITS.loopback,
  }
  const network: ListenerOptions | undefined = share && {
    addresses: [share.address],
    names: [named(`http://${share.address}:${port}`)],
    admit(role) {
      // Both may type, and plain HTTP does not protect what they send.
      if (role === 'presenter' || role === 'learner') return undefined
      return role === 'remote' && !share.insecureRemote ? viewOnly(access(role), INSECURE_REMOTE) : access(role)
    },
    hint: 'Scan the QR code of the talk, or open the link below it.',
    limits: LIMITS.network,
  }
  const listeners: Listener[] = []
  const close = async () => void (await Promise.all(listeners.map((listener) => listener.close())))
  try {
    for (const each of network ? [loopback, network] : [loopback]) {
      const listener = new Listener(each, options)
      listeners.push(listener)
      await listener.open(port)
    }
  } catch (error) {
    await close()
    throw error
  }
  return { origin: publicUrl ?? loopback.names[0].origin, ...(network && { lanUrl: network.names[0].origin }), close }
}

/** The HTTP servers of one listener, and its check of requests. */
class Listener {
  private readonly options: ListenerOptions
  private readonly frontDoor: FrontDoorOptions
  /** The role with most permissions comes first, for a browser that has several tokens. */
  private readonly keys: { role: Role; token: string; learner?: string }[]
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_CLIENT_MESSAGE_BYTES,
    perMessageDeflate: false,
  })
  private readonly servers: Server[] = []
  /** Upgraded connections: the HTTP servers no longer count them as theirs, and would wait for them. */
  private readonly upgraded = new Set<Duplex>()

  constructor(options: ListenerOptions, frontDoor: FrontDoorOptions) {
    this.options = options
    this.frontDoor = frontDoor
    const { token, learners = [], guests } = frontDoor
    this.keys = [
      ...(token === undefined ? [] : [{ role: 'presenter' as const, token }]),
      ...learners.map((learner) => ({ role: 'learner' as const, token: learner.token, learner: learner.name })),
      ...(['remote', 'audience'] as const).flatMap((role) => (guests ? [{ role, token: guests[role] }] : [])),
    ]
  }

  /** @throws an Error that says why the port cannot be used, and what to do */
  async open(port: number): Promise<void> {
    const { addresses, limits } = this.options
    for (const address of addresses) {
      const server = createServer(this.onRequest).on('upgrade', this.onUpgrade)
      if (Number.isFinite(limits.connections)) server.maxConnections = limits.connections
      const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
        server.once('error', resolve)
        server.listen({ port, host: address, exclusive: true }, () => resolve(undefined))
      })
      if (!error) this.servers.push(server)
      // A machine without IPv6 has one of the two loopback addresses.
      else if (addresses.length === 1 || !['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(error.code ?? ''))
        throw new Error(await describeListenError(error, port, address))
    }
  }

  async close(): Promise<void> {
    for (const socket of this.upgraded) socket.destroy()
    await Promise.all(
      this.servers.map((server) => {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(resolve))
      }),
    )
  }

  private readonly onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { names, pages } = this.options
    const { deck } = this.frontDoor
    const name = this.nameOf(request)
    if (!name && pages?.matches(request)) return pages.request(request, response)
    response.setHeader('Referrer-Policy', 'no-referrer')
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('X-Frame-Options', 'SAMEORIGIN')
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')

    const url = urlOf(request, name ?? names[0])
    if (!url) return reject(response, { status: 400, text: 'Malformed URL.' })
    if (name && request.method === 'GET' && this.exchangeToken(url, name, response)) return
    const checked = this.check(request)
    if ('status' in checked) return reject(response, checked)
    if (deck.upgrade && !checked.permissions.includes('type')) return reject(response, builtDeckOnly())
    deck.request(request, response, checked)
  }

  private readonly onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    this.upgraded.add(socket)
    socket.on('close', () => this.upgraded.delete(socket))
    const { pages, limits, names } = this.options
    const { deck, onSocket } = this.frontDoor

    const name = this.nameOf(request)
    if (!name && pages?.matches(request)) return pages.upgrade(request, socket, head)
    // Browsers always send the Origin of a websocket.
    if (request.headers.origin !== (name ?? names[0]).origin)
      return rejectUpgrade(socket, { status: 403, text: 'The Origin is missing or does not match.' })
    const checked = this.check(request)
    if ('status' in checked) return rejectUpgrade(socket, checked)
    const url = urlOf(request, name ?? names[0])
    if (url?.pathname === SOCKET_PATH) {
      if (this.sockets.clients.size >= limits.sockets)
        return rejectUpgrade(socket, { status: 503, text: 'Too many connections.' })
      // A presenter's window that shows one learner. Whether that learner exists is checked by the server of the talk.
      const learner = checked.role === 'presenter' ? url.searchParams.get('learner') : null
      const admitted = learner === null ? checked : access('instructor', learner)
      return this.sockets.handleUpgrade(request, socket, head, (opened) => onSocket(opened, admitted))
    }
    if (!deck.upgrade) return rejectUpgrade(socket, { status: 404, text: 'There is no websocket at this path.' })
    if (!checked.permissions.includes('type')) return rejectUpgrade(socket, builtDeckOnly())
    deck.upgrade(request, socket, head)
  }

  /** Exchanges the token of a link for a cookie. @returns whether the request is answered */
  private exchangeToken(url: URL, name: ListenerName, response: ServerResponse): boolean {
    const token = url.searchParams.get('token')
    const admitted = token === null ? undefined : this.accessBy(() => token)
    if (token === null || !admitted) return false
    url.searchParams.delete('token')
    // Links to an audience or a learner are followed from other sites, such as a chat. Their cookie is sent when the
    // user opens a page, not with requests of another page, and opening a page changes nothing.
    const sameSite = admitted.role === 'audience' || admitted.role === 'learner' ? 'Lax' : 'Strict'
    const secure = name.origin.startsWith('https:') ? '; Secure' : ''
    response
      .writeHead(303, {
        Location: url.pathname + url.search,
        'Set-Cookie': `${this.cookieOf(admitted.role, name)}=${token}; HttpOnly; SameSite=${sameSite}; Path=/${secure}`,
      })
      .end()
    return true
  }

  /** The access of a request, or why it is rejected. */
  private check(request: IncomingMessage): Access | Rejection {
    const { names, hint } = this.options
    const { origin, cookie = '' } = request.headers
    const name = this.nameOf(request)
    if (!name)
      return {
        status: 421,
        text: `This server answers only to ${names.map((each) => each.origin).join(' and ')}. ${hint}`,
      }
    if (origin !== undefined && origin !== name.origin)
      return { status: 403, text: `Requests from ${origin.slice(0, 100)} are not allowed.` }
    const admitted = this.accessBy(
      (role) => new RegExp(`(?:^|;\\s*)${this.cookieOf(role, name)}=([^;]*)`).exec(cookie)?.[1],
    )
    return admitted ?? { status: 401, text: `The access token is missing or wrong. ${hint}` }
  }

  /** The access that a token gives here. */
  private accessBy(tokenFor: (role: Role) => string | undefined): Access | undefined {
    for (const { role, token, learner } of this.keys) {
      const given = tokenFor(role)
      const admitted = given && sameToken(token, given) ? this.options.admit(role, learner) : undefined
      if (admitted) return admitted
    }
    return undefined
  }

  /**
   * Cookies ignore ports, so two decks on one machine need two names. With TLS the prefix keeps other hosts of the
   * domain from setting it.
   */
  private cookieOf(role: Role, { origin }: ListenerName): string {
    const prefix = origin.startsWith('https:') ? '__Host-' : ''
    return `${prefix}understudy-${this.frontDoor.port}${role === 'presenter' ? '' : `-${role}`}`
  }

  private nameOf({ headers: { host } }: IncomingMessage): ListenerName | undefined {
    return this.options.names.find((name) => name.host === host)
  }
}

function urlOf({ url = '' }: IncomingMessage, { origin }: ListenerName): URL | undefined {
  return URL.canParse(url, origin) ? new URL(url, origin) : undefined
}

function reject(response: ServerResponse, { status, text }: Rejection): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}

function rejectUpgrade(socket: Duplex, { status, text }: Rejection): void {
  const headers = `Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close`
  socket.end(`HTTP/1.1 ${status} Refused\r\n${headers}\r\n\r\n${text}`)
}

async function describeListenError(error: NodeJS.ErrnoException, port: number, address: string): Promise<string> {
  switch (error.code) {
    case 'EADDRINUSE':
      return `${describePortHolder(port, await findPortHolder(port))}, or choose another: ${commandLine('start', '--port', String(port + 1))}`
    case 'EADDRNOTAVAIL':
      return `This machine does not have the address ${address}. List its addresses: ip address`
    default:
      return `Cannot listen on port ${port} of ${address}: ${error.message}. Choose another: ${commandLine('start', '--port', '4030')}`
  }
}
