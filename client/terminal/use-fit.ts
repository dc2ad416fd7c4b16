import type { Terminal } from '@xterm/xterm'
import { type Ref, watch } from 'vue'
import { fitFont } from './fit-font.ts'

/** Horizontal and vertical space in CSS pixels that border and padding of the terminal's box take. */
const FRAME = { width: 12, height: 8 }
const MIN_FONT_PX = 4
const MAX_FONT_PX = 200
/** Any size at which the cells are measured first. */
const PROBE_FONT_PX = 12
/** Font sizes are multiples of this. */
const FONT_STEP_PX = 0.5

/**
 * Keeps the font of a terminal as large as its box allows.
 *
 * @param box the element that the slide gives the terminal
 * @param scale the factor by which Slidev scales the slide
 * @param reservedHeight CSS pixels at the bottom of the box that something else covers
 * @returns `start` fits a terminal whenever its box, its fonts or the scale change; it returns a function that stops
 */
export function useFit(
  box: Ref<HTMLElement | undefined>,
  scale: Ref<number>,
  reservedHeight: () => number,
): { start: (terminal: Terminal) => () => void; fit: () => void } {
  let terminal: Terminal | undefined
  /** Box and grid that the font was fitted to. */
  let fitted = ''

  function fit(): void {
    const grid = terminal?.element?.querySelector<HTMLElement>('.xterm-screen')
    if (!terminal || !box.value || !grid) return
    const { options, cols, rows } = terminal
    const room = {
      width: (box.value.clientWidth - FRAME.width) * scale.value,
      height: (box.value.clientHeight - FRAME.height - reservedHeight()) * scale.value,
    }
    const target = `${room.width} ${room.height} ${cols} ${rows}`
    const measure = () => ({ width: grid.offsetWidth, height: grid.offsetHeight })
    if (target === fitted || fitFont(measure(), PROBE_FONT_PX, room) === undefined) return
    fitted = target
    const fits = (font: number) => {
      options.fontSize = font
      return grid.offsetWidth <= room.width && grid.offsetHeight <= room.height
    }
    // Another size makes xterm measure its cells again: the last time, the font may not have been loaded.
    options.fontSize = options.fontSize === PROBE_FONT_PX ? PROBE_FONT_PX + 1 : PROBE_FONT_PX
    let font = fitFont(measure(), options.fontSize, room) ?? options.fontSize
    // Cells are whole pixels, so the calculated size may be a step too large or too small.
    while (!fits(font) && font > MIN_FONT_PX) font -= FONT_STEP_PX
    while (font < MAX_FONT_PX && fits(font + FONT_STEP_PX)) font += FONT_STEP_PX
    options.fontSize = font
  }

  /** Fits again once a font is loaded: the cells were measured with the fallback font. */
  function refit(): void {
    fitted = ''
    fit()
  }

  watch(scale, fit)

  return {
    fit,
    start(started) {
      terminal = started
      const observer = new ResizeObserver(fit)
      if (box.value) observer.observe(box.value)
      document.fonts.addEventListener('loadingdone', refit)
      refit()
      return () => {
        observer.disconnect()
        document.fonts.removeEventListener('loadingdone', refit)
        terminal = undefined
      }
    },
  }
}
