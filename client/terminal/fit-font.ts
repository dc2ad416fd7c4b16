/** A width and a height in CSS pixels. */
export interface Size {
  width: number
  height: number
}

/** Smaller text is illegible, and browsers do not render it reliably. */
const MIN_FONT_PX = 4

/**
 * Calculates the largest font with which a grid of cells fits a box. Cells grow in proportion to the font.
 *
 * @param screen size of the grid at the font size `size`
 * @param size font size in pixels
 * @returns a font size in steps of half a pixel, so that a box that changes by a pixel does not move the text;
 * undefined if the grid or the box is empty, as on a hidden slide
 */
export function fitFont(screen: Size, size: number, box: Size): number | undefined {
  if (![screen.width, screen.height, size, box.width, box.height].every((length) => length > 0)) return undefined
  const factor = Math.min(box.width / screen.width, box.height / screen.height)
  return Math.max(MIN_FONT_PX, Math.floor(size * factor * 2) / 2)
}
