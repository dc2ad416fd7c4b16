import type { IBuffer, IBufferCell } from '@xterm/xterm'

/** A piece of a line that looks the same throughout. */
export interface Run {
  text: string
  /** Undefined for the theme's own. */
  foreground?: Colour
  background?: Colour
  bold?: true
}
/** A number of the palette, `#rrggbb`, or, in inverse text, one of the theme's own. */
export type Colour = number | `#${string}` | 'foreground' | 'background'

/** What a terminal shows, without the terminal: text and colours. */
export interface Snapshot {
  cols: number
  rows: number
  lines: Run[][]
}

/**
 * Reads what a terminal shows.
 *
 * @returns undefined where nothing is on the screen
 */
export function snapshotOf({
  buffer,
  cols,
  rows,
}: {
  buffer: { active: IBuffer }
  cols: number
  rows: number
}): Snapshot | undefined {
  const { active } = buffer
  const cell = active.getNullCell()
  const lines = Array.from({ length: rows }, (_, row) => {
    const line = active.getLine(active.baseY + row)
    const runs: Run[] = []
    for (let column = 0; column < cols; column++) {
      // The second half of a wide character has no width of its own.
      if (!line?.getCell(column, cell) || cell.getWidth() === 0) continue
      const piece = look(cell)
      const last = runs.at(-1)
      if (
        last &&
        last.foreground === piece.foreground &&
        last.background === piece.background &&
        last.bold === piece.bold
      )
        last.text += piece.text
      else runs.push(piece)
    }
    return runs
  })
  return lines.some((runs) => runs.some(({ text }) => text.trim() !== '')) ? { cols, rows, lines } : undefined
}

function look(cell: IBufferCell): Run {
  const text = cell.isInvisible() ? ' '.repeat(cell.getWidth()) : cell.getChars() || ' '
  let foreground = colour(cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor())
  let background = colour(cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor())
  if (cell.isInverse()) [foreground, background] = [background ?? 'background', foreground ?? 'foreground']
  return {
    text,
    ...(foreground !== undefined && { foreground }),
    ...(background !== undefined && { background }),
    ...(cell.isBold() && { bold: true }),
  }
}

function colour(byDefault: boolean, rgb: boolean, value: number): Colour | undefined {
  if (byDefault) return undefined
  return rgb ? `#${value.toString(16).padStart(6, '0')}` : value
}

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const
type Named = (typeof NAMES)[number]
export type Palette = Record<Named | `bright${Capitalize<Named>}` | 'foreground' | 'background', string>

/** Levels of each part of a colour in xterm's cube of 6 × 6 × 6 (its 256 colours from 16 to 231). */
const LEVELS = [0, 95, 135, 175, 215, 255]

/** A colour for CSS. */
export function css(value: Colour, palette: Palette): string {
  if (value === 'foreground' || value === 'background') return palette[value]
  if (typeof value === 'string') return value
  const name = NAMES[value % 8]
  if (value < 16 && name)
    return value < 8
      ? palette[name]
      : palette[`bright${name[0]?.toUpperCase() ?? ''}${name.slice(1)}` as `bright${Capitalize<Named>}`]
  if (value >= 232)
    return `rgb(${Array(3)
      .fill(8 + (value - 232) * 10)
      .join(' ')})`
  const place = value - 16
  return `rgb(${[Math.floor(place / 36), Math.floor(place / 6) % 6, place % 6].map((level) => LEVELS[level]).join(' ')})`
}
