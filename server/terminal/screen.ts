import unicode11 from '@xterm/addon-unicode11'
import xterm from '@xterm/headless'
import { paint } from './serializer.ts'
import { Palette } from './palette.ts'

/** Lines above the screen that are kept. */
export const SCROLLBACK = 10_000

/** The screen of a terminal, without a window: what a viewer that comes late is shown. */
export class Screen {
  private readonly terminal: xterm.Terminal
  private readonly palette: Palette
  private title = ''

  /** @param onReply what the screen answers to a program's questions (device attributes, cursor position) */
  constructor(cols: number, rows: number, onReply: (data: string) => void) {
    this.terminal = new xterm.Terminal({ cols, rows, scrollback: SCROLLBACK, allowProposedApi: true })
    // As in the browser: both must agree on how wide a character is.
    this.terminal.loadAddon(new unicode11.Unicode11Addon())
    this.terminal.unicode.activeVersion = '11'
    this.terminal.onData(onReply)
    this.palette = new Palette(this.terminal)
    this.terminal.onTitleChange((title) => (this.title = title))
  }

  /** @param parsed called once the bytes are on the screen */
  write(bytes: Uint8Array | string, parsed: () => void): void {
    this.terminal.write(bytes, parsed)
  }

  /**
   * Text that paints this screen, with its modes and colours, on an empty one of the same size.
   *
   * @param scrollback lines above the screen
   */
  snapshot(scrollback: number): string {
    return `${paint(this.terminal, scrollback)}${this.palette.text}${this.title ? `\u001b]2;${this.title}\u0007` : ''}`
  }

  dispose(): void {
    this.terminal.dispose()
  }
}
