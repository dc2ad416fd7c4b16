import { reactive, watch } from 'vue'

/** The panels of the learner's page, in the order of the keys that reach them (Alt+Shift+1 to 4). */
export const PANELS = ['slide', 'guide', 'editor', 'terminal'] as const
export type PanelName = (typeof PANELS)[number]

/** Per cent of the box that a panel shares with the one behind it. */
export const USUAL = { left: 48, slide: 56, editor: 50 } as const

interface Panels {
  left: number
  slide: number
  editor: number
  /** The one that has the whole page. */
  enlarged: PanelName | undefined
  /** Whether the list of files stands beside the editor. */
  files: boolean
  /** What the guide's panel shows. */
  tab: 'guide' | 'tasks'
}

/** Each browser remembers how its learner has set up the page. */
const KEY = 'understudy-workshop-panels'

function remembered(): Partial<Panels> {
  try {
    const told: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    if (typeof told !== 'object' || told === null) return {}
    const sizes = Object.entries(told).filter(
      ([name, value]) =>
        (name in USUAL && typeof value === 'number' && value >= 20 && value <= 80) ||
        (name === 'files' && typeof value === 'boolean'),
    )
    return Object.fromEntries(sizes)
  } catch {
    return {}
  }
}

export const panels: Panels = reactive({ ...USUAL, enlarged: undefined, files: true, tab: 'guide', ...remembered() })

watch(panels, ({ left, slide, editor, files }) =>
  localStorage.setItem(KEY, JSON.stringify({ left, slide, editor, files })),
)

const focusers = new Map<PanelName, () => void>()

/** Told by a panel that is there: what takes the focus when it is asked for. */
export function onFocus(name: PanelName, focus: () => void): void {
  focusers.set(name, focus)
}

/** Puts the focus into a panel. One that is hidden behind an enlarged one takes the page back. */
export function focusPanel(name: PanelName): void {
  if (panels.enlarged !== undefined && panels.enlarged !== name) panels.enlarged = undefined
  // The panel may just have been shown.
  requestAnimationFrame(() => focusers.get(name)?.())
}

/** The panel that has the focus. */
export function panelOf(element: Element | null): PanelName | undefined {
  const name = element?.closest<HTMLElement>('[data-panel]')?.dataset.panel
  return PANELS.find((panel) => panel === name)
}
