/** Pseudorandom numbers, reproducible by their seed (Mulberry32, by Tommy Ettinger). */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed
  }

  /** @returns a number from 0 (inclusive) to 1 (exclusive) */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** @returns an integer from 0 (inclusive) to `end` (exclusive) */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new RangeError('Cannot pick from an empty list.')
    return item
  }
}

/**
 * Random output as programs print it: words, wide and combining characters, colors, cursor movements, modes, and both
 * screens. Consists of complete escape sequences.
 */
export function randomOutput(random: Random, cols: number, rows: number, pieces: number): string {
  return Array.from({ length: pieces }, () => randomPiece(random, cols, rows)).join('')
}

const WORDS = [
  'the ',
  'flake',
  ' nix build ',
  '\u00e4\u00f6\u00fc',
  '\u4f60\u597d',
  'e\u0301',
  '\u{1f680}',
  '\u2500\u2502',
  '   ',
  'lqqk',
  'x'.repeat(30),
]
const MODES = ['?1', '?6', '?7', '?25', '?45', '?1000', '?1002', '?1003', '?1004', '?1006', '?2004', '4', '20']

/** Selects ASCII. xterm.js does not fully restore a saved character set, so programs select it again themselves. */
const ASCII = '\u000f\u001b(B\u001b)B'

function randomPiece(random: Random, cols: number, rows: number): string {
  const csi = (text: string) => `\u001b[${text}`
  /** An integer from 1 to `max`. */
  const upTo = (max: number) => 1 + random.below(max)
  switch (random.below(30)) {
    case 0:
      return csi(`${upTo(rows)};${upTo(cols)}H`)
    case 1:
      return csi(`${upTo(4)}${random.pick([...'ABCDEFG'])}`)
    // From column 1, because the effect of erasing differs if the cursor is past the last column.
    case 2:
      return `\r${csi(`${random.pick(['', '1', '2'])}${random.pick(['J', 'K'])}`)}`
    case 3:
      return csi(`${upTo(5)}${random.pick([...'XP@LMST'])}`)
    case 4: {
      const top = upTo(rows - 1)
      return csi(`${top};${top + upTo(rows - top)}r`)
    }
    case 5:
      return csi('r')
    case 6:
      return csi(`${random.pick(MODES)}${random.pick(['h', 'l', 'l'])}`)
    case 7:
      return random.pick(['\u001b(0', '\u001b)0', '\u001b(B', '\u001b(B', '\u000e', '\u000f', '\u000f', '\u001b(A'])
    case 8:
      return random.pick([
        '\u001b7',
        `\u001b8${ASCII}`,
        '\u001bM',
        '\u001bD',
        '\u001bE',
        '\u001b=',
        '\u001b>',
        '\u001bH',
        csi('g'),
      ])
    case 9:
      return random.next() < 0.3
        ? random.pick([csi('?1049h\u001b7'), csi('?1047h\u001b7'), `${csi('?1049l')}${ASCII}`, csi('?1047l')])
        : ''
    case 10:
      return csi(`${random.below(7)} q`)
    case 11:
      return random.pick([
        `\u001b]2;title ${upTo(9)}\u0007`,
        `\u001b]8;;https://example.org/${upTo(9)}\u0007link\u001b]8;;\u0007`,
        '\t',
        csi('Z'),
      ])
    case 12:
      return random.next() < 0.2 ? random.pick([csi('!p'), '\u001bc']) : '\b'
    case 13:
    case 14:
    case 15:
      return csi(
        `${random.pick(['0', '1', '2', '3', '4', '4:3', '5', '7', '8', '9', '53', '21', '58:5:9', '58:2::1:2:3', '59'])}m`,
      )
    case 16:
    case 17:
      return csi(
        `${random.pick(['31', '92', '39', '44', '101', '49', '38;5;200', '48;5;99', '38;2;1;2;3', '48;2;9;8;7', '0'])}m`,
      )
    case 18:
    case 19:
    case 20:
    case 21:
      return '\r\n'
    default:
      return random.pick(WORDS)
  }
}
