import { next, previous } from '../commands.ts'
import { type Action, actionOf } from './keys.ts'

/**
 * Turns the slides if the key is one of the clicker's, regardless of the focus.
 *
 * @returns whether the key is one of the clicker's
 */
export function turnSlides(event: KeyboardEvent): boolean {
  if ((event.key !== 'PageDown' && event.key !== 'PageUp') || event.shiftKey || event.ctrlKey) return false
  event.preventDefault()
  // Turning the slide removes the focus from the terminal at once, so Slidev would handle the same key again.
  event.stopPropagation()
  if (event.key === 'PageUp') previous()
  else next()
  return true
}

/**
 * Creates the handler of a terminal's key events (see xterm's `attachCustomKeyEventHandler`).
 *
 * @param act carries out an action of the terminal
 * @param turnsSlides whether the clicker turns the slides while the terminal has the focus
 * @returns a function that returns whether the key goes to the program in the terminal
 */
export function keyHandler(act: (action: Action) => void, turnsSlides: boolean): (event: KeyboardEvent) => boolean {
  return (event) => {
    if (event.type !== 'keydown') return true
    if (turnsSlides && turnSlides(event)) return false
    const action = actionOf(event)
    if (!action) return true
    event.preventDefault()
    act(action)
    return false
  }
}
