/** An action of the terminal itself; also the `data-action` of the menu's entries. */
export type Action = 'search' | 'copy' | 'copy-html' | 'clear' | 'larger' | 'smaller' | 'screen-reader' | 'leave'

/** A shortcut of the terminal itself, with Ctrl and Shift as in other terminals. Programs never receive such keys. */
export interface Key {
  action: Action
  /** Physical keys (`KeyboardEvent.code`), pressed with Ctrl and Shift. */
  codes: string[]
  label: string
  /** The shortcut as the menu shows it. */
  key: string
}

export const KEYS: readonly Key[] = [
  { action: 'search', codes: ['KeyF'], label: 'Search', key: 'Ctrl+Shift+F' },
  { action: 'copy', codes: ['KeyC'], label: 'Copy', key: 'Ctrl+Shift+C' },
  { action: 'copy-html', codes: ['KeyH'], label: 'Copy with colors', key: 'Ctrl+Shift+H' },
  { action: 'clear', codes: ['KeyL'], label: 'Clear', key: 'Ctrl+Shift+L' },
  { action: 'larger', codes: ['Equal', 'NumpadAdd'], label: 'Maximize', key: 'Ctrl+Shift++' },
  {
    action: 'smaller',
    codes: ['Minus', 'NumpadSubtract', 'Digit0', 'Numpad0'],
    label: 'Restore size',
    key: 'Ctrl+Shift+−',
  },
  { action: 'screen-reader', codes: ['KeyX'], label: 'Screen reader mode', key: 'Ctrl+Shift+X' },
]

/** The action of a key that is pressed in the terminal; undefined if the key belongs to the program. */
export function actionOf(
  event: Pick<KeyboardEvent, 'ctrlKey' | 'shiftKey' | 'altKey' | 'metaKey' | 'code' | 'key'>,
): Action | undefined {
  if (event.altKey || event.metaKey || !event.shiftKey) return undefined
  if (event.key === 'Escape') return 'leave'
  return event.ctrlKey ? KEYS.find(({ codes }) => codes.includes(event.code))?.action : undefined
}
