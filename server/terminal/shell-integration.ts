/**
 * The marks without a value, by their letters. A, B and C are defined by OSC 133; S (the continuation prompt of an
 * incomplete entry) and L (the line was cleared) are extensions. They are written by shell-integration.bash.
 */
const MARKS = {
  A: 'prompt-start',
  B: 'prompt-end',
  C: 'output-start',
  S: 'continuation-prompt',
  L: 'line-cleared',
} as const

/** A mark of the shell. `command-end` is OSC 133 D. */
export type Mark = { kind: (typeof MARKS)[keyof typeof MARKS] } | { kind: 'command-end'; exit: number }

/** A piece of the data that was read from the pseudo-terminal. */
export type Piece = { output: Buffer } | { mark: Mark }

/**
 * An incomplete escape sequence of more bytes than this is not held back any longer. Links and titles are much shorter.
 */
const MAX_HELD_BYTES = 4096

/**
 * An incomplete escape sequence (ECMA-48: control sequence, escape with intermediates, or string) or UTF-8 character at
 * the end of a text. Each byte is one latin1 character.
 */
const INCOMPLETE =
  /(?:\u001b(?:\[[\x20-\x3f]*|[\x20-\x2f]+|[\]PX^_][^\u0007\u0018\u001a\u001b]*\u001b?)?|[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})$/

/** The bytes that every mark begins with. */
const MARK_START = Buffer.from('\u001b]133;')

/**
 * Whether a chunk contains no mark and does not end within a sequence or character. Decides without copying the chunk.
 */
function isPlainOutput(chunk: Buffer): boolean {
  const last = chunk[chunk.length - 1] ?? 0
  if (last === 0x1b || last >= 0x80 || chunk.includes(MARK_START)) return false
  const tail = chunk.subarray(-MAX_HELD_BYTES)
  // An incomplete sequence begins at the last escape, or at the one before it if the last one may be the terminator of
  // a string.
  const escape = tail.lastIndexOf(0x1b)
  if (escape < 0) return true
  const before = escape === 0 ? -1 : tail.lastIndexOf(0x1b, escape - 1)
  return !INCOMPLETE.test(tail.toString('latin1', Math.max(0, before)))
}

/**
 * Separates the shell's marks from the output. A mark without the session's secret was printed by a program, or forged:
 * it remains in the output and has no effect.
 *
 * Output never ends within an escape sequence or a character, so that a viewer can attach between any two pieces.
 */
export class ShellIntegrationParser {
  private held = ''
  private readonly mark: RegExp

  /** @param secret letters and digits only */
  constructor(secret: string) {
    this.mark = new RegExp(`\\u001b\\]133;(?:([${Object.keys(MARKS).join('')}])|D;(\\d+));k=${secret}\\u0007`, 'g')
  }

  /** @param chunk the next bytes, split at any position */
  feed(chunk: Buffer): Piece[] {
    // The fast path for large amounts of output.
    if (this.held === '' && isPlainOutput(chunk)) return [{ output: chunk }]
    // latin1 maps each byte to one character and back.
    const text = this.held + chunk.toString('latin1')
    this.held = ''
    const pieces: Piece[] = []
    const addOutput = (from: number, to: number) => {
      if (to > from) pieces.push({ output: Buffer.from(text.slice(from, to), 'latin1') })
    }
    let from = 0
    for (const match of text.matchAll(this.mark)) {
      addOutput(from, match.index)
      pieces.push({ mark: markOf(match) })
      from = match.index + match[0].length
    }
    const rest = text.slice(from)
    const tail = Math.max(0, rest.length - MAX_HELD_BYTES)
    const incomplete = rest.slice(tail).search(INCOMPLETE)
    const end = incomplete < 0 ? rest.length : tail + incomplete
    addOutput(from, from + end)
    this.held = rest.slice(end)
    return pieces
  }
}

function markOf([, letter, exit]: RegExpExecArray): Mark {
  return isLetter(letter) ? { kind: MARKS[letter] } : { kind: 'command-end', exit: Number(exit) }
}

function isLetter(letter: string | undefined): letter is keyof typeof MARKS {
  return letter !== undefined && letter in MARKS
}
