import unicode11 from '@xterm/addon-unicode11'
import xterm from '@xterm/headless'
import { SCROLLBACK_LINES } from '../terminal/screen.ts'

/** Creates a terminal with the options that viewers use. */
export function newTerminal(cols: number, rows: number, scrollback = SCROLLBACK_LINES): xterm.Terminal {
  const terminal = new xterm.Terminal({ cols, rows, scrollback, allowProposedApi: true })
  terminal.loadAddon(new unicode11.Unicode11Addon())
  terminal.unicode.activeVersion = '11'
  return terminal
}

/** Writes to a terminal. Resolves once the data has been parsed. */
export const written = (terminal: xterm.Terminal, data: string | Uint8Array): Promise<void> =>
  new Promise((resolve) => terminal.write(data, resolve))

/** The parts of xterm.js that are not in its API: `Terminal._core`. */
interface Core {
  buffers: Record<'normal' | 'alt' | 'active', Buffer>
  coreService: {
    decPrivateModes: Record<string, unknown>
    modes: Record<string, unknown>
    isCursorHidden: boolean
  }
  coreMouseService: { activeProtocol: string; activeEncoding: string }
  _charsetService: { glevel: number; charset: unknown }
  _inputHandler: { _curAttrData: Attributes & { extended: ExtendedAttributes } }
  _oscLinkService: { getLinkData: (id: number) => { uri: string } | undefined }
}

interface Buffer {
  lines: { length: number; get: (y: number) => Line }
  x: number
  y: number
  ybase: number
  scrollTop: number
  scrollBottom: number
  tabs: Record<number, boolean>
  savedX: number
  savedY: number
  savedCurAttrData: Attributes
  savedCharset: unknown
}

interface Line {
  isWrapped: boolean
  length: number
  hasContent: (x: number) => number
  getWidth: (x: number) => number
  getString: (x: number) => string
  getFg: (x: number) => number
  getBg: (x: number) => number
  _extendedAttrs: Record<number, ExtendedAttributes | undefined>
}

/** Colors and flags, packed into two numbers (xterm.js: src/common/buffer/Constants.ts). */
interface Attributes {
  fg: number
  bg: number
}

interface ExtendedAttributes {
  underlineStyle: number
  underlineColor: number
  urlId: number
}

/** Flag in `bg`: the cell has extended attributes. */
const EXTENDED = 0x10000000
/** Flag in `fg`. */
const UNDERLINE = 0x10000000
const COLOR_MODE = 0x3000000
const RGB_MODE = 0x3000000

/** Clears the unused bytes of a palette color, which may contain parts of an earlier 24-bit color. */
const normalizeColor = (packed: number) => ((packed & COLOR_MODE) === RGB_MODE ? packed : packed & ~0xffff00) >>> 0

/**
 * Describes the complete state of a terminal as text, one line per line of its buffers. Terminals with equal states
 * look the same, now and after receiving the same bytes.
 */
export function stateOf(terminal: xterm.Terminal): string[] {
  const core = Reflect.get(terminal, '_core') as Core
  const { normal, alt, active } = core.buffers

  const attributes = ({ fg, bg }: Attributes, extended: ExtendedAttributes | undefined) => {
    const ext = bg & EXTENDED ? extended : undefined
    const url = ext ? (core._oscLinkService.getLinkData(ext.urlId)?.uri ?? '') : ''
    // The underline of a link does not have a separate style.
    const isHidden = ext && !url && ext.underlineStyle === 0
    const underline =
      !isHidden && fg & UNDERLINE
        ? [ext ? normalizeColor(ext.underlineColor) : 0, ...(url ? [] : [ext?.underlineStyle ?? 1])]
        : []
    return [normalizeColor(isHidden ? fg & ~UNDERLINE : fg), normalizeColor(bg & ~EXTENDED), ...underline, url].join(
      '.',
    )
  }

  const describeLine = (line: Line, y: number) => {
    let text = `${y}${line.isWrapped ? '+' : ' '}`
    let last = '0.0'
    for (let x = 0; x < line.length; x++) {
      const hasContent = line.hasContent(x) !== 0
      if (!hasContent && line.getWidth(x) === 0) continue
      const current = attributes({ fg: line.getFg(x), bg: line.getBg(x) }, line._extendedAttrs[x])
      if (current !== last) text += `{${current}}`
      last = current
      text += hasContent ? line.getString(x) : '\u00b7'
    }
    return text
  }

  const describeBuffer = (name: string, buffer: Buffer) => {
    const tabs = Object.keys(buffer.tabs).filter((x) => buffer.tabs[Number(x)] && Number(x) < terminal.cols)
    // Restoring moves the cursor onto the screen.
    const savedX = Math.min(buffer.savedX, terminal.cols - 1)
    const savedY = Math.min(Math.max(0, buffer.savedY - buffer.ybase), terminal.rows - 1)
    const { fg, bg } = buffer.savedCurAttrData
    return [
      ...Array.from({ length: buffer.lines.length }, (_, y) => `${name} ${describeLine(buffer.lines.get(y), y)}`),
      `${name} margins ${buffer.scrollTop} ${buffer.scrollBottom} tabs ${tabs.join(',')}`,
      `${name} saved ${savedX} ${savedY} ${attributes({ fg, bg: bg & ~EXTENDED }, undefined)} ${charsetSize(buffer.savedCharset)}`,
    ]
  }

  const { _curAttrData: current } = core._inputHandler
  const { decPrivateModes, modes } = core.coreService
  const { synchronizedOutput: _, ...lastingModes } = decPrivateModes
  const { glevel, charset } = core._charsetService
  return [
    ...describeBuffer('normal', normal),
    ...(active === alt ? describeBuffer('alternate', alt) : []),
    `cursor ${active.x} ${active.y} hidden ${core.coreService.isCursorHidden}`,
    `next ${attributes(current, current.extended)}`,
    `modes ${JSON.stringify({ ...lastingModes, ...modes })} ${terminal.options.convertEol} ${terminal.options.cursorBlink}`,
    `mouse ${core.coreMouseService.activeProtocol} ${core.coreMouseService.activeEncoding}`,
    `charset ${glevel} ${charsetSize(charset)}`,
  ]
}

/** Length of a character set's definition, which differs between the sets in use; undefined for ASCII. */
const charsetSize = (charset: unknown) => (charset === undefined ? undefined : JSON.stringify(charset).length)
