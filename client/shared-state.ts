import { reactive, watch } from 'vue'
import { may, onSync, send } from './connection.ts'

/** How much room the page of a ready step has: beside the terminal's text, the whole stage, or none. */
export type PageSize = 'card' | 'large' | 'hidden'

interface Shared {
  /** The terminal that was chosen on a slide, by the slide's number. */
  terminals: Record<string, string>
  /** The page of a step, by the step's id. */
  pages: Record<string, PageSize>
  /** The terminals that take the whole slide. */
  large: Record<string, boolean>
  /** Whether the audience's link stands on the slides. */
  code: boolean
}

const CHANNEL = 'understudy'

/** What the speaker has chosen to show. It is the same in every window: the audience sees what the presenter sees. */
export const shared: Shared = reactive({ terminals: {}, pages: {}, large: {}, code: false })

/** What all windows have: what was received or sent last. */
let known = ''
if (typeof window !== 'undefined') {
  onSync(CHANNEL, (state) => {
    known = JSON.stringify(state)
    Object.assign(shared, state)
  })
  watch(shared, (state) => {
    const text = JSON.stringify(state)
    // What came from another window is not sent back.
    if (text === known || !may('navigate')) return
    known = text
    send({ type: 'sync', channel: CHANNEL, state: JSON.parse(text) as Record<string, unknown> })
  })
}

/** The next size of a page: card, the whole stage, hidden, and again. */
export function nextSize(size: PageSize): PageSize {
  return size === 'card' ? 'large' : size === 'large' ? 'hidden' : 'card'
}
