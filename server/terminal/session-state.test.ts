import { describe, expect, test } from 'vitest'
import { holdsKeys, type SessionEffect, type SessionEvent, type SessionState, transition } from './session-state.ts'

const failure = { kind: 'shell-exited', exit: 0 } as const

/** Every state, by name. */
const states = {
  new: { name: 'new' },
  starting: { name: 'starting' },
  'at-prompt': { name: 'at-prompt' },
  'in-program': { name: 'in-program' },
  'clearing-line': { name: 'clearing-line', step: 'a' },
  'typing-step': { name: 'typing-step', step: 'a' },
  'running-step': { name: 'running-step', step: 'a' },
  'step-exited': { name: 'step-exited', step: 'a', exit: 3 },
  ended: { name: 'ended', failure: { kind: 'closed' } },
} satisfies { [Name in SessionState['name']]: Extract<SessionState, { name: Name }> }

/** Every event, by type. */
const events = {
  'shell-starting': { type: 'shell-starting' },
  'line-entered': { type: 'line-entered' },
  'step-requested': { type: 'step-requested', step: 'a' },
  'line-cleared': { type: 'line-cleared' },
  'command-started': { type: 'command-started' },
  'command-exited': { type: 'command-exited', exit: 3 },
  'prompt-shown': { type: 'prompt-shown' },
  'clear-timed-out': { type: 'clear-timed-out' },
  'shell-ended': { type: 'shell-ended', failure },
} satisfies { [Type in SessionEvent['type']]: Extract<SessionEvent, { type: Type }> }

type Cell = [next: SessionState['name'], ...effects: SessionEffect[]]

/** The transitions that depend on the state. A pair that is not listed does not change the state. */
const table: { [From in SessionState['name']]?: { [Type in SessionEvent['type']]?: Cell } } = {
  starting: { 'prompt-shown': ['at-prompt', 'release-keys', 'first-prompt'] },
  'at-prompt': {
    'line-entered': ['in-program'],
    'command-started': ['in-program'],
    'step-requested': ['clearing-line'],
  },
  'in-program': { 'prompt-shown': ['at-prompt'] },
  'clearing-line': {
    'line-cleared': ['typing-step', 'type-command'],
    'command-started': ['in-program', 'reject-step-line-first', 'release-keys'],
    'clear-timed-out': ['in-program', 'reject-step-unresponsive', 'release-keys'],
  },
  'typing-step': { 'command-started': ['running-step', 'release-keys'], 'command-exited': ['step-exited'] },
  'running-step': { 'command-exited': ['step-exited'] },
  'step-exited': { 'prompt-shown': ['at-prompt', 'release-keys', 'finish-step'] },
}

describe.each(Object.values(states))('in state $name', (state) => {
  test.each(Object.values(events))('$type leads to the state and the effects of the table', (event) => {
    const { state: next, effects } = transition(state, event)
    if (event.type === 'shell-starting') {
      expect([next, effects]).toEqual([{ name: 'starting' }, []])
    } else if (event.type === 'shell-ended') {
      expect([next, effects]).toEqual([{ name: 'ended', failure }, ['discard-keys', 'finish-step', 'reject-all']])
    } else {
      const cell = table[state.name]?.[event.type]
      if (!cell) expect([next, effects]).toEqual([state, []])
      else expect([next, ...effects]).toEqual([states[cell[0]], ...cell.slice(1)])
    }
  })
})

test('keys are held back while the shell starts and while a step is typed', () => {
  expect(
    Object.values(states)
      .filter(holdsKeys)
      .map(({ name }) => name),
  ).toEqual(['starting', 'clearing-line', 'typing-step'])
})
