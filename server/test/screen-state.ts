import unicode11 from '@xterm/addon-unicode11'
import xterm from '@xterm/headless'
import { SCROLLBACK } from '../terminal/screen.ts'

/** A terminal as viewers have one. */
export function newTerminal(cols: number, rows: number, scrollback = SCROLLBACK): xterm.Terminal {
  const terminal = new xterm.Terminal({ cols, rows, scrollback, allowProposedApi: true })
  terminal.loadAddon(new unicode11.Unicode11Addon())
  terminal.unicode.activeVersion = '11'
  return terminal
}

export const written = (terminal: xterm.Terminal, data: string | Uint8Array): Promise<void> =>
  new Promise((done) => terminal.write(data, done))

interface Line {
  isWrapped: boolean
  length: number
  hasContent: (x: number) => number
  getWidth: (x: number) => number
  getString: (x: number) => string
  getFg: (x: number) => number
  getBg: (x: number) => number
  _extendedAttrs: Record<number, { underlineStyle: number; underlineColor: number; urlId: number } | undefined>
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
  savedCurAttrData: { fg: number; bg: number }
  savedCharset: unknown
}

const EXTENDED = 0x10000000
const UNDERLINE = 0x10000000
/** The palette's colours take a byte; above it may be left what a 24-bit colour has left there. */
const colour = (attributes: number) =>
  ((attributes & 0x3000000) === 0x3000000 ? attributes : attributes & ~0xffff00) >>> 0

/**
 * Everything that a terminal will ever show of what it was sent, as text: two terminals with the same state look the same now and after
 * the same bytes. One line for each line of a buffer, so that a difference can be read.
 */
export function stateOf(terminal: xterm.Terminal): string[] {
  const core = Reflect.get(terminal, '_core')
  const { normal, alt, active }: Record<'normal' | 'alt' | 'active', Buffer> = core.buffers
  const link = (id: number) => core._oscLinkService.getLinkData(id)?.uri ?? ''
  const attributes = (fg: number, bg: number, extended: Line['_extendedAttrs'][number]) => {
    const ext = bg & EXTENDED ? extended : undefined
    const url = ext ? link(ext.urlId) : ''
    // A link hides the style of its underline.
    const none = ext && !url && ext.underlineStyle === 0
    const underlined =
      !none && fg & UNDERLINE ? [ext ? colour(ext.underlineColor) : 0, ...(url ? [] : [ext?.underlineStyle ?? 1])] : []
    return [colour(none ? fg & ~UNDERLINE : fg), colour(bg & ~EXTENDED), ...underlined, url].join('.')
  }
  const line = (each: Line, y: number) => {
    let text = `${y}${each.isWrapped ? '+' : ' '}`
    let last = '0.0'
    for (let x = 0; x < each.length; x++) {
      const [content, width] = [each.hasContent(x) !== 0, each.getWidth(x)]
      if (!content && width === 0) continue
      const now = attributes(each.getFg(x), each.getBg(x), each._extendedAttrs[x])
      if (now !== last) text += `{${now}}`
      last = now
      text += content ? each.getString(x) : '\u00b7'
    }
    return text
  }
  const buffer = (name: string, each: Buffer) => [
    ...Array.from({ length: each.lines.length }, (_, y) => `${name} ${line(each.lines.get(y), y)}`),
    `${name} margins ${each.scrollTop} ${each.scrollBottom} tabs ${Object.keys(each.tabs).filter((x) => each.tabs[Number(x)] && Number(x) < terminal.cols)}`,
    // Restored, a cursor is on the screen.
    `${name} saved ${Math.min(each.savedX, terminal.cols - 1)} ${Math.min(Math.max(0, each.savedY - each.ybase), terminal.rows - 1)} ${attributes(each.savedCurAttrData.fg, each.savedCurAttrData.bg & ~EXTENDED, undefined)} ${JSON.stringify(each.savedCharset)?.length}`,
  ]
  const { _curAttrData: current } = core._inputHandler
  const { decPrivateModes, modes } = core.coreService
  const { synchronizedOutput: _, ...lasting } = decPrivateModes
  const sets = core._charsetService
  return [
    ...buffer('normal', normal),
    ...(active === alt ? buffer('alternate', alt) : []),
    `cursor ${active.x} ${active.y} hidden ${core.coreService.isCursorHidden}`,
    `next ${attributes(current.fg, current.bg, current.extended)}`,
    `modes ${JSON.stringify({ ...lasting, ...modes })} ${terminal.options.convertEol} ${terminal.options.cursorBlink}`,
    `mouse ${core.coreMouseService.activeProtocol} ${core.coreMouseService.activeEncoding}`,
    `charset ${sets.glevel} ${JSON.stringify(sets.charset)?.length}`,
  ]
}
