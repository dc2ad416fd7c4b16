import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { type ClientMessage, serverMessage, SOCKET_PATH } from '../../shared/protocol/talk.ts'
import { decodeFrame } from '../../shared/protocol/frame.ts'

/**
 * The log of a talk as it was given: what a window of the audience was told, with its timing, secrets masked as they are there. JSON, a line
 * each: a header, and then `[milliseconds since the first line, message]`.
 */

export const logHeader = z.strictObject({
  version: z.literal(1),
  kind: z.literal('understudy-talk'),
  title: z.string(),
  /** When it began (ISO 8601). */
  date: z.iso.datetime(),
  /** Version of the deck's text. */
  deck: z.string(),
})
export type LogHeader = z.infer<typeof logHeader>

/** Output, which comes to a window as bytes. */
const output = z.strictObject({ type: z.literal('output'), terminal: z.string(), data: z.string() })
export const logLine = z.tuple([z.number().nonnegative(), z.union([output, serverMessage])])
export type LogLine = z.infer<typeof logLine>

export interface TalkLogOptions {
  /** Where it is written, absolute. */
  file: string
  port: number
  /** Of the audience. */
  token: string
  title: string
  /** Version of the deck's text. */
  deck: string
  /** Told once, where the log cannot be written any further; the talk goes on. */
  onProblem: (message: string) => void
}

/** Bytes after which a log ends: a talk has a few, and a flood has no end. */
const LIMIT = 256 << 20

/** Looks at a talk as one of its audience does, and writes down what it sees. */
export class TalkLog {
  private readonly options: TalkLogOptions
  private readonly out: WriteStream
  private readonly socket: WebSocket
  private readonly began = performance.now()
  /** By channel: the terminal, what was seen of it, and the rest of a character. */
  private readonly channels = new Map<number, { terminal: string; bytes: number; decoder: StringDecoder }>()
  private readonly attached = new Set<string>()
  private written = 0
  private over = false

  private constructor(options: TalkLogOptions) {
    this.options = options
    const { file, port, token, title, deck } = options
    this.out = createWriteStream(file, { mode: 0o600 })
    this.out.on('error', (error) => this.stop(`The log of the talk could not be written: ${error.message}`))
    this.write({ version: 1, kind: 'understudy-talk', title, date: new Date().toISOString(), deck } satisfies LogHeader)
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${SOCKET_PATH}`, {
      headers: {
        host: `localhost:${port}`,
        origin: `http://localhost:${port}`,
        cookie: `understudy-${port}-audience=${token}`,
      },
    })
    this.socket.on('message', (data: Buffer, isBinary) => (isBinary ? this.output(data) : this.told(String(data))))
    this.socket.on('error', (error) => this.stop(`The log of the talk has ended: ${error.message}`))
    this.socket.on('close', () => this.stop())
  }

  /** Begins to look. To be called once the front door is open. */
  static async open(options: TalkLogOptions): Promise<TalkLog> {
    await mkdir(dirname(options.file), { recursive: true, mode: 0o700 })
    const log = new TalkLog(options)
    await new Promise<void>((done) => log.socket.once('open', done).once('close', done))
    return log
  }

  /** Completes the file. */
  async close(): Promise<void> {
    this.over = true
    this.socket.terminate()
    await new Promise<void>((done) => (this.out.closed ? done() : this.out.once('close', () => done()).end()))
  }

  private told(text: string): void {
    const message = serverMessage.parse(JSON.parse(text))
    if (message.type === 'hello' || message.type === 'deck')
      for (const { name } of message.terminals) {
        if (this.attached.has(name)) continue
        this.attached.add(name)
        this.send({ type: 'attach', terminal: name })
      }
    if (message.type === 'snapshot') {
      for (const [channel, { terminal }] of this.channels)
        if (terminal === message.terminal) this.channels.delete(channel)
      this.channels.set(message.channel, { terminal: message.terminal, bytes: 0, decoder: new StringDecoder('utf8') })
    }
    // Its own alone, or of no film: what it may do, and what the doctor says.
    if (message.type !== 'refused' && message.type !== 'diagnosis' && message.type !== 'turn') this.line(message)
  }

  private output(frame: Buffer): void {
    const { channel, output } = decodeFrame(frame)
    const entry = this.channels.get(channel)
    if (!entry) return
    entry.bytes += output.length
    const data = entry.decoder.write(Buffer.from(output))
    if (data !== '') this.line({ type: 'output', terminal: entry.terminal, data })
    this.send({ type: 'ack', channel, bytes: entry.bytes })
  }

  private send(message: ClientMessage): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
  }

  private line(message: LogLine[1]): void {
    this.write([Math.round(performance.now() - this.began), message] satisfies LogLine)
  }

  private write(value: LogHeader | LogLine): void {
    if (this.over) return
    const text = `${JSON.stringify(value)}\n`
    this.written += text.length
    if (this.written > LIMIT) return this.stop('The log of the talk ends here: it has reached 256 MB.')
    this.out.write(text)
  }

  private stop(problem?: string): void {
    if (this.over) return
    this.over = true
    this.socket?.terminate()
    if (problem !== undefined) this.options.onProblem(problem)
  }
}
