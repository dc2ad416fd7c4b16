/** A mark of the shell, by the letters of OSC 133: a prompt begins, it ends, a command's output begins, the command ended. */
export type Mark = { kind: 'A' | 'B' | 'C' } | { kind: 'D'; exit: number }

/** A piece of what came out of the pseudo-terminal, in order. */
export type Piece = { output: Buffer } | { mark: Mark }

const START = '\u001b]133;'
/** More than any mark of ours takes, in bytes: what has not ended by then is none. */
const LONGEST = 128

/**
 * Takes the shell's marks out of the output. A mark without the session's secret is a program's own, or a forgery: it
 * stays in the output and means nothing.
 */
export class MarkFilter {
  private held = ''
  private readonly pattern: RegExp

  /** @param secret letters and digits only */
  constructor(secret: string) {
    this.pattern = new RegExp(`\\u001b\\]133;(?:([ABC])|D;(\\d+));k=${secret}\\u0007`, 'g')
  }

  /** @param chunk the next bytes; a mark may be cut anywhere between two chunks */
  feed(chunk: Buffer): Piece[] {
    // latin1 maps each byte to one character and back.
    const text = this.held + chunk.toString('latin1')
    this.held = ''
    const pieces: Piece[] = []
    const output = (from: number, to: number) => {
      if (to > from) pieces.push({ output: Buffer.from(text.slice(from, to), 'latin1') })
    }
    let from = 0
    for (const match of text.matchAll(this.pattern)) {
      output(from, match.index)
      const kind = match[1]
      pieces.push({ mark: kind === 'A' || kind === 'B' || kind === 'C' ? { kind } : { kind: 'D', exit: Number(match[2]) } })
      from = match.index + match[0].length
    }
    const rest = text.slice(from)
    const hold = heldFrom(rest)
    output(from, from + hold)
    this.held = rest.slice(hold)
    return pieces
  }
}

/** Where the beginning of a mark that is not complete yet stands in the text; its length where there is none. */
function heldFrom(text: string): number {
  const tail = Math.max(0, text.length - LONGEST)
  for (let at = text.indexOf('\u001b', tail); at >= 0; at = text.indexOf('\u001b', at + 1)) {
    const candidate = text.slice(at)
    if (START.startsWith(candidate) || (candidate.startsWith(START) && !candidate.includes('\u0007'))) return at
  }
  return text.length
}
