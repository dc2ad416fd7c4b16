import xterm from '@xterm/headless'

/**
 * Serializes the screen of a terminal as text that reproduces it exactly in an empty terminal (after RIS) of the same
 * size: every cell with its attributes, the difference between empty cells and spaces, wrapped lines, scrollback, both
 * buffers, the cursor, modes, margins, tab stops and character sets.
 *
 * The serialize addon of xterm.js omits much of this, so this module reads the internal state: cells as defined in
 * xterm.js' src/common/buffer/Constants.ts, the rest by the names in the interfaces below.
 */

/** A line of a buffer (BufferLine in xterm.js). */
interface Line {
  isWrapped: boolean
  hasContent: (x: number) => number
  getWidth: (x: number) => number
  getString: (x: number) => string
  getFg: (x: number) => number
  getBg: (x: number) => number
  _extendedAttrs: Record<number, Extended | undefined>
}

/** The underline and the link of a cell. */
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

/** The internal parts of an xterm.js terminal that are serialized. */
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

/** Bit masks of a cell's color: the color mode is in bits 25 and 26, the value in the bits below. */
const COLOR = { mode: 0x3000000, all: 0x3ffffff, p16: 0x1000000, p256: 0x2000000 } as const
/**
 * Attributes in the upper bits of the foreground and the background, with their SGR numbers. Underlines have styles,
 * see below.
 */
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
/** Distance of the default tab stops in columns. */
const DEFAULT_TAB_WIDTH = 8

/**
 * Serializes the screen of a terminal.
 *
 * @param scrollback number of lines above the screen to include
 */
export function serialize(terminal: xterm.Terminal, scrollback: number): string {
  return new ScreenSerializer(terminal).serialize(scrollback)
}

/**
 * Serializes one screen once. It tracks the attributes that the text so far has set, to emit only changes.
 */
class ScreenSerializer {
  private out = ''
  private readonly cols: number
  private readonly rows: number
  private readonly core: Core
  private fg = 0
  private bg = 0
  private linkId = 0
  private underline = ''
  private readonly convertEol: boolean
  private readonly cursorBlink: boolean

  constructor(terminal: xterm.Terminal) {
    this.core = coreOf(terminal)
    this.cols = terminal.cols
    this.rows = terminal.rows
    this.convertEol = terminal.options.convertEol === true
    this.cursorBlink = terminal.options.cursorBlink === true
  }

  serialize(scrollback: number): string {
    const { normal, alt, active } = this.core.buffers
    this.writeLines(normal, Math.max(0, normal.lines.length - this.rows - scrollback))
    this.writeBufferState(normal)
    if (active === alt) {
      // Mode 1049 would overwrite the saved cursor, which writeBufferState() has set.
      this.setStyle(0, 0)
      this.out += `${CSI}?47h${CSI}H`
      this.writeLines(alt, 0)
      this.writeBufferState(alt)
    }
    this.writeModes()
    this.writeCursor(active)
    this.writeInputState()
    return this.out
  }

  /** Writes the lines of a buffer from `from` to the end. The last one becomes the last line of the screen. */
  private writeLines(buffer: ScreenBuffer, from: number): void {
    const { lines } = buffer
    // If the first line continues a line that is not included, an extra line is written before it, and erased as soon
    // as it is the only line above the screen.
    const startsWrapped = lines.get(from)?.isWrapped === true
    if (startsWrapped) {
      this.out += ' '.repeat(this.cols)
      this.wrap()
    }
    let previous: Line | undefined
    /** Whether the last column has been written, so that the next character wraps. */
    let wrapPending = false
    for (let y = from; y < lines.length; y++) {
      const line = lines.get(y)
      if (!line) continue
      if (previous && line.isWrapped) this.wrapAfter(previous, wrapPending)
      else if (previous) {
        // A new line at the bottom has the current background, which is reset first.
        this.setStyle(0, 0)
        this.out += '\r\n'
      }
      wrapPending = this.writeLine(line, lines.get(y + 1)?.isWrapped === true)
      previous = line
      if (startsWrapped && y === from + this.rows - 1) this.out += `${CSI}3J`
    }
  }

  /**
   * Wraps into the next line and erases it. The cursor is at its beginning. Requires that the last column has been
   * written.
   */
  private wrap(): void {
    this.setStyle(0, 0)
    this.out += ` \r${CSI}${this.cols}X`
  }

  /** Wraps into the next line, whether or not the last cell of the current line has content. */
  private wrapAfter(line: Line, wrapPending: boolean): void {
    if (wrapPending) return this.wrap()
    // The last cell is empty. A wide character does not fit into it and wraps, which leaves the cell empty with the
    // current attributes.
    const last = this.cols - 1
    this.out += `${CSI}${this.cols}G`
    this.setStyle(line.getFg(last), line.getBg(last), line._extendedAttrs[last])
    this.out += '\u3000\r'
    this.setStyle(0, 0)
    this.out += `${CSI}${this.cols}X`
  }

