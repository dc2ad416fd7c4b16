import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { describeHolder } from '../environment/ports.ts'
import { MAX_CLIENT_MESSAGE_BYTES, SOCKET_PATH } from '../../shared/protocol/talk.ts'
import { type Role } from '../../shared/roles.ts'
import { type Access, access, viewOnly } from '../../shared/roles.ts'
import type { StepPages } from './step-pages.ts'
import { type GuestRole, sameToken } from './token.ts'

/** What answers behind the front door once a request is let in: the built deck, or Slidev's development server. */
export interface DeckServer {
  request: (request: IncomingMessage, response: ServerResponse, access: Access) => void
  /**
   * Websockets other than the project's own (Slidev's live reload). Absent: refused. A server that has them is one for development, which
   * reads and writes files: only who may type is let through to it.
   */
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** How the talk is shared with the local network. */
export interface Sharing {
  /** An IPv4 address of this machine. */
  address: string
  /** Gives the remote its permissions although whoever listens on the network can read its token. */
  insecureRemote: boolean
}

export interface FrontDoorOptions {
  port: number
  /** The presenter's; absent: there is none. */
  token?: string
  /** Each with a name of their own, by which their windows are told apart. */
  learners?: readonly { name: string; token: string }[]
  /** The tokens of the other roles; absent: nobody else is let in. */
  guests?: Record<GuestRole, string>
  /** Absent: only this machine is served. */
  share?: Sharing
  /** `https://<host>`: where a proxy on this machine serves it to others, with TLS. The links lead there. */
  at?: string
  /** What answers requests to other names of that proxy: the pages of steps. */
  pages?: StepPages
  deck: DeckServer
  onSocket: (socket: WebSocket, access: Access) => void
}

export interface FrontDoor {
  /** What links begin with: `http://localhost:<port>`, or where a proxy serves it. */
  origin: string
  /** `http://<address>:<port>`, where the local network is served. */
  shared?: string
  close: () => Promise<void>
}

/** What an entrance is called: a request must say the one and come from the other. */
interface Name {
  host: string
  origin: string
}

/** Where requests come in: addresses, what they are called, and who may come in there. */
interface Listener {
  /** `localhost` has two addresses: whoever held the other one would be taken for this server. */
  addresses: string[]
  /** The first is its own; another is that of a proxy in front of it. */
  names: [Name, ...Name[]]
  /** What a role, or the window of a learner, may do here; undefined where it is not let in. */
  admit: (role: Role, learner?: string) => Access | undefined
  /** What answers to names that are not its own. */
  pages?: StepPages
  /** Says to who is not let in what to do. */
  hint: string
  /** Connections and websockets at the same time. */
  room: { connections: number; sockets: number }
}

/** On this machine nobody needs more; on the network a hall full of browsers, with six connections each, and no more. */
const ROOM = { loopback: { connections: Infinity, sockets: Infinity }, network: { connections: 2000, sockets: 400 } }

/** Why a remote on the network only looks. */
export const INSECURE_REMOTE =
  'This page came over plain HTTP: others on the network could read its token and act with it. See docs/sharing.md for a safe way, or start the talk with --insecure-remote.'

/**
 * Opens the one port of the server: deck, websocket and pages behind one check of Host, Origin and token.
 *
 * Each entrance has exactly one name. `localhost:<port>` is the loopback's: any other Host is a page elsewhere whose name was made to point
 * here (DNS rebinding), or `127.0.0.1`, where a cookie would reach the pages that steps serve. A proxy with TLS in front of it brings
 * requests that say the proxy's name. The local network, where it is served, has `<address>:<port>`, where the presenter's token is worth
 * nothing.
 *
 * @throws an Error that names the process which holds the port
 */
export async function openFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const { port, share, at } = options
  const named = (origin: string): Name => ({ host: new URL(origin).host, origin })
  const loopback: Listener = {
    addresses: ['127.0.0.1', '::1'],
    names: [named(`http://localhost:${port}`), ...(at === undefined ? [] : [named(at)])],
    admit: access,
    ...(options.pages && { pages: options.pages }),
    hint: 'Open the link that the server printed when it started.',
    room: ROOM.loopback,
  }
  const network: Listener | undefined = share && {
    addresses: [share.address],
    names: [named(`http://${share.address}:${port}`)],
    admit(role) {
      // Both can type: what they send would have to be sealed.
      if (role === 'presenter' || role === 'learner') return undefined
      return role === 'remote' && !share.insecureRemote ? viewOnly(access(role), INSECURE_REMOTE) : access(role)
    },
    hint: 'Scan the QR code of the talk, or open the link below it.',
    room: ROOM.network,
  }
  const opened: (() => Promise<void>)[] = []
  const close = async () => void (await Promise.all(opened.map((end) => end())))
  try {
    opened.push(await openEntrance(loopback, options))
    if (network) opened.push(await openEntrance(network, options))
  } catch (error) {
    await close()
    throw error
  }
  return { origin: at ?? loopback.names[0].origin, ...(network && { shared: network.names[0].origin }), close }
}

