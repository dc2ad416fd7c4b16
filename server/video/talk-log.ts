import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { WebSocket } from 'ws'
import { decodeFrame } from '../../shared/protocol/frame.ts'
import { type ClientMessage, serverMessage, SOCKET_PATH } from '../../shared/protocol/talk.ts'
import { VideoError } from './failures.ts'
import type { LogHeader, LogLine, LogMessage } from './talk-log-format.ts'

export interface TalkLogOptions {
  /** The output file, absolute. */
  file: string
  /** The port of the talk's server. */
  port: number
  /** The access token of the audience. */
  token: string
  title: string
  /** The version of the deck's text. */
  deck: string
  /** Called at most once, if the log ends early. The talk is not affected. */
  onFailure: (error: VideoError) => void
}

/** A talk of one hour uses a few MiB; only endless output reaches this limit. */
const MAX_LOG_BYTES = 256 << 20

/**
 * Writes the log of a talk: connects to the server like an audience window and records the messages that it receives.
 */
export class TalkLog {
  private readonly options: TalkLogOptions
  private readonly out: WriteStream
  private readonly socket: WebSocket
  private readonly startTime = performance.now()
  /** Terminals by channel, with the number of bytes received and a decoder that holds incomplete characters. */
  private readonly channels = new Map<number, { terminal: string; bytes: number; decoder: StringDecoder }>()
  private readonly attached = new Set<string>()
  private writtenBytes = 0
  private isClosed = false

  private constructor(options: TalkLogOptions) {
    this.options = options
    const { file, port, token, title, deck } = options
    this.out = createWriteStream(file, { mode: 0o600 })
    this.out.on('error', ({ message }) => this.fail(new VideoError({ kind: 'log-write-failed', reason: message })))
    this.write({ version: 1, kind: 'understudy-talk', title, date: new Date().toISOString(), deck } satisfies LogHeader)
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${SOCKET_PATH}`, {
      headers: {
        host: `localhost:${port}`,
        origin: `http://localhost:${port}`,
        cookie: `understudy-${port}-audience=${token}`,
      },
    })
    this.socket.on('message', (data: Buffer, isBinary) =>
      isBinary ? this.handleFrame(data) : this.handleMessage(String(data)),
    )
    this.socket.on('error', ({ message }) => this.fail(new VideoError({ kind: 'log-disconnected', reason: message })))
    this.socket.on('close', () => this.stop())
  }

  /** Starts logging. The server must be listening. */
  static async open(options: TalkLogOptions): Promise<TalkLog> {
    await mkdir(dirname(options.file), { recursive: true, mode: 0o700 })
    const log = new TalkLog(options)
    await new Promise<void>((resolve) => log.socket.once('open', resolve).once('close', resolve))
    return log
  }

  /** Stops logging. Resolves when the file is complete. */
  async close(): Promise<void> {
    this.stop()
    await new Promise<void>((resolve) => (this.out.closed ? resolve() : this.out.once('close', () => resolve()).end()))
  }

  private handleMessage(text: string): void {
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
    // Not logged: messages that concern only this connection or have no visible effect.
    if (message.type !== 'refused' && message.type !== 'diagnosis' && message.type !== 'turn') this.writeLine(message)
  }

  private handleFrame(frame: Buffer): void {
    const { channel, output } = decodeFrame(frame)
    const entry = this.channels.get(channel)
    if (!entry) return
    entry.bytes += output.length
    const data = entry.decoder.write(Buffer.from(output))
    if (data !== '') this.writeLine({ type: 'output', terminal: entry.terminal, data })
    this.send({ type: 'ack', channel, bytes: entry.bytes })
  }

  private send(message: ClientMessage): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
  }

  private writeLine(message: LogMessage): void {
    this.write([Math.round(performance.now() - this.startTime), message] satisfies LogLine)
  }

  private write(value: LogHeader | LogLine): void {
    if (this.isClosed) return
    const line = `${JSON.stringify(value)}\n`
    this.writtenBytes += Buffer.byteLength(line)
    if (this.writtenBytes > MAX_LOG_BYTES)
      return this.fail(new VideoError({ kind: 'log-too-large', maxBytes: MAX_LOG_BYTES }))
    this.out.write(line)
  }

  private fail(error: VideoError): void {
    if (this.isClosed) return
    this.stop()
    this.options.onFailure(error)
  }

  private stop(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.socket.terminate()
  }
}
