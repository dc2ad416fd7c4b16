import { useNav } from '@slidev/client'
import type { ShortcutsSetup } from '@slidev/types'
import { focusTerminal, keyCommands, next, previous, setNavigation, toggleShareCode } from '../client/commands.ts'
import { onTurn } from '../client/connection.ts'
import { reportLostFocus } from '../client/lost-focus.ts'
import { connectRendererNavigation } from '../client/transport/video.ts'

/** The last key that was pressed. Slidev's shortcuts ignore modifiers, and Ctrl+R must not run a step. */
let pressed: KeyboardEvent | undefined
if (typeof window !== 'undefined') {
  window.addEventListener('keydown', (event) => (pressed = event), { capture: true })
  reportLostFocus()
}

/** Limits a shortcut to keys without modifiers, or with Shift only. */
function withModifiers(modifiers: 'none' | 'shift', act: () => void): () => void {
  return () => {
    if (!pressed || pressed.ctrlKey || pressed.metaKey || pressed.altKey) return
    if (pressed.shiftKey === (modifiers === 'shift')) act()
  }
}

/**
 * Delays a command that may focus a field until the key is released. Otherwise the key would be typed into the field.
 */
function onRelease(act: () => void): () => void {
  return () => window.addEventListener('keyup', () => act(), { once: true })
}

const key = (name: string, act: () => void) => ({ key: name, fn: withModifiers('none', act), autoRepeat: false })

/** Names of Slidev's shortcuts for "next", including the clicker's. */
const NEXT_SHORTCUTS = ['next_space', 'next_right', 'next_page_key']

/**
 * Adds the addon's keys, none of which Slidev uses, and lets Slidev's keys for "next" run steps and advance replays.
 */
export default ((slidev, base) => {
  const nav = useNav()
  const { clicks, clicksTotal } = nav
  void connectRendererNavigation(nav)
  setNavigation({
    next: slidev.next,
    previous: slidev.prev,
    clicksLeft: () => clicks.value < clicksTotal.value,
  })
  onTurn((by) => (by > 0 ? next() : previous()))
  return [
    ...base.map((shortcut) => (NEXT_SHORTCUTS.includes(shortcut.name ?? '') ? { ...shortcut, fn: next } : shortcut)),
    key('r', onRelease(keyCommands.run)),
    key('i', keyCommands.interrupt),
    { key: 'shift_r', fn: withModifiers('shift', keyCommands.restart), autoRepeat: false },
    key('c', keyCommands.copyCommand),
    key('t', onRelease(focusTerminal)),
    key('l', keyCommands.toggleReplay),
    key('k', keyCommands.togglePlayback),
    key('p', keyCommands.cyclePageSize),
    key('q', toggleShareCode),
  ]
}) satisfies ShortcutsSetup
