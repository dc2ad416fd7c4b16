import { reactive, watch } from 'vue'
import { may, onSync, send } from './connection.ts'

/** Size of the page of a ready step: a card beside the terminal's text, the whole stage, or hidden. */
export type PageSize = 'card' | 'large' | 'hidden'

interface Shared {
  /** The terminal that was chosen on a slide, by the slide's number. */
  terminals: Record<string, string>
  /** Size of the page of a step, by the step's id. */
  pages: Record<string, PageSize>
  /** Whether a terminal covers the whole slide, by the terminal's name. */
  large: Record<string, boolean>
  /** Whether the audience's link is shown on the slides, as a QR code. */
  code: boolean
}

const CHANNEL = 'understudy'

/** The presenter's choices of what to show. All windows share them, so the audience sees the same as the presenter. */
export const shared: Shared = reactive({ terminals: {}, pages: {}, large: {}, code: false })

/** The last state that was received or sent, as JSON. */
let known = ''
if (typeof window !== 'undefined') {
  onSync(CHANNEL, (state) => {
    known = JSON.stringify(state)
    Object.assign(shared, state)
  })
  watch(shared, (state) => {
    const text = JSON.stringify(state)
    // A state that came from another window is not sent back.
    if (text === known || !may('navigate')) return
    known = text
    send({ type: 'sync', channel: CHANNEL, state: JSON.parse(text) as Record<string, unknown> })
  })
}

/** The next size of a page: card, large, hidden, and card again. */
export function nextSize(size: PageSize): PageSize {
  switch (size) {
    case 'card':
      return 'large'
    case 'large':
      return 'hidden'
    case 'hidden':
      return 'card'
  }
}
