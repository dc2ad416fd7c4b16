import serialize from '@xterm/addon-serialize'
import unicode11 from '@xterm/addon-unicode11'
import xterm from '@xterm/headless'

/** Lines above the screen that are kept. */
export const SCROLLBACK = 10_000

/** What the serializer leaves out, of the private modes of DEC (xterm's ctlseqs): mouse encoding and the hidden cursor. */
const EXTRA_MODES = [1005, 1006, 1015, 1016]

/** The screen of a terminal, without a window: what a viewer that comes late is shown. */
export class Screen {
  private readonly terminal: xterm.Terminal
  private readonly serializer = new serialize.SerializeAddon()
  private readonly modes = new Set<number>()
  private cursorHidden = false
  private title = ''

  /** @param onReply what the screen answers to a program's questions (device attributes, cursor position) */
  constructor(cols: number, rows: number, onReply: (data: string) => void) {
    this.terminal = new xterm.Terminal({ cols, rows, scrollback: SCROLLBACK, allowProposedApi: true })
    this.terminal.loadAddon(this.serializer)
    // As in the browser: both must agree on how wide a character is.
    this.terminal.loadAddon(new unicode11.Unicode11Addon())
    this.terminal.unicode.activeVersion = '11'
    this.terminal.onData(onReply)
    this.terminal.onTitleChange((title) => (this.title = title))
    for (const final of ['h', 'l'])
      this.terminal.parser.registerCsiHandler({ prefix: '?', final }, (params) => {
        for (const mode of params.flat()) {
          if (mode === 25) this.cursorHidden = final === 'l'
          if (EXTRA_MODES.includes(mode)) final === 'h' ? this.modes.add(mode) : this.modes.delete(mode)
        }
        return false
      })
    // A soft reset shows the cursor.
    this.terminal.parser.registerCsiHandler({ intermediates: '!', final: 'p' }, () => {
      this.cursorHidden = false
      return false
    })
    this.terminal.parser.registerEscHandler({ final: 'c' }, () => {
      this.modes.clear()
      this.cursorHidden = false
      return false
    })
  }

  /** @param parsed called once the bytes are on the screen */
  write(bytes: Uint8Array | string, parsed: () => void): void {
    this.terminal.write(bytes, parsed)
  }

  /**
   * Text that paints this screen, with its modes, on an empty one of the same size.
   *
   * @param scrollback lines above the screen
   */
  snapshot(scrollback: number): string {
    const modes = [...this.modes].map((mode) => `\u001b[?${mode}h`).join('')
    const title = this.title ? `\u001b]2;${this.title}\u0007` : ''
    return `${this.serializer.serialize({ scrollback })}${modes}${this.cursorHidden ? '\u001b[?25l' : ''}${title}`
  }

  dispose(): void {
    this.terminal.dispose()
  }
}
