import { screenReader } from '../terminal/screen-reader.ts'
import { checkTask } from './course.ts'
import { focusPanel, PANELS, type PanelName, panels } from './panels.ts'

/** A keyboard shortcut, as the help lists it (KeysDialog.vue). */
export interface KeyHelp {
  keys: string
  action: string
}

/** Shortcuts that work anywhere on the page, including the editor and the terminal. */
export const PAGE_KEYS: readonly KeyHelp[] = [
  { keys: 'F6, Shift+F6', action: 'Next or previous panel' },
  { keys: 'Alt+Shift+1 … 4', action: 'Focus slide, guide, editor or terminal' },
  { keys: 'Alt+Shift+5', action: 'Show the task list' },
  { keys: 'Shift+Esc', action: 'Leave the editor or terminal, so that Tab moves the focus' },
  { keys: 'Alt+Shift+C', action: 'Check the task' },
  { keys: 'Alt+Shift+E', action: 'Maximize or restore the panel' },
  { keys: 'Alt+Shift+R', action: 'Toggle screen reader mode of editor and terminal' },
  { keys: 'Alt+Shift+H', action: 'Show keyboard shortcuts' },
]

/** Shortcuts of the focused panel. */
export const PANEL_KEYS: readonly (KeyHelp & { panel: string })[] = [
  { panel: 'Slide', keys: '→ or Space, ←', action: 'Next or previous click' },
  { panel: 'Slide', keys: '↓, ↑', action: 'Next or previous slide' },
  { panel: 'Editor', keys: 'Ctrl+S', action: 'Save' },
  { panel: 'Editor', keys: 'Ctrl+M', action: 'Switch Tab between indenting and moving the focus' },
  { panel: 'Editor', keys: 'Ctrl+F, Ctrl+/', action: 'Find; toggle comment' },
  { panel: 'Editor', keys: 'F1', action: 'Show all editor commands' },
  { panel: 'Changes', keys: 'F7, Shift+F7', action: 'Next or previous change, read by screen readers' },
  { panel: 'Terminal', keys: 'Ctrl+Shift+F', action: 'Search' },
  { panel: 'Divider', keys: 'Arrows, Enter', action: 'Resize; restore the default size' },
]

/** Handles a page shortcut, regardless of the focus, and hides it from the editor and the terminal. */
export function handlePageKey(event: KeyboardEvent, focused: PanelName | undefined, showHelp: () => void): void {
  const action = actionOf(event, focused, showHelp)
  if (!action) return
  event.preventDefault()
  event.stopPropagation()
  action()
}

function actionOf(
  { key, code, altKey, shiftKey, ctrlKey, metaKey }: KeyboardEvent,
  focused: PanelName | undefined,
  showHelp: () => void,
): (() => void) | undefined {
  if (ctrlKey || metaKey) return undefined
  if (key === 'F6' && !altKey) return () => focusPanel(adjacentPanel(focused, shiftKey ? -1 : 1))
  if (key === 'Escape' && shiftKey && focused)
    return () => document.querySelector<HTMLElement>(`[data-panel="${focused}"]`)?.focus()
  if (!altKey || !shiftKey) return undefined
  // `code` is the physical key: with Alt and Shift, keyboard layouts produce other characters.
  switch (code) {
    case 'KeyC':
      return checkTask
    case 'KeyE':
      return () => (panels.maximized = panels.maximized ? undefined : (focused ?? 'editor'))
    case 'KeyR':
      return () => (screenReader.value = !screenReader.value)
    case 'KeyH':
      return showHelp
    case 'Digit5':
      return () => {
        panels.tab = 'tasks'
        focusPanel('guide')
      }
    case 'Digit2':
      return () => {
        panels.tab = 'guide'
        focusPanel('guide')
      }
    default: {
      const panel = PANELS[Number(/^Digit(\d)$/.exec(code)?.[1]) - 1]
      return panel && (() => focusPanel(panel))
    }
  }
}

function adjacentPanel(focused: PanelName | undefined, offset: 1 | -1): PanelName {
  if (focused === undefined) return offset > 0 ? PANELS[0] : 'terminal'
  return PANELS[(PANELS.indexOf(focused) + offset + PANELS.length) % PANELS.length] ?? PANELS[0]
}
