import { StringDecoder } from 'node:string_decoder'
import { Redactor } from './redaction.ts'
import { Broadcast, type BroadcastOptions, type Viewer } from './broadcast.ts'

/** Milliseconds without output after which what may be the beginning of a secret is shown as far as it tells nothing: a key that was typed. */
const QUIET = 30

/** A stream of terminal output without its secrets: one for all viewers who may not see them, with a screen of its own. */
export class RedactedBroadcast {
  private readonly secrets: readonly string[]
  private readonly broadcast: Broadcast
  private redactor: Redactor
  private decoder = new StringDecoder('utf8')
  private quiet: NodeJS.Timeout | undefined

  /** @param secrets see Redactor */
  constructor(options: Omit<BroadcastOptions, 'onReply'>, secrets: readonly string[]) {
    this.secrets = secrets
    this.redactor = new Redactor(secrets)
    // The session's own screen is the one that answers programs.
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

  /** @param bytes not cut within a character */
  write(bytes: Uint8Array): void {
    this.show(this.redactor.feed(this.decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))))
    clearTimeout(this.quiet)
    this.quiet = setTimeout(() => this.show(this.redactor.peek()), QUIET).unref()
  }

  clear(): void {
    clearTimeout(this.quiet)
    this.redactor = new Redactor(this.secrets)
    this.broadcast.clear()
  }

  dispose(): void {
    clearTimeout(this.quiet)
    this.broadcast.dispose()
  }

  private show(text: string): void {
    if (text !== '') this.broadcast.write(Buffer.from(text))
  }
}
