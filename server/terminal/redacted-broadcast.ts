import { StringDecoder } from 'node:string_decoder'
import { Broadcast, type BroadcastOptions, type Source, type Viewer } from './broadcast.ts'
import { Redactor } from './redaction.ts'

/**
 * Time without output after which a short held text is shown, although a secret may begin with it. Otherwise, a typed
 * key would not appear until the next one.
 */
const PEEK_DELAY_MS = 30

/** Sends redacted output to all viewers that must not see secrets. They share one redactor and one screen. */
export class RedactedBroadcast implements Source {
  private readonly secrets: readonly string[]
  private readonly broadcast: Broadcast
  private redactor: Redactor
  private readonly decoder = new StringDecoder('utf8')
  private peekTimer: NodeJS.Timeout | undefined

  /** @param secrets the values to redact, see Redactor */
  constructor(options: Omit<BroadcastOptions, 'onReply'>, secrets: readonly string[]) {
    this.secrets = secrets
    this.redactor = new Redactor(secrets)
    // Only the screen of the unredacted output replies to programs.
    this.broadcast = new Broadcast({ ...options, onReply: () => {} })
  }

  attach(viewer: Viewer): number {
    return this.broadcast.attach(viewer)
  }

  detach(handle: number): void {
    this.broadcast.detach(handle)
  }

  ack(channel: number, bytes: number): void {
    this.broadcast.ack(channel, bytes)
  }

  /** @param bytes must not end within a character */
  write(bytes: Uint8Array): void {
    this.send(this.redactor.feed(this.decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))))
    clearTimeout(this.peekTimer)
    this.peekTimer = setTimeout(() => this.send(this.redactor.peek()), PEEK_DELAY_MS).unref()
  }

  /** Continues with an empty screen for all viewers. */
  clear(): void {
    clearTimeout(this.peekTimer)
    this.redactor = new Redactor(this.secrets)
    this.broadcast.clear()
  }

  dispose(): void {
    clearTimeout(this.peekTimer)
    this.broadcast.dispose()
  }

  private send(text: string): void {
    if (text !== '') this.broadcast.write(Buffer.from(text))
  }
}
