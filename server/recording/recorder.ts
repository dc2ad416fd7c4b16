import { createWriteStream, type WriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { type CastEvent, EventLines, headerLine } from '../../shared/recording/cast.ts'
import { Redactor } from '../terminal/redaction.ts'

export interface RecorderOptions {
  /** Where it is written, absolute. It is whole only after `finish`. */
  file: string
  command?: string
  title?: string
  /** Values that must not reach the disk. */
  secrets: Iterable<string>
  /** Bytes of output after which only the final screen is added: a flood is no demo. */
  limit?: number
}

const LIMIT = 8 << 20

/** How a recording ended. */
export type Recorded = { seconds: number } | { problem: string }

/**
 * Writes what a session shows as an asciicast, secrets masked before anything reaches the disk. A disk that fails ends the recording and
 * nothing else.
 */
export class Recorder {
  private readonly options: RecorderOptions
  private readonly out: WriteStream
  private readonly lines = new EventLines()
  private readonly decoder = new StringDecoder('utf8')
  private readonly redactor: Redactor
  private started: number | undefined
  private last = 0
  private bytes = 0
  private problem: string | undefined
  /** Markers that come before the first screen. */
  private readonly early: string[] = []

  constructor(options: RecorderOptions) {
    this.options = options
    this.redactor = new Redactor(options.secrets)
    this.out = createWriteStream(options.file, { mode: 0o600 })
    this.out.on('error', (error) => (this.problem ??= `The recording could not be written: ${error.message}`))
  }

  /** The whole screen: the beginning, or a fresh start in between. */
  snapshot(cols: number, rows: number, data: string): void {
    if (this.started === undefined) {
      this.started = performance.now()
      const { command, title } = this.options
      // Commands hold inputs of the user, secrets among them.
      const redact = (text: string) => {
        const redactor = new Redactor(this.options.secrets)
        return redactor.feed(text) + redactor.end()
      }
      this.write(
        headerLine({
          version: 3,
          term: { cols, rows, type: 'xterm-256color' },
          timestamp: Math.floor(Date.now() / 1000),
          ...(command !== undefined && { command: redact(command) }),
          ...(title !== undefined && { title: redact(title) }),
        }),
      )
      this.event('o', this.redactor.feed(data))
      for (const label of this.early.splice(0)) this.event('m', label)
    } else this.event('o', this.redactor.feed(`\u001bc${data}`))
  }

  output(bytes: Uint8Array): void {
    this.bytes += bytes.length
    if (this.cut) return
    this.event(
      'o',
      this.redactor.feed(this.decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))),
    )
  }

  marker(label: string): void {
    if (this.started === undefined) this.early.push(label)
    else this.event('m', label)
  }

  /** Whether there was more output than is kept: `finish` then needs the final screen. */
  get cut(): boolean {
    return this.bytes > (this.options.limit ?? LIMIT)
  }

  /** Bytes of the file, also those that the disk has not taken yet. */
  get size(): number {
    return this.out.bytesWritten + this.out.writableLength
  }

  /**
   * Completes the file.
   *
   * @param exit status of the command, where it has ended
   * @param screen a snapshot of the final screen, where output was cut
   */
  async finish(exit: number | null, screen?: string): Promise<Recorded> {
    const rest = this.redactor.end()
    if (rest !== '') this.event('o', rest)
    if (this.cut && screen !== undefined) {
      this.event('m', 'output was cut here')
      this.event('o', `\u001bc${this.redactor.feed(screen)}${this.redactor.end()}`)
    }
    if (exit !== null) this.event('x', String(exit))
    if (this.started === undefined) this.problem ??= 'Nothing was shown.'
    await new Promise<void>((done) => {
      // A stream that has failed is closed already.
      if (this.out.closed) done()
      else this.out.once('close', () => done()).end()
    })
    if (this.problem === undefined) return { seconds: this.last }
    await this.discard()
    return { problem: this.problem }
  }

  /** Gives the recording up. */
  async discard(): Promise<void> {
    this.out.destroy()
    await rm(this.options.file, { force: true })
  }

  private event(code: CastEvent['code'], data: string): void {
    if (this.started === undefined || (data === '' && code === 'o')) return
    this.last = (performance.now() - this.started) / 1000
    this.write(this.lines.line({ time: this.last, code, data }))
  }

  private write(line: string): void {
    if (this.problem === undefined && !this.out.destroyed) this.out.write(line)
  }
}