/** @returns what closes it */
async function openEntrance(
  { addresses, names, admit, pages, hint, room }: Listener,
  { port, token, learners = [], guests, deck, onSocket }: FrontDoorOptions,
): Promise<() => Promise<void>> {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_CLIENT_MESSAGE_BYTES,
    perMessageDeflate: false,
  })
  // The mightiest first, for a browser that has several.
  const keys: { role: Role; token: string; learner?: string }[] = [
    ...(token === undefined ? [] : [{ role: 'presenter' as const, token }]),
    ...learners.map(({ name, token }) => ({ role: 'learner' as const, token, learner: name })),
    ...(['remote', 'audience'] as const).flatMap((role) => (guests ? [{ role, token: guests[role] }] : [])),
  ]
  // Cookies know no ports: two decks on one machine need two names. With TLS they get a name that no other host of the same domain can set.
  const cookieOf = (role: Role, { origin }: Name) =>
    `${origin.startsWith('https:') ? '__Host-' : ''}understudy-${port}${role === 'presenter' ? '' : `-${role}`}`

  /** What the one with a token may do here. */
  const accessBy = (given: (role: Role) => string | undefined | null): Access | undefined => {
    for (const { role, token, learner } of keys) {
      const text = given(role)
      const admitted = text && sameToken(token, text) ? admit(role, learner) : undefined
      if (admitted) return admitted
    }
    return undefined
  }
  const accessOf = ({ headers: { cookie = '' } }: IncomingMessage, name: Name) =>
    accessBy((role) => new RegExp(`(?:^|;\\s*)${cookieOf(role, name)}=([^;]*)`).exec(cookie)?.[1])

  /** What this entrance is called by who sends a request. */
  const nameOf = ({ headers: { host } }: IncomingMessage) => names.find((name) => name.host === host)

  /** What a request may do, or why it is not let in. */
  const check = (request: IncomingMessage): Access | { status: number; text: string } => {
    const name = nameOf(request)
    if (!name)
      return {
        status: 421,
        text: `This server is ${names.map(({ origin }) => origin).join(' or ')} and nothing else. ${hint}`,
      }
    if (request.headers.origin !== undefined && request.headers.origin !== name.origin)
      return { status: 403, text: `Requests from ${request.headers.origin.slice(0, 100)} are not let in.` }
    return accessOf(request, name) ?? { status: 401, text: `The access token is missing or wrong. ${hint}` }
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const name = nameOf(request)
    if (!name && pages?.takes(request)) return pages.request(request, response)
    response.setHeader('Referrer-Policy', 'no-referrer')
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('X-Frame-Options', 'SAMEORIGIN')
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')

    const { origin } = name ?? names[0]
    if (!URL.canParse(request.url ?? '', origin)) {
      response
        .writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8' })
        .end('That is no address of this server.\n')
      return
    }
    const url = new URL(request.url ?? '', origin)
    const given = url.searchParams.get('token')
    const entering = given !== null && request.method === 'GET' && name ? accessBy(() => given) : undefined
    if (entering) {
      url.searchParams.delete('token')
      // A link that was sent in a message is followed from another site. The cookie is then sent with what is opened, never with what another
      // page asks for; and nothing is done by opening a page.
      const sameSite = entering.role === 'audience' || entering.role === 'learner' ? 'Lax' : 'Strict'
      response.setHeader(
        'Set-Cookie',
        `${cookieOf(entering.role, name ?? names[0])}=${given}; HttpOnly; SameSite=${sameSite}; Path=/${origin.startsWith('https:') ? '; Secure' : ''}`,
      )
      response.writeHead(303, { Location: url.pathname + url.search }).end()
      return
    }
    const checked = check(request)
    const refused =
      'status' in checked ? checked : deck.upgrade && !checked.permissions.includes('type') ? ONLY_BUILT : undefined
    if (refused)
      response.writeHead(refused.status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${refused.text}\n`)
    else if ('permissions' in checked) deck.request(request, response, checked)
  }

  /** Connections that were upgraded: the HTTP server no longer counts them as its own, and would wait for them. */
  const upgraded = new Set<Duplex>()
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    upgraded.add(socket)
    socket.on('close', () => upgraded.delete(socket))
    const refuse = ({ status, text }: { status: number; text: string }) =>
      socket.end(
        `HTTP/1.1 ${status} Refused\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
      )

    if (!nameOf(request) && pages?.takes(request)) return pages.upgrade(request, socket, head)
    // A browser always says where a websocket comes from; what does not is no browser of ours.
    const { origin } = nameOf(request) ?? names[0]
    if (request.headers.origin !== origin) return refuse({ status: 403, text: 'The Origin is missing or foreign.' })
    const checked = check(request)
    if ('status' in checked) return refuse(checked)
    const path = URL.canParse(request.url ?? '', origin) ? new URL(request.url ?? '', origin).pathname : ''
    if (path === SOCKET_PATH) {
      if (sockets.clients.size >= room.sockets) return refuse({ status: 503, text: 'The hall is full.' })
      // A window of the presenter's that looks at a learner says so; whether there is that learner is not known here.
      const learner =
        checked.role === 'presenter' ? new URL(request.url ?? '', origin).searchParams.get('learner') : null
      const admitted = learner === null ? checked : access('instructor', learner)
      return sockets.handleUpgrade(request, socket, head, (opened) => onSocket(opened, admitted))
    }
    if (!deck.upgrade) return refuse({ status: 404, text: 'There is no websocket here.' })
    if (!checked.permissions.includes('type')) return refuse(ONLY_BUILT)
    deck.upgrade(request, socket, head)
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
  for (const address of addresses) {
    const server = createServer(onRequest).on('upgrade', onUpgrade)
    if (Number.isFinite(room.connections)) server.maxConnections = room.connections
    const error = await new Promise<NodeJS.ErrnoException | undefined>((done) => {
      server.once('error', done)
      server.listen({ port, host: address, exclusive: true }, () => done(undefined))
    })
    if (!error) {
      servers.push(server)
      continue
    }
    if (addresses.length > 1 && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')) continue
    await close()
    if (error.code === 'EADDRINUSE')
      throw new Error(`${await describeHolder(port)}, or choose another: npm start -- --port ${port + 1}`)
    if (error.code === 'EADDRNOTAVAIL')
      throw new Error(`This machine has no address ${address}. See what it has: ip address`)
    throw new Error(
      `Cannot listen on port ${port} of ${address}: ${error.message}. Choose another: npm start -- --port 4030`,
    )
  }
  return close
}

const ONLY_BUILT = {
  status: 403,
  text: "While the talk is written only its author's windows are let in. Give it by npm start.",
}
