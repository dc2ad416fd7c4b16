import { WebSocket } from 'ws'
import { type ClientMessage, type ServerMessage, serverMessage, SOCKET_PATH } from '../shared/protocol/talk.ts'
import { decodeFrame } from '../shared/protocol/frame.ts'

/** Access to a server: its origin, and the cookie that was received for its link. */
export interface Ticket {
  origin: string
  cookie: string
}

/** Exchanges the link that a server prints for a cookie, as a browser does. */
export async function logIn(link: string): Promise<Ticket> {
  const response = await fetch(link, { redirect: 'manual' })
  await response.arrayBuffer()
  const cookie = response.headers.get('set-cookie')?.split(';')[0]
  if (cookie === undefined) throw new Error(`${link} set no cookie (status ${response.status}).`)
  return { origin: new URL(link).origin, cookie }
}

type HelloMessage = Extract<ServerMessage, { type: 'hello' }>

/** Opens a connection for the server's first message, which lists the deck's steps. */
export async function receiveHello({ origin, cookie }: Ticket): Promise<HelloMessage> {
  const { host } = new URL(origin)
  const socket = new WebSocket(`ws://${host}${SOCKET_PATH}`, { headers: { host, origin, cookie } })
  try {
    return await new Promise<HelloMessage>((resolve, reject) => {
      socket.once('error', reject)
      socket.once('message', (data) => {
        const message = serverMessage.parse(JSON.parse(String(data)))
        if (message.type === 'hello') resolve(message)
        else reject(new Error(`The server's first message was "${message.type}" instead of "hello".`))
      })
    })
  } finally {
    socket.terminate()
  }
}

export interface ViewerOptions {
  ticket: Ticket
  terminal: string
  /** Unlimited by default. */
  bytesDrawnPerSecond?: number
  /** Receives each piece of output once it is drawn. */
  onDrawn?: (text: string) => void
}

interface Acknowledgment {
  channel: number
  bytes: number
}

/** A viewer without a browser. Simulates drawing by waiting, and acknowledges drawn output. */
export class Viewer {
  /** Screen snapshots received so far. */
  snapshots = 0
  readonly socket: WebSocket
  private readonly options: ViewerOptions
  private readonly channels = new Map<number, { received: number }>()
  private readonly pendingTexts = new Set<{ text: string; resolve: () => void }>()
  private resolveSnapshot: (() => void) | undefined
  /** `performance.now()` at which the whole queue will be drawn. */
  private busyUntil = 0
  /** End of the drawn output, to find a text that is split between two messages. */
  private tail = ''
  private readonly queue: { text: string; drawnAt: number; ack?: Acknowledgment }[] = []
  private timer: NodeJS.Timeout | undefined

  private constructor(socket: WebSocket, options: ViewerOptions) {
    this.socket = socket
    this.options = options
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) return this.receive(serverMessage.parse(JSON.parse(String(data))))
      const { channel, output } = decodeFrame(data)
      const entry = this.channels.get(channel)
      if (!entry) return
      entry.received += output.length
      this.draw(Buffer.from(output.buffer, output.byteOffset, output.length).toString('latin1'), {
        channel,
        bytes: entry.received,
      })
    })
  }

  /** @returns the viewer once it has received the terminal's screen */
  static async open(options: ViewerOptions): Promise<Viewer> {
    const { origin, cookie } = options.ticket
    const { hostname, port, host } = new URL(origin)
    const socket = new WebSocket(`ws://${hostname}:${port}${SOCKET_PATH}`, {
      headers: { host, origin, cookie },
      perMessageDeflate: false,
    })
    const viewer = new Viewer(socket, options)
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.once('open', () => resolve())
    })
    const snapshot = new Promise<void>((resolve) => (viewer.resolveSnapshot = resolve))
    viewer.send({ type: 'attach', terminal: options.terminal })
    await snapshot
    return viewer
  }

  send(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message))
  }

  type(data: string): void {
    this.send({ type: 'input', terminal: this.options.terminal, data })
  }

  /** Resolves when the text is drawn as part of output that is drawn after this call. */
  waitFor(text: string): Promise<void> {
    this.tail = ''
    return new Promise((resolve) => this.pendingTexts.add({ text, resolve }))
  }

  async close(): Promise<void> {
    clearTimeout(this.timer)
    const closed = new Promise((resolve) => this.socket.once('close', resolve))
    this.socket.terminate()
    await closed
  }

  private receive(message: ServerMessage): void {
    if (message.type !== 'snapshot') return
    this.snapshots++
    this.channels.clear()
    this.channels.set(message.channel, { received: 0 })
    this.tail = ''
    this.draw(message.data)
    this.resolveSnapshot?.()
  }

  private draw(text: string, ack?: Acknowledgment): void {
    const { bytesDrawnPerSecond } = this.options
    if (bytesDrawnPerSecond === undefined) return this.finishDrawing(text, ack)
    this.busyUntil = Math.max(this.busyUntil, performance.now()) + (text.length / bytesDrawnPerSecond) * 1000
    this.queue.push({ text, drawnAt: this.busyUntil, ...(ack && { ack }) })
    this.timer ??= setTimeout(() => this.drawQueue(), 1)
  }

  private drawQueue(): void {
    const now = performance.now()
    for (let next = this.queue[0]; next && next.drawnAt <= now; next = this.queue[0]) {
      this.queue.shift()
      this.finishDrawing(next.text, next.ack)
    }
    this.timer = this.queue.length > 0 ? setTimeout(() => this.drawQueue(), 1) : undefined
  }

  private finishDrawing(text: string, ack?: Acknowledgment): void {
    if (ack && this.socket.readyState === this.socket.OPEN) this.send({ type: 'ack', ...ack })
    this.options.onDrawn?.(text)
    if (this.pendingTexts.size === 0) return
    const drawn = this.tail + text
    for (const pending of this.pendingTexts) {
      if (!drawn.includes(pending.text)) continue
      this.pendingTexts.delete(pending)
      pending.resolve()
    }
    this.tail = drawn.slice(-64)
  }
}
