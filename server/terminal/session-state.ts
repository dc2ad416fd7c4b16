import type { SessionFailure } from '../../shared/failures/session.ts'

/**
 * The states of a session and the transitions between them, as a pure function. session.ts carries out the effects.
 *
 *     new ─► starting ─► at-prompt ◄─────────────────────────────┐
 *                          │    ▲                                │
 *                          │    └────────── in-program ◄─┐       │
 *                          ▼                             │       │
 *                     clearing-line ─► typing-step ─► running-step ─► step-exited
 *
 *     from every state: shell-ended ─► ended ─► (restart) starting
 */
export type SessionState =
  /** No shell has been started. */
  | { name: 'new' }
  /** The shell has started but not yet shown its first prompt. */
  | { name: 'starting' }
  | { name: 'at-prompt' }
  /** A line that the user typed is running, or has not been completed. */
  | { name: 'in-program' }
  /** A step waits until the shell has cleared its line. */
  | { name: 'clearing-line'; step: string }
  /** The step's command has been pasted; the shell has not begun to run it. */
  | { name: 'typing-step'; step: string }
  | { name: 'running-step'; step: string }
  /** The shell has reported the exit status but not yet shown its prompt. */
  | { name: 'step-exited'; step: string; exit: number }
  | { name: 'ended'; failure: SessionFailure }

export type SessionEvent =
  | { type: 'shell-starting' }
  /** The user entered a line, or canceled it with Ctrl-C. */
  | { type: 'line-entered' }
  | { type: 'step-requested'; step: string }
  /**
   * Marks of the shell: it has cleared its line, started to run an entry, reported an exit status, or shown its prompt.
   */
  | { type: 'line-cleared' }
  | { type: 'command-started' }
  | { type: 'command-exited'; exit: number }
  | { type: 'prompt-shown' }
  /** The shell did not clear its line in time. */
  | { type: 'clear-timed-out' }
  | { type: 'shell-ended'; failure: SessionFailure }

export type SessionEffect =
  /** Types the keys that were held back. */
  | 'release-keys'
  /** Discards the keys that were held back, because the shell has ended. */
  | 'discard-keys'
  | 'type-command'
  /** Resolves the promise of the shell's start. */
  | 'first-prompt'
  /** Rejects the step: the shell did not respond, or ran another line first. */
  | 'reject-step-unresponsive'
  | 'reject-step-line-first'
  /**
   * Settles the step with the exit status of the state that is left, or with the failure of the state that is entered.
   */
  | 'finish-step'
  /** Rejects all promises that wait for the shell. */
  | 'reject-all'

export interface Transition {
  state: SessionState
  effects: readonly SessionEffect[]
}

/** Whether keys are held back, because the shell would lose them, echo them twice, or add them to a step's command. */
export function holdsKeys({ name }: SessionState): boolean {
  return name === 'starting' || name === 'clearing-line' || name === 'typing-step'
}

/** The step that was requested and has not finished. */
export function stepOf(state: SessionState): string | undefined {
  return 'step' in state ? state.step : undefined
}

/**
 * Returns the next state and the effects of the transition. An event that is not expected in a state does not change
 * it: marks may arrive late, and the prompt is redrawn while a step is typed.
 */
export function transition(state: SessionState, event: SessionEvent): Transition {
  const unchanged: Transition = { state, effects: [] }
  switch (event.type) {
    case 'shell-starting':
      return { state: { name: 'starting' }, effects: [] }
    case 'line-entered':
      return state.name === 'at-prompt' ? { state: { name: 'in-program' }, effects: [] } : unchanged
    case 'step-requested':
      return state.name === 'at-prompt'
        ? { state: { name: 'clearing-line', step: event.step }, effects: [] }
        : unchanged
    case 'line-cleared':
      return state.name === 'clearing-line'
        ? { state: { name: 'typing-step', step: state.step }, effects: ['type-command'] }
        : unchanged
    case 'command-started':
      switch (state.name) {
        case 'at-prompt':
          return { state: { name: 'in-program' }, effects: [] }
        case 'clearing-line':
          return { state: { name: 'in-program' }, effects: ['reject-step-line-first', 'release-keys'] }
        case 'typing-step':
          return { state: { name: 'running-step', step: state.step }, effects: ['release-keys'] }
        default:
          return unchanged
      }
    case 'command-exited':
      // Bash reports a syntax error without having begun to run the command.
      return state.name === 'typing-step' || state.name === 'running-step'
        ? { state: { name: 'step-exited', step: state.step, exit: event.exit }, effects: [] }
        : unchanged
    case 'prompt-shown':
      switch (state.name) {
        case 'starting':
          return { state: { name: 'at-prompt' }, effects: ['release-keys', 'first-prompt'] }
        case 'in-program':
          return { state: { name: 'at-prompt' }, effects: [] }
        case 'step-exited':
          return { state: { name: 'at-prompt' }, effects: ['release-keys', 'finish-step'] }
        default:
          return unchanged
      }
    case 'clear-timed-out':
      return state.name === 'clearing-line'
        ? { state: { name: 'in-program' }, effects: ['reject-step-unresponsive', 'release-keys'] }
        : unchanged
    case 'shell-ended':
      return {
        state: { name: 'ended', failure: event.failure },
        effects: ['discard-keys', 'finish-step', 'reject-all'],
      }
  }
}
