import { createWriteStream, type WriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { type CastEvent, EventLines, headerLine } from '../../shared/recording/cast.ts'
import { Redactor } from '../terminal/redaction.ts'

export interface RecorderOptions {
  /** Absolute path of the file. It is complete only after `finish`. */
  file: string
  command?: string
  title?: string
  /** Values that must not reach the disk. */
  secrets: Iterable<string>
  /** Maximum bytes of output to record. Output beyond it is replaced by the final screen. Default: 8 MiB. */
  maxOutputBytes?: number
}

const MAX_OUTPUT_BYTES = 8 << 20

/** The result of a recording. If the recording is not complete, its file has been removed. */
export type RecordingResult =
  | { state: 'complete'; seconds: number }
  /** The session ended before its first screen. */
  | { state: 'empty' }
  /** The file could not be written, for example because the disk is full. */
  | { state: 'write-failed'; error: Error }

/**
 * Writes the output of a session to an asciicast file, and redacts secrets before they reach the disk. If writing
 * fails, only the recording ends.
 */
export class Recorder {
  private readonly options: RecorderOptions
  private readonly stream: WriteStream
  private readonly lines = new EventLines()
  private readonly decoder = new StringDecoder('utf8')
  private readonly redactor: Redactor
  /** Time of the first screen, in milliseconds. */
  private startTime: number | undefined
  /** Time of the last event, in seconds. */
  private lastEventTime = 0
  private outputBytes = 0
  private writeError: Error | undefined
  /** Labels of markers that arrived before the first screen. */
  private readonly pendingMarkers: string[] = []

  constructor(options: RecorderOptions) {
    this.options = options
    this.redactor = new Redactor(options.secrets)
    this.stream = createWriteStream(options.file, { mode: 0o600 })
    this.stream.on('error', (error) => (this.writeError ??= error))
  }

  /** Records a snapshot of the screen. The first one starts the recording; later ones clear the screen first. */
  snapshot(cols: number, rows: number, data: string): void {
    if (this.startTime === undefined) {
      this.startTime = performance.now()
      const { command, title } = this.options
      // A command contains the user's inputs, which may be secrets.
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
      for (const label of this.pendingMarkers.splice(0)) this.event('m', label)
    } else this.event('o', this.redactor.feed(`\u001bc${data}`))
  }

  output(bytes: Uint8Array): void {
    this.outputBytes += bytes.length
    if (this.truncated) return
    this.event(
      'o',
      this.redactor.feed(this.decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))),
    )
  }

  /** Records a labeled position. */
  marker(label: string): void {
    if (this.startTime === undefined) this.pendingMarkers.push(label)
    else this.event('m', label)
  }

  /** Whether output has exceeded the limit, so that `finish` needs the final screen. */
  get truncated(): boolean {
    return this.outputBytes > (this.options.maxOutputBytes ?? MAX_OUTPUT_BYTES)
  }

  /** Size of the file in bytes, including data that is not yet written. */
  get size(): number {
    return this.stream.bytesWritten + this.stream.writableLength
  }

  /**
   * Completes the file, or removes it if the recording has failed.
   *
   * @param exit exit status of the command; null if the command is still running
   * @param screen snapshot of the final screen, if output was truncated
   */
  async finish(exit: number | null, screen?: string): Promise<RecordingResult> {
    const rest = this.redactor.end()
    if (rest !== '') this.event('o', rest)
    if (this.truncated && screen !== undefined) {
      this.event('m', 'output truncated')
      this.event('o', `\u001bc${this.redactor.feed(screen)}${this.redactor.end()}`)
    }
    if (exit !== null) this.event('x', String(exit))
    await new Promise<void>((resolve) => {
      // After a write error, the stream is already closed.
      if (this.stream.closed) resolve()
      else this.stream.once('close', () => resolve()).end()
    })
    if (this.writeError === undefined && this.startTime !== undefined)
      return { state: 'complete', seconds: this.lastEventTime }
    await this.discard()
    return this.writeError ? { state: 'write-failed', error: this.writeError } : { state: 'empty' }
  }

  /** Stops recording and removes the file. */
  async discard(): Promise<void> {
    this.stream.destroy()
    await rm(this.options.file, { force: true })
  }

  private event(code: CastEvent['code'], data: string): void {
    if (this.startTime === undefined || (data === '' && code === 'o')) return
    this.lastEventTime = (performance.now() - this.startTime) / 1000
    this.write(this.lines.line({ time: this.lastEventTime, code, data }))
  }

  private write(line: string): void {
    if (this.writeError === undefined && !this.stream.destroyed) this.stream.write(line)
  }
}
