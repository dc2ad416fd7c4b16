import { StringDecoder } from 'node:string_decoder'
import { stripVTControlCharacters } from 'node:util'

/** Characters of a line that are looked at: more is no line that somebody has written a pattern for. */
const LONGEST = 64 * 1024

/**
 * Looks for patterns in what a command prints, line by line and without control sequences, however much it prints.
 */
export class OutputWatch {
  private readonly patterns: { pattern: RegExp; found: (match: RegExpExecArray) => void; once: boolean }[] = []
  private readonly decoder = new StringDecoder('utf8')
  private line = ''

  /** @param once told of the first line that matches only; else of each */
  on(source: string, found: (match: RegExpExecArray) => void, once: boolean): void {
    this.patterns.push({ pattern: new RegExp(source), found, once })
  }

  /** @param bytes the next output; it may be cut anywhere */
  feed(bytes: Uint8Array): void {
    if (this.patterns.length === 0) return
    const lines = (this.line + this.decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))).split(
      /\r\n|\n|\r/,
    )
    this.line = (lines.pop() ?? '').slice(-LONGEST)
    for (const line of lines) this.look(line)
  }

  /** Nothing comes after this: what stands without a line's end counts too. */
  end(): void {
    this.look(this.line)
    this.line = ''
  }

  private look(line: string): void {
    const text = stripVTControlCharacters(line.slice(0, LONGEST))
    for (const [index, { pattern, found, once }] of [...this.patterns.entries()].toReversed()) {
      const match = pattern.exec(text)
      if (!match) continue
      if (once) this.patterns.splice(index, 1)
      found(match)
    }
  }
}
