import xterm from '@xterm/headless'

/**
 * Text that paints the screen of a terminal on an empty one (RIS) of the same size, exactly: every cell with its attributes, what is
 * empty and what is a space, which lines were wrapped, scrollback, both buffers, cursor, modes, margins, tab stops, character sets.
 *
 * The serializer that xterm.js offers leaves out much of it, so this reads the buffers themselves: their cells as in xterm.js'
 * src/common/buffer/Constants.ts, the rest by the names that the interfaces below give.
 */

/** A line of a buffer (BufferLine). */
interface Line {
  isWrapped: boolean
  hasContent: (x: number) => number
  getWidth: (x: number) => number
  getString: (x: number) => string
  getFg: (x: number) => number
  getBg: (x: number) => number
  _extendedAttrs: Record<number, Extended | undefined>
}

/** Underlines and links. */
interface Extended {
  underlineStyle: number
  underlineColor: number
  urlId: number
}

interface Attributes {
  fg: number
  bg: number
  extended: Extended
}

type Charset = Record<string, string> | undefined

interface ScreenBuffer {
  lines: { length: number; get: (y: number) => Line | undefined }
  x: number
  y: number
  ybase: number
  scrollTop: number
  scrollBottom: number
  tabs: Record<number, boolean | undefined>
  savedX: number
  savedY: number
  savedCurAttrData: { fg: number; bg: number }
  savedCharset: Charset
}

/** The parts of a terminal that its public interface hides. */
interface Core {
  buffers: { normal: ScreenBuffer; alt: ScreenBuffer; active: ScreenBuffer }
  coreService: {
    isCursorHidden: boolean
    modes: { insertMode: boolean }
    decPrivateModes: {
      applicationCursorKeys: boolean
      applicationKeypad: boolean
      bracketedPasteMode: boolean
      cursorBlink: boolean | undefined
      cursorStyle: 'block' | 'underline' | 'bar' | undefined
      origin: boolean
      reverseWraparound: boolean
      sendFocus: boolean
      wraparound: boolean
    }
  }
  coreMouseService: { activeProtocol: string; activeEncoding: string }
  _charsetService: { charset: Charset; glevel: number; _charsets: Charset[] }
  _inputHandler: { _curAttrData: Attributes; selectCharset: (designation: string) => boolean }
  _oscLinkService: { getLinkData: (id: number) => { id?: string; uri: string } | undefined }
}

const coreOf = (terminal: xterm.Terminal) => Reflect.get(terminal, '_core') as Core

/** Colour of a cell: the mode in bits 25 and 26, the value below. */
const COLOUR = { mode: 0x3000000, all: 0x3ffffff, p16: 0x1000000, p256: 0x2000000 } as const
/** Attributes in the upper bits of the foreground and of the background, with their SGR numbers; underlines are told apart by style. */
const FG_FLAGS = [
  [0x4000000, 7],
  [0x8000000, 1],
  [0x20000000, 5],
  [0x40000000, 8],
  [0x80000000, 9],
] as const
const BG_FLAGS = [
  [0x4000000, 3],
  [0x8000000, 2],
  [0x40000000, 53],
] as const
const UNDERLINE = 0x10000000
const EXTENDED = 0x10000000
const PROTECTED = 0x20000000

const CSI = '\u001b['
/** Columns between two tab stops that nobody has changed. */
const TAB = 8

/** @param scrollback lines above the screen */
export function paint(terminal: xterm.Terminal, scrollback: number): string {
  return new Painting(terminal).text(scrollback)
}

class Painting {
  private out = ''
  private readonly cols: number
  private readonly rows: number
  private readonly core: Core
  /** What is set by the text so far. */
  private fg = 0
  private bg = 0
  private url = 0
  private underline = ''
  private readonly convertEol: boolean
  private readonly blink: boolean

  constructor(terminal: xterm.Terminal) {
    this.core = coreOf(terminal)
    this.cols = terminal.cols
    this.rows = terminal.rows
    this.convertEol = terminal.options.convertEol === true
    this.blink = terminal.options.cursorBlink === true
  }

