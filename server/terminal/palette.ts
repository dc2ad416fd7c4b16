import type xterm from '@xterm/headless'

/**
 * Requests of a program to report, set or restore colors (IColorEvent in xterm.js' src/common/Types.ts). A restore
 * request without an index restores the 256 palette colors.
 */
type ColorEvent = { type: 0 | 1 | 2; index?: number; color?: [number, number, number] }[]
interface Core {
  _inputHandler: { onColor: (listener: (event: ColorEvent) => void) => unknown }
}

const SET = 1
const RESTORE = 2
/** Colors 0 to 255 form the palette (OSC 4). */
const PALETTE_SIZE = 256
/** The OSC numbers of the text, background and cursor colors, which xterm.js appends to the palette. */
const SPECIAL_COLORS: Record<number, number> = { 256: 10, 257: 11, 258: 12 }

/**
 * Tracks the colors that programs have changed (OSC 4, 10, 11, 12). They belong to the terminal, not to its cells, so
 * serializer.ts does not include them.
 */
export class Palette {
  private readonly changed = new Map<number, [number, number, number]>()

  /** @param terminal the listener is removed when the terminal is disposed */
  constructor(terminal: xterm.Terminal) {
    const { _inputHandler } = Reflect.get(terminal, '_core') as Core
    _inputHandler.onColor((event) => {
      for (const { type, index, color } of event) {
        if (type === SET && index !== undefined && color) this.changed.set(index, color)
        else if (type === RESTORE && index !== undefined) this.changed.delete(index)
        else if (type === RESTORE)
          for (const changed of [...this.changed.keys()]) if (changed < PALETTE_SIZE) this.changed.delete(changed)
      }
    })
  }

  /** Escape sequences that give a terminal these colors and restore the theme's value of all others. */
  serialize(): string {
    const sequences = [...this.changed].map(([index, rgb]) => {
      const spec = `rgb:${rgb.map((part) => part.toString(16).padStart(2, '0')).join('/')}`
      return index < PALETTE_SIZE ? `\u001b]4;${index};${spec}\u0007` : `\u001b]${SPECIAL_COLORS[index]};${spec}\u0007`
    })
    return `\u001b]104\u0007\u001b]110\u0007\u001b]111\u0007\u001b]112\u0007${sequences.join('')}`
  }
}
