import { type ClientMessage, MAX_INPUT_LENGTH, type ServerMessage } from '../shared/protocol/talk.ts'
import { Attachments, type TerminalRenderer } from './attachments.ts'
import { reloadForVersion, reloadIncompatible } from './reload.ts'
import { applyMessage, connection, may } from './store.ts'
import { staticDeckHere, StaticTransport } from './transport/static.ts'
import type { Transport } from './transport/transport.ts'
import { rendererBridge, VideoTransport } from './transport/video.ts'
import { WebSocketTransport } from './transport/websocket.ts'

export { connection, may }

/**
 * This window's side of the protocol: sends its messages, and distributes the messages that arrive to the store, the
 * terminals and the listeners.
 */

let transport: Transport | undefined

/**
 * Sends a message. A message that cannot be delivered is dropped; the window then shows that the connection is lost.
 */
export function send(message: ClientMessage): void {
  transport?.handle(message)
}

/** Sends input to a terminal. A long paste is split into messages that the server accepts. */
export function type(terminal: string, data: string): void {
  if (!may('type')) return
  for (let from = 0; from < data.length; from += MAX_INPUT_LENGTH)
    send({ type: 'input', terminal, data: data.slice(from, from + MAX_INPUT_LENGTH) })
}

/** Slides are projected, so secrets are shown only on pages that the audience does not see. */
const showsSecrets = () => /\/(presenter|workshop|class)(\/|$)/.test(location.pathname)

const attachments = new Attachments(send, showsSecrets)

/** Shows a terminal in this window until the returned function is called (see `Attachments.show`). */
export function show(terminal: string, renderer: TerminalRenderer): () => void {
  return attachments.show(terminal, renderer)
}

const syncListeners = new Map<string, (state: Record<string, unknown>) => void>()

/**
 * Calls the listener with the state of a channel that all windows share: with the current state, if any, and at every
 * change.
 */
export function onSync(channel: string, listener: (state: Record<string, unknown>) => void): void {
  syncListeners.set(channel, listener)
  const state = connection.synced.get(channel)
  if (state) listener(state)
}

const COURSE_TYPES = [
  'course',
  'task',
  'activity',
  'activity-line',
  'files',
  'file-changed',
  'file',
  'saved',
  'conflict',
  'solution',
  'diff',
  'refused',
] as const

/** A message about a learner's course, or a refusal of a request that the learner has made. */
export type CourseMessage = Extract<ServerMessage, { type: (typeof COURSE_TYPES)[number] }>

const isCourseMessage = (message: ServerMessage): message is CourseMessage =>
  COURSE_TYPES.some((type) => type === message.type)

let courseListener: ((message: CourseMessage) => void) | undefined
/** Messages that arrived before the workshop page, which is loaded on demand, has registered its listener. */
let undelivered: CourseMessage[] = []

/** Calls the listener with every message about the learner's course, beginning with `course`. */
export function onCourse(listener: (message: CourseMessage) => void): void {
  courseListener = listener
  for (const message of undelivered) listener(message)
  undelivered = []
}

function deliverToCourse(message: CourseMessage): void {
  if (courseListener) courseListener(message)
  // Other pages of a learner never register a listener.
  else if (/\/workshop(\/|$)/.test(location.pathname)) undelivered.push(message)
}

let turnListener: ((by: 1 | -1) => void) | undefined

/** Calls the listener when a remote control asks this window to turn the slides. */
export function onTurn(listener: (by: 1 | -1) => void): void {
  turnListener = listener
}

/** Opens the connection, and keeps it open. */
export function connect(): void {
  if (transport) return
  const deck = staticDeckHere()
  if (rendererBridge) transport = new VideoTransport(rendererBridge, receive, receiveFrame)
  else if (deck) transport = new StaticTransport(deck, receive, receiveFrame)
  else if (!import.meta.env.VITE_UNDERSTUDY_SERVER) {
    // A page of `slidev` itself. Attempts to connect would only fill the console with errors.
    connection.link = 'none'
    return
  } else {
    const socket = new WebSocketTransport(receive, receiveFrame, {
      opened: () => attachments.attachAll(),
      closed: () => (connection.link = 'lost'),
      incompatible: reloadIncompatible,
    })
    transport = socket
    // A laptop that wakes up reconnects at once.
    for (const event of ['online', 'focus', 'visibilitychange'])
      window.addEventListener(event, () => {
        socket.open()
      })
  }
  transport.open()
  if (!deck || rendererBridge) return
  connection.link = 'static'
  attachments.attachAll()
}

const receiveFrame = (frame: Uint8Array) => attachments.frame(frame)

function receive(message: ServerMessage): void {
  applyMessage(message)
  if (isCourseMessage(message)) deliverToCourse(message)
  switch (message.type) {
    case 'hello':
      for (const [channel, state] of Object.entries(message.sync)) receive({ type: 'sync', channel, state })
      undelivered = []
      if (message.course) deliverToCourse({ type: 'course', course: message.course })
      reloadForVersion(message.version, message.deck)
      return
    case 'deck':
      reloadForVersion(message.version, message.deck)
      return
    case 'snapshot':
      attachments.snapshot(message)
      return
    case 'sync':
      syncListeners.get(message.channel)?.(message.state)
      return
    case 'turn':
      turnListener?.(message.by)
  }
}
