import { defineShortcutsSetup } from '@slidev/types'

/** Presses the button of the first step on the slide that has it: what a key does is what a click does. */
function press(name: string): void {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>(`[data-step] button[aria-label^="${name} "]`)]
  buttons.find((button) => button.checkVisibility() && !button.disabled)?.click()
}

export default defineShortcutsSetup((_, base) => [
  ...base,
  { key: 'r', fn: () => press('Run'), autoRepeat: false },
  { key: 'i', fn: () => press('Interrupt'), autoRepeat: false },
  { key: 'shift_r', fn: () => press('Restart shell of'), autoRepeat: false },
  { key: 'c', fn: () => press('Copy'), autoRepeat: false },
  {
    key: 't',
    fn: () => [...document.querySelectorAll<HTMLElement>('[data-terminal] textarea')].find((area) => area.closest('[data-terminal]')?.checkVisibility())?.focus(),
    autoRepeat: false,
  },
])