  text(scrollback: number): string {
    const { normal, alt, active } = this.core.buffers
    this.lines(normal, Math.max(0, normal.lines.length - this.rows - scrollback))
    this.placesOf(normal)
    if (active === alt) {
      // Not 1049, which would save the cursor: what is saved was just set.
      this.style(0, 0)
      this.out += `${CSI}?47h${CSI}H`
      this.lines(alt, 0)
      this.placesOf(alt)
    }
    this.modes()
    this.cursor(active)
    this.state()
    return this.out
  }

  /** Writes all lines of a buffer from one on, so that the last one is the last of the screen. */
  private lines(buffer: ScreenBuffer, from: number): void {
    const { lines } = buffer
    // A line whose beginning is above: one is put there, and erased once it is all that is above the screen.
    const begun = lines.get(from)?.isWrapped === true
    if (begun) {
      this.out += ' '.repeat(this.cols)
      this.wrap()
    }
    let before: Line | undefined
    /** The last column was written, and the next character goes to the next line. */
    let pending = false
    for (let y = from; y < lines.length; y++) {
      const line = lines.get(y)
      if (!line) continue
      if (before && line.isWrapped) this.wrapAfter(before, pending)
      else if (before) {
        // The new line takes the background that is set.
        this.style(0, 0)
        this.out += '\r\n'
      }
      pending = this.line(line, lines.get(y + 1)?.isWrapped === true)
      before = line
      if (begun && y === from + this.rows - 1) this.out += `${CSI}3J`
    }
  }

  /** Has the terminal wrap into the next line, which is empty then, and begins it. */
  private wrap(): void {
    this.style(0, 0)
    this.out += ` \r${CSI}${this.cols}X`
  }

  private wrapAfter(line: Line, pending: boolean): void {
    if (pending) return this.wrap()
    // The last cell is empty: a wide character does not fit into it, wraps, and leaves it with its attributes.
    const last = this.cols - 1
    this.out += `${CSI}${this.cols}G`
    this.style(line.getFg(last), line.getBg(last), line._extendedAttrs[last])
    this.out += '\u3000\r'
    this.style(0, 0)
    this.out += `${CSI}${this.cols}X`
  }

  /**
   * @param wraps into the next line
   * @returns whether its last cell was written
   */
  private line(line: Line, wraps: boolean): boolean {
    let x = 0
    while (x < this.cols) {
      if (line.hasContent(x)) {
        this.style(line.getFg(x), line.getBg(x), line._extendedAttrs[x])
        this.out += line.getString(x)
        x += Math.max(1, line.getWidth(x))
        continue
      }
      const fg = line.getFg(x)
      const bg = line.getBg(x)
      if (line.getWidth(x) === 0) {
        x++
        continue
      }
      if ((fg !== 0 || (bg & ~COLOUR.all) !== 0) && x < this.cols - 1) {
        // Empty, and yet with attributes: what is left of a wide character of which one half was overwritten.
        this.style(fg, bg, line._extendedAttrs[x])
        this.out += `\u3000${CSI}${x + 2}G ${CSI}${x + 2}G`
        x++
        // What follows it was written for that; it is written again, or emptied.
        this.style(0, 0)
        this.out += `${CSI}X`
        continue
      }
      if ((fg !== 0 || (bg & ~COLOUR.all) !== 0) && !wraps) {
        this.lastHalf(line)
        break
      }
      let to = x + 1
      while (
        to < this.cols &&
        !line.hasContent(to) &&
        line.getWidth(to) === 1 &&
        line.getBg(to) === bg &&
        line.getFg(to) === fg
      )
        to++
      const colour = bg & COLOUR.all
      if (colour !== 0) {
        this.style(0, colour)
        this.out += `${CSI}${to - x}X`
      }
      if (to < this.cols) this.out += `${CSI}${to - x}C`
      x = to
    }
    return line.hasContent(this.cols - 1) !== 0 || line.getWidth(this.cols - 1) === 0
  }

  /** Leaves the first half of a wide character overwritten, and its second half, the last cell, empty with its attributes. */
  private lastHalf(line: Line): void {
    const last = this.cols - 1
    this.out += `${CSI}${last}G`
    this.style(0, 0)
    this.out += `\u3000${CSI}${last}G`
    this.style(line.getFg(last), line.getBg(last), line._extendedAttrs[last])
    const x = line.getWidth(last - 1) === 0 ? last - 2 : last - 1
    this.out += ` ${CSI}${x + 1}G`
    const content = line.hasContent(x) !== 0
    if (content) this.style(line.getFg(x), line.getBg(x), line._extendedAttrs[x])
    else this.style(0, line.getBg(x) & COLOUR.all)
    this.out += content ? line.getString(x) : `${CSI}X`
  }

