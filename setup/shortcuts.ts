import { useNav } from '@slidev/client'
import { defineShortcutsSetup } from '@slidev/types'
import { connection, onTurn } from '../client/connection.ts'
import { connectRendererNavigation } from '../client/transport/video.ts'
import { runNext, stepReplay } from '../client/steps/run-next.ts'
import { shared } from '../client/shared-state.ts'

/** The key that is down. Slidev's shortcuts fire whatever modifiers are held, and Ctrl+R must not run a step. */
let down: KeyboardEvent | undefined
if (typeof window !== 'undefined') window.addEventListener('keydown', (event) => (down = event), { capture: true })

function plain(shift: boolean, act: () => void): () => void {
  return () => {
    if (down && !down.ctrlKey && !down.metaKey && !down.altKey && down.shiftKey === shift) act()
  }
}

/** Waits until the key is up: a field that takes the focus while it is down gets the key typed into it. */
function released(act: () => void): () => void {
  return () => window.addEventListener('keyup', () => act(), { once: true })
}

/** Presses a button of the slide: what a key does is what a click does. Steps that are still to be done come first. */
function press(...names: string[]): void {
  const buttons = names
    .flatMap((name) => [
      ...document.querySelectorAll<HTMLButtonElement>(`:is([data-step], [data-replay]) button[aria-label^="${name}"]`),
    ])
    .filter((button) => button.checkVisibility() && !button.disabled)
  const on = buttons.find((button) => button.getAttribute('aria-pressed') === 'true')
  const open = buttons.find((button) => !button.closest('[data-step][data-state="succeeded"]'))
  ;(on ?? open ?? buttons[0])?.click()
}

function focusTerminal(): void {
  const areas = [...document.querySelectorAll<HTMLElement>('[data-terminal] textarea')]
  areas.find((area) => area.closest('[data-terminal]')?.checkVisibility())?.focus()
}

function turnPage(): void {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>('button[data-page-size]')]
  buttons.find((button) => button.checkVisibility())?.click()
}

function turnCode(): void {
  if (connection.share.audience) shared.code = !shared.code
}

/** Names of Slidev's shortcuts that go one click further, the clicker's among them. */
const FORWARD = ['next_space', 'next_right', 'next_page_key']

/** Run, interrupt, restart the shell, copy, type into the terminal, replay and its pause, the size of the page, and the audience's code. None of these is a key of Slidev's. */
export default defineShortcutsSetup(({ next, prev }, base) => {
  const nav = useNav()
  const { clicks, clicksTotal } = nav
  connectRendererNavigation(nav)
  const forward = () => {
    if (!stepReplay() && (clicks.value < clicksTotal.value || !runNext())) next()
  }
  onTurn((by) => (by > 0 ? forward() : prev()))
  return [
    ...base.map((shortcut) => (FORWARD.includes(shortcut.name ?? '') ? { ...shortcut, fn: forward } : shortcut)),
    {
      key: 'r',
      fn: plain(
        false,
        released(() => press('Run ')),
      ),
      autoRepeat: false,
    },
    { key: 'i', fn: plain(false, () => press('Interrupt ')), autoRepeat: false },
    { key: 'shift_r', fn: plain(true, () => press('Restart shell of ')), autoRepeat: false },
    { key: 'c', fn: plain(false, () => press('Copy ')), autoRepeat: false },
    { key: 't', fn: plain(false, released(focusTerminal)), autoRepeat: false },
    { key: 'l', fn: plain(false, () => press('Replay ', 'Live terminal of ')), autoRepeat: false },
    { key: 'k', fn: plain(false, () => press('Pause the replay', 'Play the replay')), autoRepeat: false },
    { key: 'p', fn: plain(false, turnPage), autoRepeat: false },
    { key: 'q', fn: plain(false, turnCode), autoRepeat: false },
  ]
})
