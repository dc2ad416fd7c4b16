import { type ClientMessage, type ClientMessageOf, clientMessages } from '../../shared/protocol/talk.ts'
import type { Permission } from '../../shared/roles.ts'
import { handleCourseMessage } from '../workshop/course-messages.ts'
import type { WindowConnection } from './window-connection.ts'

/** How the server handles one type of message from a browser. */
export interface MessageRow<Type extends ClientMessage['type'] = ClientMessage['type']> {
  schema: (typeof clientMessages)[Type]
  /** The permission that a window needs to send it. */
  permission: Permission
  /** What it costs of a window's budget, in units of one common message; see rate-limiter.ts. */
  cost: number | ((message: ClientMessageOf<Type>) => number)
  /** @throws RefusedError if it is not carried out */
  handle: (window: WindowConnection, message: ClientMessageOf<Type>) => unknown
}

/** A common message. */
const CHEAP = 1
/** A message that starts a process, or is answered by up to a megabyte. */
const EXPENSIVE = 20
/** Characters of input, or of a saved file, that cost as much as one common message. */
const CHARACTERS_PER_UNIT = 4096

/** Carries out what a learner's window asks of its course, and answers that window alone. */
const course = (window: WindowConnection, message: Parameters<typeof handleCourseMessage>[1]) =>
  handleCourseMessage(window.course, message).then((answer) => answer && window.tell(answer))

const classroom = (window: WindowConnection, message: Parameters<WindowConnection['classroom']['handle']>[0]) =>
  window.classroom.handle(message, window.access.learner)

const table: { [Type in ClientMessage['type']]: Omit<MessageRow<Type>, 'schema'> } = {
  // Terminals. Whoever may type can end a shell or empty the workdir anyway, so 'type' is enough for both.
  attach: { permission: 'view', cost: EXPENSIVE, handle: (window, message) => window.attach(message) },
  detach: { permission: 'view', cost: CHEAP, handle: (window, { terminal }) => window.detach(terminal) },
  ack: { permission: 'view', cost: 0.1, handle: (window, { channel, bytes }) => window.ack(channel, bytes) },
  input: {
    permission: 'type',
    cost: ({ data }) => CHEAP + data.length / CHARACTERS_PER_UNIT,
    handle: (window, { terminal, data }) => window.terminal(terminal).write(data),
  },
  interrupt: {
    permission: 'run',
    cost: CHEAP,
    handle: (window, { terminal }) => window.room.stage.interrupt(window.terminal(terminal).name),
  },
  restart: {
    permission: 'type',
    cost: EXPENSIVE,
    handle: (window, { terminal }) => window.terminal(terminal).restart(),
  },
  'reset-stage': { permission: 'type', cost: EXPENSIVE, handle: (window) => window.room.stage.reset() },

  // Steps.
  run: { permission: 'run', cost: EXPENSIVE, handle: (window, message) => window.room.stage.run(message) },
  diagnose: {
    permission: 'run',
    cost: CHEAP,
    handle: async (window) => window.tell({ type: 'diagnosis', diagnosis: await window.diagnose() }),
  },
  replay: {
    permission: 'replay',
    cost: EXPENSIVE,
    handle: ({ room: { stage } }, { step, on }) => (on ? stage.showReplay(step) : stage.showLive(step)),
  },
  playback: {
    permission: 'replay',
    cost: CHEAP,
    handle: (window, { terminal, action }) => window.terminal(terminal).playback(action),
  },

  // Slides.
  turn: { permission: 'navigate', cost: CHEAP, handle: (window, { by }) => window.room.turn(by) },
  sync: {
    permission: 'navigate',
    cost: CHEAP,
    handle: (window, { channel, state }) => window.room.onSync(window, channel, state),
  },

  // The course of a learner.
  'begin-task': { permission: 'learn', cost: EXPENSIVE, handle: course },
  'check-task': { permission: 'learn', cost: EXPENSIVE, handle: course },
  'stop-activity': { permission: 'learn', cost: CHEAP, handle: course },
  'open-hint': { permission: 'learn', cost: CHEAP, handle: course },
  'show-solution': { permission: 'learn', cost: EXPENSIVE, handle: course },
  'apply-solution': { permission: 'learn', cost: EXPENSIVE, handle: course },
  'skip-task': { permission: 'learn', cost: EXPENSIVE, handle: course },
  'reset-task': { permission: 'learn', cost: EXPENSIVE, handle: course },
  'check-on-save': { permission: 'learn', cost: CHEAP, handle: course },
  'open-file': { permission: 'learn', cost: CHEAP, handle: course },
  'save-file': {
    permission: 'learn',
    cost: ({ text }) => EXPENSIVE + text.length / CHARACTERS_PER_UNIT,
    handle: course,
  },
  'reset-file': { permission: 'learn', cost: EXPENSIVE, handle: course },
  'reset-workspace': { permission: 'learn', cost: EXPENSIVE, handle: course },
  'show-diff': { permission: 'learn', cost: EXPENSIVE, handle: course },

  // A class: the learner's side, then the instructor's.
  'answer-join': { permission: 'learn', cost: CHEAP, handle: classroom },
  'read-notes': { permission: 'learn', cost: CHEAP, handle: classroom },
  'send-note': { permission: 'teach', cost: CHEAP, handle: classroom },
  'ask-join': { permission: 'teach', cost: CHEAP, handle: classroom },
  'leave-join': { permission: 'teach', cost: CHEAP, handle: classroom },
  'end-terminals': { permission: 'teach', cost: CHEAP, handle: classroom },
  'reset-learner': { permission: 'teach', cost: CHEAP, handle: classroom },
}

/** Every message from a browser with its schema, permission, cost and handler. */
export const messageTable = Object.fromEntries(
  Object.entries(clientMessages).map(([type, schema]) => [type, { schema, ...table[type as ClientMessage['type']] }]),
) as unknown as { readonly [Type in ClientMessage['type']]: MessageRow<Type> }

/** The row of a message, as a function of that message: TypeScript cannot relate the two by itself. */
export function rowOf(message: ClientMessage): MessageRow {
  return messageTable[message.type] as unknown as MessageRow
}

/** What a message costs; see MessageRow. */
export function costOf(message: ClientMessage): number {
  const { cost } = rowOf(message)
  return typeof cost === 'number' ? cost : cost(message)
}
