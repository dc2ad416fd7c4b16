import unicode11 from '@xterm/addon-unicode11'
import xterm from '@xterm/headless'
import { Palette } from './palette.ts'
import { serialize } from './serializer.ts'

/** Lines above the screen that are kept. */
export const SCROLLBACK_LINES = 10_000

/** A headless terminal: parses output so that its state can be sent to viewers that attach later. */
export class Screen {
  private readonly terminal: xterm.Terminal
  private readonly palette: Palette
  private title = ''

  /** @param onReply receives replies to a program's queries, such as device attributes and the cursor position */
  constructor(cols: number, rows: number, onReply: (data: string) => void) {
    this.terminal = new xterm.Terminal({ cols, rows, scrollback: SCROLLBACK_LINES, allowProposedApi: true })
    // The browser uses the same version, so that both calculate the same width for each character.
    this.terminal.loadAddon(new unicode11.Unicode11Addon())
    this.terminal.unicode.activeVersion = '11'
    this.terminal.onData(onReply)
    this.palette = new Palette(this.terminal)
    this.terminal.onTitleChange((title) => (this.title = title))
  }

  /** @param onParsed called once the bytes have been applied to the screen */
  write(bytes: Uint8Array | string, onParsed: () => void): void {
    this.terminal.write(bytes, onParsed)
  }

  /**
   * Serializes the screen with its modes, colors and title.
   *
   * @param scrollback number of lines above the screen to include
   * @returns text that reproduces the screen in an empty terminal of the same size
   */
  snapshot(scrollback: number): string {
    const title = this.title ? `\u001b]2;${this.title}\u0007` : ''
    return `${serialize(this.terminal, scrollback)}${this.palette.serialize()}${title}`
  }

  dispose(): void {
    this.terminal.dispose()
  }
}
