import { reactive } from 'vue'
import { type CommandLines, NO_SCRIPTS, provideCommandLines } from '../shared/command-line.ts'
import { SHELL_TERMINAL } from '../shared/deck/fence.ts'
import type { Profile } from '../shared/deck/contract.ts'
import type { Diagnosis } from '../shared/diagnosis.ts'
import type { ClassInfo, ClassMembership } from '../shared/protocol/class.ts'
import type { DeckProblem } from '../shared/failures/deck-problem.ts'
import type { Refusal } from '../shared/failures/refusal.ts'
import type { DeckState, ShareInfo, StepInfo, TerminalInfo } from '../shared/protocol/state.ts'
import type { ServerMessage } from '../shared/protocol/talk.ts'
import type { Permission, Role } from '../shared/roles.ts'

/**
 * `none`: the page comes from `slidev` itself, without this addon's server. `static`: the deck is a static site, whose
 * terminals show recordings.
 */
export type Link = 'connecting' | 'open' | 'lost' | 'none' | 'static'

interface State {
  link: Link
  role: Role
  /** Empty until the `hello` message has arrived. */
  permissions: Permission[]
  /** The reason that this window has fewer permissions than its role. */
  reason: string | undefined
  share: ShareInfo
  /** State that all windows share, by channel. */
  synced: Map<string, Record<string, unknown>>
  profile: Profile | undefined
  /** What hints are composed from. */
  commands: CommandLines
  deck: DeckState
  /** The problems of the deck's files, during development. */
  problems: DeckProblem[]
  steps: Record<string, StepInfo>
  terminals: Record<string, TerminalInfo>
  /** Findings of the last diagnosis that was requested. */
  diagnosis: Diagnosis | undefined
  /** This learner's consent and notes in the class. */
  membership: ClassMembership
  /** The class, in the instructor's window. */
  class: ClassInfo | undefined
  /** The last refusal, until it is dismissed. */
  refused: { refusal: Refusal; step?: string | undefined; terminal?: string | undefined } | undefined
}

/**
 * The state of the server as this window knows it. Apart from dismissed messages, only `applyMessage` and connection.ts
 * change it.
 */
export const connection: State = reactive({
  link: 'connecting',
  role: 'presenter',
  permissions: [],
  reason: undefined,
  share: {},
  synced: new Map(),
  profile: undefined,
  commands: NO_SCRIPTS,
  deck: { state: 'current' },
  problems: [],
  steps: {},
  terminals: {},
  diagnosis: undefined,
  membership: { join: 'none', notes: [] },
  class: undefined,
  refused: undefined,
})

provideCommandLines(() => connection.commands)

/** Whether this window has a permission. Used to hide controls; the server checks every message again. */
export function may(permission: Permission): boolean {
  return connection.permissions.includes(permission)
}

/** Updates the store with a message. Messages that do not affect the store are ignored. */
export function applyMessage(message: ServerMessage): void {
  switch (message.type) {
    case 'hello':
      connection.link = 'open'
      connection.profile = message.profile
      connection.role = message.role
      connection.permissions = message.permissions
      connection.reason = message.reason
      connection.share = message.share
      connection.commands = message.commands ?? NO_SCRIPTS
      connection.problems = message.problems ?? []
      applyDeck(message)
      return
    case 'deck-problems':
      connection.problems = message.problems
      return
    case 'deck':
      applyDeck(message)
      return
    case 'step': {
      const step = connection.steps[message.step]
      if (!step) return
      step.status = message.status
      // Only the current command can be run.
      if (message.status.state === 'running') delete step.changed
      // The step is running, so an earlier refusal no longer applies.
      if (message.status.state === 'running' && connection.refused?.step === message.step)
        connection.refused = undefined
      return
    }
    case 'measured': {
      const step = connection.steps[message.step]
      if (step) step.measured = message.measured
      return
    }
    case 'terminal': {
      const { terminal: name, state } = message
      const terminal = connection.terminals[name]
      if (terminal) terminal.state = state
      // The terminal that no step uses is listed only once it has been opened. A snapshot brings its size.
      else if (name === SHELL_TERMINAL) connection.terminals[name] = { name, cols: 80, rows: 24, state }
      return
    }
    case 'replay': {
      const terminal = connection.terminals[message.terminal]
      if (terminal) terminal.replay = message.replay
      return
    }
    case 'permissions':
      connection.permissions = message.permissions
      return
    case 'membership':
      connection.membership = message.membership
      return
    case 'class':
      connection.class = message.class
      return
    case 'diagnosis':
      connection.diagnosis = message.diagnosis
      return
    case 'sync':
      connection.synced.set(message.channel, message.state)
      return
    case 'refused':
      // The replay's bar shows this reason.
      if (message.refusal.kind !== 'replayed') connection.refused = message
      return
    case 'stage-reset':
      connection.refused = undefined
  }
}

function applyDeck({ deck, steps, terminals }: Extract<ServerMessage, { type: 'hello' | 'deck' }>): void {
  connection.deck = deck
  connection.steps = Object.fromEntries(steps.map((step) => [step.id, step]))
  connection.terminals = Object.fromEntries(terminals.map((terminal) => [terminal.name, terminal]))
}
