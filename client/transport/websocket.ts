import { type ClientMessage, CLOSE, serverMessage, SOCKET_PATH } from '../../shared/protocol/talk.ts'
import type { Receive, ReceiveFrame, Transport } from './transport.ts'

/** Delays between attempts to connect, in milliseconds. */
const FIRST_RETRY_MS = 250
const MAX_RETRY_MS = 4000

/** Changes of the connection. */
export interface WebSocketEvents {
  opened: () => void
  closed: () => void
  /** Called if the server and the page speak different versions of the protocol; there may be no other connection. */
  incompatible: () => void
}

/** The connection to the talk's server. Reconnects until the page is left. */
export class WebSocketTransport implements Transport {
  private readonly receive: Receive
  private readonly receiveFrame: ReceiveFrame
  private readonly events: WebSocketEvents
  private socket: WebSocket | undefined
  private retryMs = FIRST_RETRY_MS
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Whether the server has closed the connection because of this page's messages, which a new one would repeat. */
  private isRejected = false

  constructor(receive: Receive, receiveFrame: ReceiveFrame, events: WebSocketEvents) {
    this.receive = receive
    this.receiveFrame = receiveFrame
    this.events = events
  }

  /** Connects now, if there is no connection and none is being opened. */
  open(): void {
    if (this.socket || this.isRejected) return
    clearTimeout(this.timer)
    const socket = new WebSocket(address())
    socket.binaryType = 'arraybuffer'
    this.socket = socket
    socket.onopen = () => {
      this.retryMs = FIRST_RETRY_MS
      this.events.opened()
    }
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data !== 'string') return this.receiveFrame(new Uint8Array(data))
      const message = serverMessage.safeParse(JSON.parse(data))
      if (message.success) this.receive(message.data)
      else this.events.incompatible()
    }
    socket.onclose = ({ code }) => {
      this.socket = undefined
      this.events.closed()
      if (code === CLOSE.malformed) {
        this.isRejected = true
        return this.events.incompatible()
      }
      this.timer = setTimeout(() => this.open(), this.retryMs)
      this.retryMs = Math.min(this.retryMs * 2, MAX_RETRY_MS)
    }
  }

  handle(message: ClientMessage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
  }
}

function address(): URL {
  const url = new URL(SOCKET_PATH, location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  // The instructor's page of one learner requests that learner's terminals.
  const learner = /\/class\/([^/]+)$/.exec(location.pathname)?.[1]
  if (learner !== undefined) url.searchParams.set('learner', learner)
  return url
}
