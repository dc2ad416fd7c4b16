import { configs } from '@slidev/client'
import { reactive } from 'vue'
import { type KeyCommand, keysSchema, withDefaults } from '../shared/deck/keys.ts'

// The server rejects a deck with invalid keys. Without the server, they are ignored.
const configured = keysSchema.safeParse(configs.understudy?.keys ?? {})

/** The key of each command in this window; false if it has none. */
export const keys = reactive(withDefaults(configured.data ?? {}))

/** The key of a command for a button's tooltip, such as ` (Shift+R)`; empty if it has none. */
export function keyHint(command: KeyCommand): string {
  const key = keys[command]
  if (key === false) return ''
  return ` (${key.replace(/^shift\+(.)$/, (_, letter: string) => `Shift+${letter.toUpperCase()}`)})`
}

/** Reports that a shortcut of the deck, its theme or another addon has the key of a command. */
export function yieldKey(command: KeyCommand): void {
  const key = keys[command]
  if (key === false) return
  console.warn(
    `slidev-addon-understudy: another setup/shortcuts.ts uses the key "${key}", so it does not ${DESCRIPTIONS[command]}. Choose another in the headmatter: understudy: { keys: { ${command}: … } }`,
  )
  keys[command] = false
}

const DESCRIPTIONS: Record<KeyCommand, string> = {
  run: 'run a step',
  interrupt: 'interrupt a step',
  restart: 'restart the shell',
  copy: 'copy the command',
  terminal: 'focus the terminal',
  replay: 'show a recording',
  pause: 'pause a replay',
  page: 'enlarge the page of a step',
  share: 'show the QR code',
}
