import type { Terminal } from '@xterm/xterm'
import { ref, type Ref, watch } from 'vue'
import { fitFont } from './fit-font.ts'

/** Space in CSS pixels for the border and the padding of the terminal's box. */
const FRAME = { width: 12, height: 8 }
const MIN_FONT_PX = 4
const MAX_FONT_PX = 200
/** Font size at which the cells are measured first. Any size would do. */
const PROBE_FONT_PX = 12
/** Font sizes are multiples of this step. */
const FONT_STEP_PX = 0.5

/**
 * Keeps the font of a terminal at the largest size that fits its box.
 *
 * @param box the element that the slide gives the terminal
 * @param scale the factor by which Slidev scales the slide
 * @param reservedHeight height in CSS pixels of an area at the bottom of the box that is covered, such as by a bar
 * @returns `start` fits a terminal whenever its box, its fonts or the scale change; it returns a function that stops.
 * `textSize` is the size of the font in CSS pixels of the slide; undefined before the first fit
 */
export function useFit(
  box: Ref<HTMLElement | undefined>,
  scale: Ref<number>,
  reservedHeight: () => number,
): { start: (terminal: Terminal) => () => void; fit: () => void; textSize: Readonly<Ref<number | undefined>> } {
  const textSize = ref<number>()
  let terminal: Terminal | undefined
  /** Sizes of the box and the grid at the last fit. */
  let fitted = ''

  function fit(): void {
    const grid = terminal?.element?.querySelector<HTMLElement>('.xterm-screen')
    if (!terminal || !box.value || !grid) return
    const { options, cols, rows } = terminal
    const available = {
      width: (box.value.clientWidth - FRAME.width) * scale.value,
      height: (box.value.clientHeight - FRAME.height - reservedHeight()) * scale.value,
    }
    const target = `${available.width} ${available.height} ${cols} ${rows}`
    const measure = () => ({ width: grid.offsetWidth, height: grid.offsetHeight })
    if (target === fitted || fitFont(measure(), PROBE_FONT_PX, available) === undefined) return
    fitted = target
    const fits = (font: number) => {
      options.fontSize = font
      return grid.offsetWidth <= available.width && grid.offsetHeight <= available.height
    }
    // A different size makes xterm measure its cells again: the font may not have been loaded before.
    options.fontSize = options.fontSize === PROBE_FONT_PX ? PROBE_FONT_PX + 1 : PROBE_FONT_PX
    let font = fitFont(measure(), options.fontSize, available) ?? options.fontSize
    // Cells are whole pixels, so the calculated size may be a step too large or too small.
    while (!fits(font) && font > MIN_FONT_PX) font -= FONT_STEP_PX
    while (font < MAX_FONT_PX && fits(font + FONT_STEP_PX)) font += FONT_STEP_PX
    options.fontSize = font
    textSize.value = font / scale.value
  }

  /** Fits again once a font is loaded: the cells were measured with the fallback font. */
  function refit(): void {
    fitted = ''
    fit()
  }

  watch(scale, fit)

  return {
    fit,
    textSize,
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
