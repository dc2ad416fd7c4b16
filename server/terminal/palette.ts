import type xterm from '@xterm/headless'

/** What programs ask of the colours (IColorEvent in xterm.js' src/common/Types.ts): to report, to set, or to restore one; none restores all 256. */
type ColourEvent = { type: 0 | 1 | 2; index?: number; color?: [number, number, number] }[]
interface Core {
  _inputHandler: { onColor: (listener: (event: ColourEvent) => void) => unknown }
}

const SET = 1
const RESTORE = 2
/** Colours 0 to 255 are of the palette (OSC 4); the text's, the background's and the cursor's have numbers of their own behind them. */
const PALETTE = 256
const OTHERS: Record<number, number> = { 256: 10, 257: 11, 258: 12 }

/** The colours that programs have changed (OSC 4, 10, 11, 12). They are of no cell, so the painting of the screen does not hold them. */
export class Palette {
  private readonly changed = new Map<number, [number, number, number]>()

  constructor(terminal: xterm.Terminal) {
    const { _inputHandler } = Reflect.get(terminal, '_core') as Core
    _inputHandler.onColor((event) => {
      for (const { type, index, color } of event) {
        if (type === SET && index !== undefined && color) this.changed.set(index, color)
        else if (type === RESTORE && index !== undefined) this.changed.delete(index)
        else if (type === RESTORE)
          for (const each of [...this.changed.keys()]) if (each < PALETTE) this.changed.delete(each)
      }
    })
  }

  /** Text that gives a terminal these colours, and the theme's for all others. */
  get text(): string {
    const set = [...this.changed].map(([index, rgb]) => {
      const spec = `rgb:${rgb.map((part) => part.toString(16).padStart(2, '0')).join('/')}`
      return index < PALETTE ? `\u001b]4;${index};${spec}\u0007` : `\u001b]${OTHERS[index]};${spec}\u0007`
    })
    return `\u001b]104\u0007\u001b]110\u0007\u001b]111\u0007\u001b]112\u0007${set.join('')}`
  }
}
