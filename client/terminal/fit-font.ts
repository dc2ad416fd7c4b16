/** A width and a height in CSS pixels. */
export interface Size {
  width: number
  height: number
}

/** Smaller than this nobody reads it, and browsers stop scaling. In pixels. */
const SMALLEST = 4

/**
 * The largest font with which a grid of cells fits a box. Cells grow in proportion to the font.
 *
 * @param screen what the grid measures at the font size `size`
 * @param size in pixels
 * @returns a font size in steps of half a pixel, so that a box that breathes by a pixel does not move the text; undefined where
 * one of the two has no extent, as on a hidden slide
 */
export function fitFont(screen: Size, size: number, box: Size): number | undefined {
  if (![screen.width, screen.height, size, box.width, box.height].every((length) => length > 0)) return undefined
  const factor = Math.min(box.width / screen.width, box.height / screen.height)
  return Math.max(SMALLEST, Math.floor(size * factor * 2) / 2)
}
