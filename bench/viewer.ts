import { WebSocket } from 'ws'
import { type ClientMessage, type ServerMessage, serverMessage, SOCKET_PATH } from '../shared/protocol/talk.ts'
import { decodeFrame } from '../shared/protocol/frame.ts'

/** What lets a window in: the origin of a server and the cookie that its link was exchanged for. */
export interface Ticket {
  origin: string
  cookie: string
}

/** Exchanges a link, as the server prints it, for the cookie, as a browser does. */
export async function enter(link: string): Promise<Ticket> {
  const response = await fetch(link, { redirect: 'manual' })
  await response.arrayBuffer()
  const cookie = response.headers.get('set-cookie')?.split(';')[0]
  if (cookie === undefined) throw new Error(`${link} gives no cookie (status ${response.status}).`)
  return { origin: new URL(link).origin, cookie }
}

export interface ViewerOptions {
  ticket: Ticket
  terminal: string
  /** Bytes a second that it can draw; as fast as it comes unless given. */
  drawing?: number
  /** Told what is on its screen now: each piece once it is drawn. */
  onDrawn?: (text: string) => void
}

/** A browser window without the browser: it draws, which here is to wait, and acknowledges what it has drawn. */
export class Viewer {
  /** Since the beginning. */
  snapshots = 0
  bytes = 0
  readonly socket: WebSocket
  private readonly options: ViewerOptions
  private readonly channels = new Map<number, { received: number }>()
  private readonly waiting = new Set<{ text: string; done: () => void }>()
  /** Milliseconds at which it will have drawn what it has. */
  private busyUntil = 0
  /** The end of what it has drawn, for a text that comes in two pieces. */
  private tail = ''
  private readonly queue: { text: string; at: number; ack?: { channel: number; bytes: number } }[] = []
  private timer: NodeJS.Timeout | undefined

  private constructor(socket: WebSocket, options: ViewerOptions) {
    this.socket = socket
    this.options = options
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) return this.told(serverMessage.parse(JSON.parse(String(data))))
      const { channel, output } = decodeFrame(data)
      const entry = this.channels.get(channel)
      if (!entry) return
      entry.received += output.length
      this.bytes += output.length
      this.draw(Buffer.from(output.buffer, output.byteOffset, output.length).toString('latin1'), {
        channel,
        bytes: entry.received,
      })
    })
  }

  /** @returns once it shows the terminal */
  static async open(options: ViewerOptions): Promise<Viewer> {
    const { origin, cookie } = options.ticket
    const { hostname, port, host } = new URL(origin)
    const socket = new WebSocket(`ws://${hostname}:${port}${SOCKET_PATH}`, {
      headers: { host, origin, cookie },
      perMessageDeflate: false,
    })
    const viewer = new Viewer(socket, options)
    await new Promise<void>((done, fail) => {
      socket.once('error', fail)
      socket.once('open', () => done())
    })
    const shown = viewer.nextSnapshot()
    viewer.send({ type: 'attach', terminal: options.terminal })
    await shown
    return viewer
  }

  send(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message))
  }

  type(data: string): void {
    this.send({ type: 'input', terminal: this.options.terminal, data })
  }

  /** Resolves when a text is drawn that was not there when this was called. */
  shows(text: string): Promise<void> {
    this.tail = ''
    return new Promise((done) => this.waiting.add({ text, done }))
  }

  /** Resolves when the whole screen was painted anew. */
  nextSnapshot(): Promise<void> {
    return new Promise((done) => (this.onSnapshot = done))
  }
  private onSnapshot: (() => void) | undefined

  async close(): Promise<void> {
    clearTimeout(this.timer)
    const closed = new Promise((done) => this.socket.once('close', done))
    this.socket.terminate()
    await closed
  }

  private told(message: ServerMessage): void {
    if (message.type !== 'snapshot') return
    this.snapshots++
    this.channels.clear()
    this.channels.set(message.channel, { received: 0 })
    this.tail = ''
    this.draw(message.data)
    this.onSnapshot?.()
  }

  private draw(text: string, ack?: { channel: number; bytes: number }): void {
    const { drawing } = this.options
    if (drawing === undefined) return this.drawn(text, ack)
    this.busyUntil = Math.max(this.busyUntil, performance.now()) + (text.length / drawing) * 1000
    this.queue.push({ text, at: this.busyUntil, ...(ack && { ack }) })
    this.timer ??= setTimeout(() => this.drawDue(), 1)
  }

  private drawDue(): void {
    const now = performance.now()
    for (let next = this.queue[0]; next && next.at <= now; next = this.queue[0]) {
      this.queue.shift()
      this.drawn(next.text, next.ack)
    }
    this.timer = this.queue.length > 0 ? setTimeout(() => this.drawDue(), 1) : undefined
  }

  private drawn(text: string, ack?: { channel: number; bytes: number }): void {
    if (ack && this.socket.readyState === this.socket.OPEN) this.send({ type: 'ack', ...ack })
    this.options.onDrawn?.(text)
    if (this.waiting.size === 0) return
    const seen = this.tail + text
    for (const each of this.waiting) {
      if (!seen.includes(each.text)) continue
      this.waiting.delete(each)
      each.done()
    }
    this.tail = seen.slice(-64)
  }
}
