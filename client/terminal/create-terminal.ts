import { SearchAddon } from '@xterm/addon-search'
import { SerializeAddon } from '@xterm/addon-serialize'
import { Unicode11Addon } from '@xterm/addon-unicode11'
import { WebLinksAddon } from '@xterm/addon-web-links'
import { type ITerminalInitOnlyOptions, type ITerminalOptions, Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { silenceQueries } from './silence-queries.ts'
import { CONTRAST } from './themes.ts'

/** Lines of scrollback, as many as the server's screen keeps. */
const SCROLLBACK = 10_000

/** A terminal with its addons, not yet opened in the page. */
export interface ConfiguredTerminal {
  terminal: Terminal
  search: SearchAddon
  /** The selected text as HTML with its colors. */
  selectionAsHtml: () => string
}

/**
 * Creates a terminal that shows the server's screen.
 */
export function createTerminal(
  options: ITerminalInitOnlyOptions &
    Pick<ITerminalOptions, 'fontFamily' | 'screenReaderMode' | 'disableStdin' | 'theme'>,
): ConfiguredTerminal {
  const terminal = new Terminal({
    ...options,
    scrollback: SCROLLBACK,
    fontSize: 12,
    cursorBlink: false,
    allowProposedApi: true,
    minimumContrastRatio: CONTRAST,
    linkHandler: { activate: openLink },
  })
  silenceQueries(terminal.parser)
  useUnicode11(terminal)
  terminal.loadAddon(new WebLinksAddon(openLink))
  const search = new SearchAddon()
  terminal.loadAddon(search)
  const serializer = new SerializeAddon()
  terminal.loadAddon(serializer)
  return {
    terminal,
    search,
    selectionAsHtml: () => serializer.serializeAsHTML({ onlySelection: true, includeGlobalBackground: true }),
  }
}

/** Creates a terminal that is never drawn, to read the screen at the end of a recording. */
export function createParser(size: { cols: number; rows: number }): Terminal {
  const terminal = new Terminal({ ...size, allowProposedApi: true, scrollback: 0 })
  useUnicode11(terminal)
  return terminal
}

/** The same version as in the server's screen: both must agree on the width of every character. */
function useUnicode11(terminal: Terminal): void {
  terminal.loadAddon(new Unicode11Addon())
  terminal.unicode.activeVersion = '11'
}

/** Opens only web addresses, because any program can print a link. */
function openLink(_: unknown, uri: string): void {
  if (/^https?:/i.test(uri)) window.open(uri, '_blank', 'noopener,noreferrer')
}
