import type { IBuffer, IBufferCell } from '@xterm/xterm'

/** A part of a line with one style. */
export interface Run {
  text: string
  /** Undefined for the theme's color. */
  foreground?: Color
  background?: Color
  bold?: true
}
/** An index into the palette of 256 colors, `#rrggbb`, or, in inverse text, a color of the theme. */
export type Color = number | `#${string}` | 'foreground' | 'background'

/** The screen of a terminal as data: text and colors. */
export interface Snapshot {
  cols: number
  rows: number
  lines: Run[][]
}

/**
 * Captures a snapshot of a terminal's screen.
 *
 * @returns undefined if the screen is empty
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
      // The second cell of a wide character has no width.
      if (!line?.getCell(column, cell) || cell.getWidth() === 0) continue
      const run = runOf(cell)
      const last = runs.at(-1)
      if (last && last.foreground === run.foreground && last.background === run.background && last.bold === run.bold)
        last.text += run.text
      else runs.push(run)
    }
    return runs
  })
  return lines.some((runs) => runs.some(({ text }) => text.trim() !== '')) ? { cols, rows, lines } : undefined
}

function runOf(cell: IBufferCell): Run {
  const text = cell.isInvisible() ? ' '.repeat(cell.getWidth()) : cell.getChars() || ' '
  let foreground = color(cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor())
  let background = color(cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor())
  if (cell.isInverse()) [foreground, background] = [background ?? 'background', foreground ?? 'foreground']
  return {
    text,
    ...(foreground !== undefined && { foreground }),
    ...(background !== undefined && { background }),
    ...(cell.isBold() && { bold: true }),
  }
}

function color(isDefault: boolean, isRgb: boolean, value: number): Color | undefined {
  if (isDefault) return undefined
  return isRgb ? `#${value.toString(16).padStart(6, '0')}` : value
}

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const
type Named = (typeof NAMES)[number]
export type Palette = Record<Named | `bright${Capitalize<Named>}` | 'foreground' | 'background', string>

/** Levels of each component in xterm's color cube of 6 × 6 × 6 (palette indexes 16 to 231). */
const LEVELS = [0, 95, 135, 175, 215, 255]

/** Converts a color to CSS. */
export function cssColor(value: Color, palette: Palette): string {
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
  const index = value - 16
  return `rgb(${[Math.floor(index / 36), Math.floor(index / 6) % 6, index % 6].map((level) => LEVELS[level]).join(' ')})`
}