  /** Sets what else belongs to a buffer: tab stops, margins, the saved cursor. */
  private placesOf(buffer: ScreenBuffer): void {
    const stops = Object.keys(buffer.tabs)
      .map(Number)
      .filter((x) => buffer.tabs[x] && x < this.cols)
    const usual = Array.from({ length: Math.ceil(this.cols / TAB) }, (_, index) => index * TAB)
    if (stops.join() !== usual.join()) this.out += `${CSI}3g${stops.map((x) => `${CSI}${x + 1}G\u001bH`).join('')}`
    const { scrollTop, scrollBottom, savedX, savedY, ybase, savedCurAttrData, savedCharset } = buffer
    if (scrollTop !== 0 || scrollBottom !== this.rows - 1) this.out += `${CSI}${scrollTop + 1};${scrollBottom + 1}r`
    if (savedX === 0 && savedY === 0 && savedCurAttrData.fg === 0 && savedCurAttrData.bg === 0 && !savedCharset) return
    this.style(savedCurAttrData.fg, savedCurAttrData.bg)
    const charset = charsetLetter(savedCharset)
    this.out += `${CSI}${Math.max(0, savedY - ybase) + 1};${Math.min(savedX, this.cols - 1) + 1}H\u001b(${charset}\u001b7`
    if (charset !== 'B') this.out += '\u001b(B'
  }

  /** Modes that do not change how the rest of the text is taken. */
  private modes(): void {
    const { decPrivateModes: modes, isCursorHidden } = this.core.coreService
    const { activeProtocol, activeEncoding } = this.core.coreMouseService
    const protocol = { X10: 9, VT200: 1000, DRAG: 1002, ANY: 1003 }[activeProtocol]
    const encoding = { SGR: 1006, SGR_PIXELS: 1016 }[activeEncoding]
    const on = [
      modes.applicationCursorKeys && 1,
      this.blink && 12,
      modes.reverseWraparound && 45,
      modes.sendFocus && 1004,
      modes.bracketedPasteMode && 2004,
      protocol,
      encoding,
    ].filter((mode) => typeof mode === 'number')
    this.out += on.map((mode) => `${CSI}?${mode}h`).join('')
    if (modes.applicationKeypad) this.out += '\u001b='
    if (isCursorHidden) this.out += `${CSI}?25l`
    // By DECSCUSR: odd numbers blink.
    if (modes.cursorStyle)
      this.out += `${CSI}${{ block: 2, underline: 4, bar: 6 }[modes.cursorStyle] - (modes.cursorBlink ? 1 : 0)} q`
  }

  private cursor({ x, y, ybase, scrollTop, lines }: ScreenBuffer): void {
    const { origin } = this.core.coreService.decPrivateModes
    if (origin) this.out += `${CSI}?6h`
    const row = y - (origin ? scrollTop : 0) + 1
    if (x < this.cols) this.out += `${CSI}${row};${x + 1}H`
    else {
      // Only a character in the last column leaves the cursor behind it.
      const line = lines.get(ybase + y)
      const wide = line?.getWidth(this.cols - 1) === 0 ? 1 : 0
      const last = this.cols - 1 - wide
      this.out += `${CSI}${row};${last + 1}H`
      if (line?.hasContent(last)) {
        this.style(line.getFg(last), line.getBg(last), line._extendedAttrs[last])
        this.out += line.getString(last)
      } else {
        // Written, then the whole line erased.
        this.style(0, (line?.getBg(last) ?? 0) & COLOUR.all)
        this.out += ` ${CSI}1K`
      }
    }
  }

