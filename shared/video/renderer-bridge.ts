import type { RenderOpening, VideoEvent } from './timeline.ts'

/** The interface between a rendered page and the renderer. The renderer sets it before the page loads. */
export interface RendererBridge {
  opening: RenderOpening
  /**
   * Size of the slide canvas in CSS pixels, if it differs from the deck's. Vertical videos need it: a landscape slide
   * would fill only a small part of the frame.
   */
  canvas?: { width: number; height: number } | undefined
  /** Applies a timeline event to the page. Set by the page, called by the renderer. */
  apply?: (event: VideoEvent) => void
  /** Navigates to a slide. Set by the page once Slidev's navigation is available. */
  go?: (slide: number, clicks: number) => void
  /** Returns the number of slides, the current slide and its number of clicks. Set together with `go`. */
  position?: () => { slides: number; slide: number; clicks: number }
  /** Bytes that were sent to terminals and are not parsed yet. */
  unparsed: number
}

// The page and the functions that the renderer evaluates in it use this property; server/ has no DOM types.
declare global {
  interface Window {
    understudyRenderer?: RendererBridge
  }
}
