/** Marks without a value. By the letters of OSC 133 a prompt begins, it ends, a command's output begins. Our own: an entry goes on in another line (S), the line was emptied (L). */
const PLAIN = ['A', 'B', 'C', 'S', 'L'] as const
/** A mark of the shell; D is the end of a command. */
export type Mark = { kind: (typeof PLAIN)[number] } | { kind: 'D'; exit: number }

/** A piece of what came out of the pseudo-terminal, in order. */
export type Piece = { output: Buffer } | { mark: Mark }

/** Bytes that an escape sequence may take before it is passed on in parts: links and titles are far below. */
const LONGEST = 4096

/**
 * An escape sequence (ECMA-48: control sequence, escape with intermediates, or string) or a UTF-8 character that has begun and
 * not ended. Bytes stand as latin1 characters.
 */
const UNFINISHED =
  /(?:\u001b(?:\[[\x20-\x3f]*|[\x20-\x2f]+|[\]PX^_][^\u0007\u0018\u001a\u001b]*\u001b?)?|[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})$/

/** The beginning of every mark. */
const MARK = Buffer.from('\u001b]133;')

/** Whether a chunk has no mark, and ends within nothing: told without a copy of it. */
function isWhole(chunk: Buffer): boolean {
  const last = chunk[chunk.length - 1] ?? 0
  if (last === 0x1b || last >= 0x80 || chunk.includes(MARK)) return false
  const tail = chunk.subarray(-LONGEST)
  // What is open has begun with the last escape, or with the one before it where that one may end a string.
  const escape = tail.lastIndexOf(0x1b)
  if (escape < 0) return true
  const before = escape === 0 ? -1 : tail.lastIndexOf(0x1b, escape - 1)
  return !UNFINISHED.test(tail.toString('latin1', Math.max(0, before)))
}

/**
 * Takes the shell's marks out of the output. A mark without the session's secret is a program's own, or a forgery: it
 * stays in the output and means nothing.
 *
 * A piece of output never ends within an escape sequence or a character: a viewer may join the stream between any two.
 */
export class MarkFilter {
  private held = ''
  private readonly pattern: RegExp

  /** @param secret letters and digits only */
  constructor(secret: string) {
    this.pattern = new RegExp(`\\u001b\\]133;(?:([${PLAIN.join('')}])|D;(\\d+));k=${secret}\\u0007`, 'g')
  }

  /** @param chunk the next bytes; they may be cut anywhere */
  feed(chunk: Buffer): Piece[] {
    // A flood: nothing to take out, and nothing left open.
    if (this.held === '' && isWhole(chunk)) return [{ output: chunk }]
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
      const kind = PLAIN.find((letter) => letter === match[1])
      pieces.push({ mark: kind ? { kind } : { kind: 'D', exit: Number(match[2]) } })
      from = match.index + match[0].length
    }
    const rest = text.slice(from)
    const tail = Math.max(0, rest.length - LONGEST)
    const unfinished = rest.slice(tail).search(UNFINISHED)
    const hold = unfinished < 0 ? rest.length : tail + unfinished
    output(from, from + hold)
    this.held = rest.slice(hold)
    return pieces
  }
}
