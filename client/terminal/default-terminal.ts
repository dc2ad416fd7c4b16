import { SHELL_TERMINAL } from '../../shared/deck/fence.ts'
import { connection } from '../store.ts'

/** The terminal of a slide that names none: that of its first step, or a shell that no step uses. */
export function defaultTerminal(slide: number): string {
  return Object.values(connection.steps).find((step) => step.slide === slide)?.terminal ?? SHELL_TERMINAL
}