  /** What is set for the characters that come next. */
  private state(): void {
    const { _charsetService: sets, _inputHandler, coreService } = this.core
    const { fg, bg, extended } = _inputHandler._curAttrData
    this.style(fg, bg, extended)
    // Set for underlines that are still to come.
    if (!(bg & EXTENDED) && extended.underlineColor & COLOUR.mode)
      this.out += `${CSI}${colour(extended.underlineColor, 50)}m`
    for (const [level, designate] of ['(', ')', '*', '+'].entries()) {
      const letter = charsetLetter(level === sets.glevel ? sets.charset : sets._charsets[level])
      if (letter !== 'B') this.out += `\u001b${designate}${letter}`
    }
    // Shift out, and the locking shifts of G2 and G3.
    this.out += ['', '\u000e', '\u001bn', '\u001bo'][sets.glevel] ?? ''
    if (coreService.modes.insertMode) this.out += `${CSI}4h`
    if (this.convertEol) this.out += `${CSI}20h`
    if (!coreService.decPrivateModes.wraparound) this.out += `${CSI}?7l`
  }

  /** Sets the attributes of what comes next, unless they are set. */
  private style(foreground: number, background: number, extended?: Extended): void {
    // Some come as signed integers.
    const fg = foreground >>> 0
    const bg = background >>> 0
    const ext = bg & EXTENDED ? extended : undefined
    const link = ext?.urlId ? this.core._oscLinkService.getLinkData(ext.urlId) : undefined
    const url = link ? (ext?.urlId ?? 0) : 0
    if (url !== this.url) {
      this.out += link ? `\u001b]8;id=${link.id ?? `link-${url}`};${link.uri}\u0007` : '\u001b]8;;\u0007'
    }
    const underline = ext ? `${ext.underlineStyle} ${ext.underlineColor}` : ''
    if (fg !== this.fg || bg !== this.bg || underline !== this.underline) {
      const codes: (number | string)[] = [0]
      for (const [flag, code] of FG_FLAGS) if (fg & flag) codes.push(code)
      for (const [flag, code] of BG_FLAGS) if (bg & flag) codes.push(code)
      // A link hides the style that was set.
      if (fg & UNDERLINE && !(ext && !link && ext.underlineStyle === 0))
        codes.push(ext && !link && ext.underlineStyle > 1 ? `4:${ext.underlineStyle}` : 4)
      if (ext && ext.underlineColor & COLOUR.mode) codes.push(colour(ext.underlineColor, 50))
      if (fg & COLOUR.mode) codes.push(colour(fg, 30))
      if (bg & COLOUR.mode) codes.push(colour(bg, 40))
      this.out += `${CSI}${codes.length === 1 ? '' : codes.join(';')}m`
      if (bg & PROTECTED) this.out += `${CSI}1"q`
    }
    this.fg = fg
    this.bg = bg
    this.url = url
    this.underline = underline
  }
}

/** The SGR parameters of a colour. @param base 30 for the foreground, 40 for the background, 50 for underlines */
function colour(attributes: number, base: 30 | 40 | 50): string {
  const mode = attributes & COLOUR.mode
  if (mode === COLOUR.p16 && base !== 50) {
    const index = attributes & 0xff
    return String(index < 8 ? base + index : base + 60 + index - 8)
  }
  // Semicolons where they are understood everywhere: recordings begin with a painting, and are played by other terminals too.
  if (mode === COLOUR.p16 || mode === COLOUR.p256)
    return base === 50 ? `58:5:${attributes & 0xff}` : `${base + 8};5;${attributes & 0xff}`
  const rgb = [(attributes >> 16) & 0xff, (attributes >> 8) & 0xff, attributes & 0xff]
  return base === 50 ? `58:2::${rgb.join(':')}` : `${base + 8};2;${rgb.join(';')}`
}

/** The final letters of character sets that xterm.js knows besides US-ASCII, B. */
const CHARSET_LETTERS = [...'0A4C5RQKYE6ZH7=']
let charsets: Map<Charset, string> | undefined

/** The letter that designates a character set. A set is known by its table alone, so each is tried once. */
function charsetLetter(charset: Charset): string {
  if (!charset) return 'B'
  if (!charsets) {
    const terminal = new xterm.Terminal({ cols: 2, rows: 1, allowProposedApi: true })
    const core = coreOf(terminal)
    charsets = new Map()
    for (const letter of CHARSET_LETTERS) {
      core._inputHandler.selectCharset(`(${letter}`)
      if (core._charsetService.charset && !charsets.has(core._charsetService.charset))
        charsets.set(core._charsetService.charset, letter)
    }
    terminal.dispose()
  }
  return charsets.get(charset) ?? 'B'
}
