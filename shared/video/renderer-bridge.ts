import type { FilmEvent, FilmOpening } from './timeline.ts'

/** What the renderer has put into the window before the page was loaded. */
export interface Filming {
  opening: FilmOpening
  /** The canvas of the slides in CSS pixels, where it is another than the deck's: an upright picture of a slide that lies would show mostly nothing. */
  canvas?: { width: number; height: number } | undefined
  /** Set here, called by the renderer. */
  act?: (event: FilmEvent) => void
  /** Goes to a slide. Set once Slidev can turn slides. */
  go?: (slide: number, clicks: number) => void
  /** How many slides there are, and the clicks of the one that is shown. */
  extent?: () => { slides: number; slide: number; clicks: number }
  /** Bytes that terminals were given and have not parsed yet. */
  unparsed: number
}

// Declares the property without the DOM's types: both the page and the functions that the renderer evaluates in it use it.
declare global {
  interface Window {
    understudyFilm?: Filming
  }
}
