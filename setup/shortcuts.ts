import { useNav } from '@slidev/client'
import type { ShortcutOptions, ShortcutsSetup } from '@slidev/types'
import { focusTerminal, keyCommands, next, previous, setNavigation, toggleShareCode } from '../client/commands.ts'
import { onTurn } from '../client/connection.ts'
import { connectExport } from '../client/export.ts'
import { keys, yieldKey } from '../client/keys.ts'
import { reportLostFocus } from '../client/lost-focus.ts'
import { connectRendererNavigation } from '../client/transport/video.ts'
import { DEFAULT_KEYS, type KeyCommand } from '../shared/deck/keys.ts'

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

/** What each key does. */
const ACTIONS: Record<KeyCommand, () => void> = {
  run: onRelease(keyCommands.run),
  interrupt: keyCommands.interrupt,
  restart: keyCommands.restart,
  copy: keyCommands.copyCommand,
  terminal: onRelease(focusTerminal),
  replay: keyCommands.toggleReplay,
  pause: keyCommands.togglePlayback,
  page: keyCommands.cyclePageSize,
  share: toggleShareCode,
}

/** The shortcuts of the commands that have a key which no shortcut before them uses. */
function ownShortcuts(earlier: readonly ShortcutOptions[]): ShortcutOptions[] {
  const used = new Set(earlier.flatMap(({ key }) => (typeof key === 'string' ? [key.toLowerCase()] : [])))
  return (Object.keys(DEFAULT_KEYS) as KeyCommand[]).flatMap((command) => {
    const key = keys[command]
    if (key === false) return []
    // The name that Slidev uses for keys with modifiers.
    const name = key.replace('+', '_')
    if (!used.has(name)) return [ownShortcut(command, name, key.startsWith('shift+') ? 'shift' : 'none')]
    yieldKey(command)
    return []
  })
}

function ownShortcut(command: KeyCommand, key: string, modifiers: 'none' | 'shift'): ShortcutOptions {
  const act = withModifiers(modifiers, ACTIONS[command])
  let isRegistered = false
  // Of several shortcuts with one key, Slidev registers only the last one, without notice. It reads `fn` when it
  // registers a shortcut, which is before the next microtask.
  queueMicrotask(() => {
    if (!isRegistered) yieldKey(command)
  })
  return {
    key,
    autoRepeat: false,
    get fn() {
      isRegistered = true
      return act
    },
  }
}

/** Names of Slidev's shortcuts for "next", including the clicker's. */
const NEXT_SHORTCUTS = ['next_space', 'next_right', 'next_page_key']

/**
 * Adds the addon's keys (shared/deck/keys.ts), none of which Slidev uses, and lets Slidev's keys for "next" run steps and advance replays.
 */
export default ((slidev, base) => {
  const nav = useNav()
  const { clicks, clicksTotal } = nav
  void connectRendererNavigation(nav)
  connectExport(nav)
  setNavigation({
    next: slidev.next,
    previous: slidev.prev,
    clicksLeft: () => clicks.value < clicksTotal.value,
  })
  onTurn((by) => (by > 0 ? next() : previous()))
  return [
    ...base.map((shortcut) => (NEXT_SHORTCUTS.includes(shortcut.name ?? '') ? { ...shortcut, fn: next } : shortcut)),
    ...ownShortcuts(base),
  ]
}) satisfies ShortcutsSetup
