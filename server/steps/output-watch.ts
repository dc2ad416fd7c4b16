import { StringDecoder } from 'node:string_decoder'
import { stripVTControlCharacters } from 'node:util'

/** Longer lines are cut to this length before they are compared with the patterns. */
const MAX_LINE_CHARS = 64 * 1024

interface Watch {
  pattern: RegExp
  onMatch: (match: RegExpExecArray) => void
  once: boolean
}

/** Searches the output of a command for patterns, line by line and without control sequences. Its memory is bounded. */
export class OutputWatch {
  private readonly watches: Watch[] = []
  private readonly decoder = new StringDecoder('utf8')
  private line = ''

  /**
   * Adds a pattern.
   *
   * @param source a regular expression
   * @param onMatch called for each line that matches
   * @param once whether to remove the pattern after the first match
   */
  on(source: string, onMatch: (match: RegExpExecArray) => void, once: boolean): void {
    this.watches.push({ pattern: new RegExp(source), onMatch, once })
  }

  /** @param bytes the next output, split at any position */
  feed(bytes: Uint8Array): void {
    if (this.watches.length === 0) return
    const lines = (this.line + this.decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))).split(
      /\r\n|\n|\r/,
    )
    this.line = (lines.pop() ?? '').slice(-MAX_LINE_CHARS)
    for (const line of lines) this.match(line)
  }

  /** Ends the output. The last line is compared even without a line break. */
  end(): void {
    this.match(this.line)
    this.line = ''
  }

  private match(line: string): void {
    const text = stripVTControlCharacters(line.slice(0, MAX_LINE_CHARS))
    // Iterates from the last to the first, because matches remove elements.
    for (const [index, { pattern, onMatch, once }] of [...this.watches.entries()].toReversed()) {
      const match = pattern.exec(text)
      if (!match) continue
      if (once) this.watches.splice(index, 1)
      onMatch(match)
    }
  }
}
