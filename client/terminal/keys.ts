/** What a key of the terminal's own does, told by `data-action` in the menu. All other keys are the shell's. */
export type Action = 'search' | 'copy' | 'copy-html' | 'clear' | 'larger' | 'smaller' | 'screen-reader' | 'leave'

/** A key of the terminal's own. Ctrl+Shift, as terminals have them: programs do not see such keys. */
export interface Key {
  action: Action
  /** Physical keys (`KeyboardEvent.code`), held with Ctrl and Shift. */
  codes: string[]
  label: string
  /** As it is written in the menu. */
  key: string
}

export const KEYS: readonly Key[] = [
  { action: 'search', codes: ['KeyF'], label: 'Search', key: 'Ctrl+Shift+F' },
  { action: 'copy', codes: ['KeyC'], label: 'Copy', key: 'Ctrl+Shift+C' },
  { action: 'copy-html', codes: ['KeyH'], label: 'Copy with colours', key: 'Ctrl+Shift+H' },
  { action: 'clear', codes: ['KeyL'], label: 'Clear', key: 'Ctrl+Shift+L' },
  { action: 'larger', codes: ['Equal', 'NumpadAdd'], label: 'Larger: the whole slide', key: 'Ctrl+Shift++' },
  {
    action: 'smaller',
    codes: ['Minus', 'NumpadSubtract', 'Digit0', 'Numpad0'],
    label: 'As large as its place',
    key: 'Ctrl+Shift+−',
  },
  { action: 'screen-reader', codes: ['KeyX'], label: 'Screen reader mode', key: 'Ctrl+Shift+X' },
]

/** What a key that is pressed in the terminal does there; undefined for the shell's. */
export function actionOf(
  event: Pick<KeyboardEvent, 'ctrlKey' | 'shiftKey' | 'altKey' | 'metaKey' | 'code' | 'key'>,
): Action | undefined {
  if (event.altKey || event.metaKey || !event.shiftKey) return undefined
  if (event.key === 'Escape') return 'leave'
  return event.ctrlKey ? KEYS.find(({ codes }) => codes.includes(event.code))?.action : undefined
}