  /**
   * Writes the cells of a line.
   *
   * @param wraps whether the next line continues this one
   * @returns whether the last column has been written, so that the next character wraps
   */
  private writeLine(line: Line, wraps: boolean): boolean {
    let x = 0
    while (x < this.cols) {
      if (line.hasContent(x)) {
        this.setStyle(line.getFg(x), line.getBg(x), line._extendedAttrs[x])
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
      // An empty cell with attributes is one half of a wide character whose other half was overwritten.
      const isOrphanedHalf = fg !== 0 || (bg & ~COLOR.all) !== 0
      if (isOrphanedHalf && x < this.cols - 1) {
        this.setStyle(fg, bg, line._extendedAttrs[x])
        this.out += `\u3000${CSI}${x + 2}G ${CSI}${x + 2}G`
        x++
        // The wide character has also overwritten the next cell: empty that cell before its content is written.
        this.setStyle(0, 0)
        this.out += `${CSI}X`
        continue
      }
      if (isOrphanedHalf && !wraps) {
        this.writeOrphanedLastCell(line)
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
      const background = bg & COLOR.all
      if (background !== 0) {
        this.setStyle(0, background)
        this.out += `${CSI}${to - x}X`
      }
      if (to < this.cols) this.out += `${CSI}${to - x}C`
      x = to
    }
    return line.hasContent(this.cols - 1) !== 0 || line.getWidth(this.cols - 1) === 0
  }

  /**
   * Makes the last cell the orphaned second half of a wide character, and restores the cell that has overwritten the
   * first half.
   */
  private writeOrphanedLastCell(line: Line): void {
    const last = this.cols - 1
    this.out += `${CSI}${last}G`
    this.setStyle(0, 0)
    this.out += `\u3000${CSI}${last}G`
    this.setStyle(line.getFg(last), line.getBg(last), line._extendedAttrs[last])
    const x = line.getWidth(last - 1) === 0 ? last - 2 : last - 1
    this.out += ` ${CSI}${x + 1}G`
    const hasContent = line.hasContent(x) !== 0
    if (hasContent) this.setStyle(line.getFg(x), line.getBg(x), line._extendedAttrs[x])
    else this.setStyle(0, line.getBg(x) & COLOR.all)
    this.out += hasContent ? line.getString(x) : `${CSI}X`
  }

  /** Writes the state of a buffer besides its lines: tab stops, margins and the saved cursor. */
  private writeBufferState(buffer: ScreenBuffer): void {
    const stops = Object.keys(buffer.tabs)
      .map(Number)
      .filter((x) => buffer.tabs[x] && x < this.cols)
    const defaults = Array.from(
      { length: Math.ceil(this.cols / DEFAULT_TAB_WIDTH) },
      (_, index) => index * DEFAULT_TAB_WIDTH,
    )
    if (stops.join() !== defaults.join()) this.out += `${CSI}3g${stops.map((x) => `${CSI}${x + 1}G\u001bH`).join('')}`
    const { scrollTop, scrollBottom, savedX, savedY, ybase, savedCurAttrData, savedCharset } = buffer
    if (scrollTop !== 0 || scrollBottom !== this.rows - 1) this.out += `${CSI}${scrollTop + 1};${scrollBottom + 1}r`
    if (savedX === 0 && savedY === 0 && savedCurAttrData.fg === 0 && savedCurAttrData.bg === 0 && !savedCharset) return
    this.setStyle(savedCurAttrData.fg, savedCurAttrData.bg)
    const charset = charsetLetter(savedCharset)
    this.out += `${CSI}${Math.max(0, savedY - ybase) + 1};${Math.min(savedX, this.cols - 1) + 1}H\u001b(${charset}\u001b7`
    if (charset !== 'B') this.out += '\u001b(B'
  }

  /** Writes the modes that do not change how the rest of the text is parsed. */
  private writeModes(): void {
    const { decPrivateModes: modes, isCursorHidden } = this.core.coreService
    const { activeProtocol, activeEncoding } = this.core.coreMouseService
    const protocol = { X10: 9, VT200: 1000, DRAG: 1002, ANY: 1003 }[activeProtocol]
    const encoding = { SGR: 1006, SGR_PIXELS: 1016 }[activeEncoding]
    const enabled = [
      modes.applicationCursorKeys && 1,
      this.cursorBlink && 12,
      modes.reverseWraparound && 45,
      modes.sendFocus && 1004,
      modes.bracketedPasteMode && 2004,
      protocol,
      encoding,
    ].filter((mode) => typeof mode === 'number')
    this.out += enabled.map((mode) => `${CSI}?${mode}h`).join('')
    if (modes.applicationKeypad) this.out += '\u001b='
    if (isCursorHidden) this.out += `${CSI}?25l`
    // DECSCUSR: odd numbers blink.
    if (modes.cursorStyle)
      this.out += `${CSI}${{ block: 2, underline: 4, bar: 6 }[modes.cursorStyle] - (modes.cursorBlink ? 1 : 0)} q`
  }

  /** Moves the cursor, and restores a pending wrap. */
  private writeCursor({ x, y, ybase, scrollTop, lines }: ScreenBuffer): void {
    const { origin } = this.core.coreService.decPrivateModes
    if (origin) this.out += `${CSI}?6h`
    const row = y - (origin ? scrollTop : 0) + 1
    if (x < this.cols) this.out += `${CSI}${row};${x + 1}H`
    else {
      // The cursor is after the last column, which it reaches only when a character is written there: write that
      // character again.
      const line = lines.get(ybase + y)
      const wide = line?.getWidth(this.cols - 1) === 0 ? 1 : 0
      const last = this.cols - 1 - wide
      this.out += `${CSI}${row};${last + 1}H`
      if (line?.hasContent(last)) {
        this.setStyle(line.getFg(last), line.getBg(last), line._extendedAttrs[last])
        this.out += line.getString(last)
      } else {
        // The line was erased after the character was written.
        this.setStyle(0, (line?.getBg(last) ?? 0) & COLOR.all)
        this.out += ` ${CSI}1K`
      }
    }
  }

  /**
   * Writes the state that applies to the next characters: attributes, character sets, insert mode, automatic newline
   * and wrap.
   */
  private writeInputState(): void {
    const { _charsetService: sets, _inputHandler, coreService } = this.core
    const { fg, bg, extended } = _inputHandler._curAttrData
    this.setStyle(fg, bg, extended)
    // The underline color may be set although underlining is off.
    if (!(bg & EXTENDED) && extended.underlineColor & COLOR.mode)
      this.out += `${CSI}${sgrColor(extended.underlineColor, 50)}m`
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

  /** Writes the link and the SGR attributes of the next characters, if they differ from the current ones. */
  private setStyle(foreground: number, background: number, extended?: Extended): void {
    // Cells return some attributes as signed integers.
    const fg = foreground >>> 0
    const bg = background >>> 0
    const ext = bg & EXTENDED ? extended : undefined
    const link = ext?.urlId ? this.core._oscLinkService.getLinkData(ext.urlId) : undefined
    const linkId = link ? (ext?.urlId ?? 0) : 0
    if (linkId !== this.linkId) {
      this.out += link ? `\u001b]8;id=${link.id ?? `link-${linkId}`};${link.uri}\u0007` : '\u001b]8;;\u0007'
    }
    const underline = ext ? `${ext.underlineStyle} ${ext.underlineColor}` : ''
    if (fg !== this.fg || bg !== this.bg || underline !== this.underline) {
      const codes: (number | string)[] = [0]
      for (const [flag, code] of FG_FLAGS) if (fg & flag) codes.push(code)
      for (const [flag, code] of BG_FLAGS) if (bg & flag) codes.push(code)
      // A link is drawn underlined and hides the underline style of the cell.
      if (fg & UNDERLINE && !(ext && !link && ext.underlineStyle === 0))
        codes.push(ext && !link && ext.underlineStyle > 1 ? `4:${ext.underlineStyle}` : 4)
      if (ext && ext.underlineColor & COLOR.mode) codes.push(sgrColor(ext.underlineColor, 50))
      if (fg & COLOR.mode) codes.push(sgrColor(fg, 30))
      if (bg & COLOR.mode) codes.push(sgrColor(bg, 40))
      this.out += `${CSI}${codes.length === 1 ? '' : codes.join(';')}m`
      if (bg & PROTECTED) this.out += `${CSI}1"q`
    }
    this.fg = fg
    this.bg = bg
    this.linkId = linkId
    this.underline = underline
  }
}

/**
 * The SGR parameters of a color.
 *
 * @param base 30 for the foreground, 40 for the background, 50 for underlines
 */
function sgrColor(attributes: number, base: 30 | 40 | 50): string {
  const mode = attributes & COLOR.mode
  if (mode === COLOR.p16 && base !== 50) {
    const index = attributes & 0xff
    return String(index < 8 ? base + index : base + 60 + index - 8)
  }
  // Recordings begin with a serialized screen and are played in other terminals too, most of which support only the
  // form with semicolons.
  if (mode === COLOR.p16 || mode === COLOR.p256)
    return base === 50 ? `58:5:${attributes & 0xff}` : `${base + 8};5;${attributes & 0xff}`
  const rgb = [(attributes >> 16) & 0xff, (attributes >> 8) & 0xff, attributes & 0xff]
  return base === 50 ? `58:2::${rgb.join(':')}` : `${base + 8};2;${rgb.join(';')}`
}

/** The letters that designate the character sets of xterm.js, except US-ASCII (B). */
const CHARSET_LETTERS = [...'0A4C5RQKYE6ZH7=']
let charsets: Map<Charset, string> | undefined

/**
 * The letter that designates a character set. xterm.js stores only the set's table, so the tables of all letters are
 * read once.
 */
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
