import { screenReader } from '../terminal/screen-reader.ts'
import { checkTask } from './course.ts'
import { focusPanel, PANELS, type PanelName, panels } from './panels.ts'

/** A key of the page's own; everything else belongs to what has the focus. */
export interface PageKey {
  keys: string
  does: string
}

/** As the page's help and docs/workshop.md list them. */
export const PAGE_KEYS: readonly PageKey[] = [
  { keys: 'F6, Shift+F6', does: 'The next panel, or the one before' },
  { keys: 'Alt+Shift+1 … 4', does: 'Slide, guide, editor, terminal' },
  { keys: 'Alt+Shift+5', does: 'The list of tasks' },
  { keys: 'Shift+Esc', does: 'Out of the editor or the terminal, to its panel: Tab goes on from there' },
  { keys: 'Alt+Shift+C', does: 'Check the task' },
  { keys: 'Alt+Shift+E', does: 'Enlarge the panel, or put it back' },
  { keys: 'Alt+Shift+R', does: 'Screen reader mode of editor and terminal' },
  { keys: 'Alt+Shift+H', does: 'This list' },
]

export const PANEL_KEYS: readonly (PageKey & { panel: string })[] = [
  { panel: 'Slide', keys: '→ or Space, ←', does: 'One click further, or back' },
  { panel: 'Slide', keys: '↓, ↑', does: 'The next slide, or the one before' },
  { panel: 'Editor', keys: 'Ctrl+S', does: 'Save' },
  { panel: 'Editor', keys: 'Ctrl+M', does: 'Tab moves the focus instead of indenting, or indents again' },
  { panel: 'Editor', keys: 'Ctrl+F, Ctrl+/', does: 'Find; comment' },
  { panel: 'Editor', keys: 'F1', does: 'All commands of the editor' },
  { panel: 'Changes', keys: 'F7, Shift+F7', does: 'Through the changes, line by line, also for a screen reader' },
  { panel: 'Terminal', keys: 'Ctrl+Shift+F', does: 'Search' },
  { panel: 'Line between panels', keys: 'Arrows, Enter', does: 'Its place; the usual one' },
]

/** What a key does for the page, wherever the focus is. The editor and the terminal do not get to see such a key. */
export function pageKey(event: KeyboardEvent, panel: PanelName | undefined, help: () => void): void {
  const act = actionOf(event, panel, help)
  if (!act) return
  event.preventDefault()
  event.stopPropagation()
  act()
}

function actionOf(
  { key, code, altKey, shiftKey, ctrlKey, metaKey }: KeyboardEvent,
  panel: PanelName | undefined,
  help: () => void,
): (() => void) | undefined {
  if (ctrlKey || metaKey) return undefined
  if (key === 'F6' && !altKey) return () => focusPanel(beside(panel, shiftKey ? -1 : 1))
  if (key === 'Escape' && shiftKey && panel)
    return () => document.querySelector<HTMLElement>(`[data-panel="${panel}"]`)?.focus()
  if (!altKey || !shiftKey) return undefined
  // By the place of the key: with Alt and Shift layouts make other characters of them.
  if (code === 'KeyC') return checkTask
  if (code === 'KeyE') return () => (panels.enlarged = panels.enlarged ? undefined : (panel ?? 'editor'))
  if (code === 'KeyR') return () => (screenReader.value = !screenReader.value)
  if (code === 'KeyH') return help
  const digit = Number(/^Digit(\d)$/.exec(code)?.[1])
  if (digit === 5) return () => ((panels.tab = 'tasks'), focusPanel('guide'))
  if (digit === 2) return () => ((panels.tab = 'guide'), focusPanel('guide'))
  const wanted = PANELS[digit - 1]
  return wanted && (() => focusPanel(wanted))
}

function beside(panel: PanelName | undefined, by: 1 | -1): PanelName {
  if (panel === undefined) return by > 0 ? PANELS[0] : 'terminal'
  return PANELS[(PANELS.indexOf(panel) + by + PANELS.length) % PANELS.length] ?? PANELS[0]
}
