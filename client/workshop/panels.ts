import { reactive, watch } from 'vue'
import { z } from 'zod'
import { json } from '../../shared/json.ts'

/** The panels of the learner's page, in the order of their shortcuts (Alt+Shift+1 to 4). */
export const PANELS = ['slide', 'guide', 'editor', 'terminal'] as const
export type PanelName = (typeof PANELS)[number]

/** Size of a panel in percent of the space that it shares with its neighbor. */
export const DEFAULT_SIZES = { left: 48, slide: 56, editor: 50 } as const

interface Panels {
  left: number
  slide: number
  editor: number
  /** The panel that fills the whole page. */
  maximized: PanelName | undefined
  /** Whether the list of files is shown beside the editor. */
  files: boolean
  /** The tab of the guide panel. */
  tab: 'guide' | 'tasks'
}

const STORAGE_KEY = 'understudy-workshop-panels'
const size = z.number().min(20).max(80).optional().catch(undefined)
const storedPanels = z.object({ left: size, slide: size, editor: size, files: z.boolean().optional().catch(undefined) })

function readStoredPanels(): Pick<Panels, 'left' | 'slide' | 'editor' | 'files'> {
  const stored = storedPanels.safeParse(json(localStorage.getItem(STORAGE_KEY) ?? '{}')).data
  return {
    left: stored?.left ?? DEFAULT_SIZES.left,
    slide: stored?.slide ?? DEFAULT_SIZES.slide,
    editor: stored?.editor ?? DEFAULT_SIZES.editor,
    files: stored?.files ?? true,
  }
}

/** The layout of the page, which the browser stores. */
export const panels: Panels = reactive({ ...readStoredPanels(), maximized: undefined, tab: 'guide' })

watch(panels, ({ left, slide, editor, files }) =>
  localStorage.setItem(STORAGE_KEY, JSON.stringify({ left, slide, editor, files })),
)

const focusHandlers = new Map<PanelName, () => void>()

/** Registers the function that focuses a panel's main element. */
export function onFocus(name: PanelName, focus: () => void): void {
  focusHandlers.set(name, focus)
}

/** Focuses a panel. If another panel is maximized, it is restored. */
export function focusPanel(name: PanelName): void {
  if (panels.maximized !== undefined && panels.maximized !== name) panels.maximized = undefined
  // In the next frame, since the panel may just have become visible.
  requestAnimationFrame(() => focusHandlers.get(name)?.())
}

/** @returns the panel that contains an element */
export function panelOf(element: Element | null): PanelName | undefined {
  const name = element?.closest<HTMLElement>('[data-panel]')?.dataset.panel
  return PANELS.find((panel) => panel === name)
}
