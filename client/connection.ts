import { reactive } from 'vue'
import type { Profile } from '../shared/deck/contract.ts'
import type { Diagnosis } from '../shared/diagnosis.ts'
import type { ClassInfo, ClassMembership } from '../shared/protocol/class.ts'
import {
  type ClientMessage,
  CLOSE,
  MAX_INPUT_LENGTH,
  type ServerMessage,
  serverMessage,
  SOCKET_PATH,
} from '../shared/protocol/talk.ts'
import { type DeckState, type ShareInfo, type StepInfo, type TerminalInfo } from '../shared/protocol/state.ts'
import { decodeFrame, encodeFrame } from '../shared/protocol/frame.ts'
import { type Permission, type Role } from '../shared/roles.ts'
import { type Refusal } from '../shared/failures/refusal.ts'
import { rendererBridge, VideoTransport } from './transport/video.ts'
import { staticDeckHere, StaticServer } from './transport/static.ts'

/** What draws a terminal in this window. */
export interface Painter {
  snapshot: (cols: number, rows: number, data: string) => void
  /** @param parsed to be called once the bytes are on the screen */
  output: (bytes: Uint8Array, parsed: () => void) => void
}

/** `none`: there should be a server, and there is none. `static`: the deck is a static site, whose terminals replay. */
export type Link = 'connecting' | 'open' | 'lost' | 'none' | 'static'

interface State {
  link: Link
  role: Role
  /** None before the server has said which. */
  permissions: Permission[]
  /** Why it has fewer permissions than its role. */
  reason: string | undefined
  share: ShareInfo
  /** What the windows keep in step, by channel. */
  synced: Map<string, Record<string, unknown>>
  profile: Profile | undefined
  deck: DeckState
  steps: Record<string, StepInfo>
  terminals: Record<string, TerminalInfo>
  /** What the doctor has found, once it was asked. */
  diagnosis: Diagnosis | undefined
  /** This learner's part in the class. */
  membership: ClassMembership
  /** The class, for who teaches it. */
  class: ClassInfo | undefined
  /** The last refusal, until it is dismissed. */
  refused: { refusal: Refusal; step?: string | undefined; terminal?: string | undefined } | undefined
}

/** What this window knows of the server. */
export const connection: State = reactive({
  link: 'connecting',
  role: 'presenter',
  permissions: [],
  reason: undefined,
  share: {},
  synced: new Map(),
  profile: undefined,
  deck: { state: 'current' },
  steps: {},
  terminals: {},
  diagnosis: undefined,
  membership: { join: 'none', notes: [] },
  class: undefined,
  refused: undefined,
})

/** Milliseconds before the first try to connect again, and the most: a static deck that never had a server asks seldom. */
const RETRY = { first: 250, most: 4000, withoutServer: 60_000 }

const painters = new Map<string, Painter>()
const channels = new Map<number, { terminal: string; bytes: number }>()
const syncListeners = new Map<string, (state: Record<string, unknown>) => void>()

let socket: WebSocket | undefined
let version: string | undefined
let retry = RETRY.first
let timer: ReturnType<typeof setTimeout> | undefined
let everOpen = false

let standIn: StaticServer | VideoTransport | undefined

/** Whether this window may do something: what it may not do it does not offer. The server asks again, of every message. */
export function may(permission: Permission): boolean {
  return connection.permissions.includes(permission)
}

/** Sends a message; one that cannot be sent is gone, and the window shows that the connection is lost. */
export function send(message: ClientMessage): void {
  if (standIn) return void standIn.handle(message)
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
}

/** Types into a terminal; a long paste is cut into messages that the server takes. */
export function type(terminal: string, data: string): void {
  if (!may('type')) return
  for (let from = 0; from < data.length; from += MAX_INPUT_LENGTH)
    send({ type: 'input', terminal, data: data.slice(from, from + MAX_INPUT_LENGTH) })
}

/**
 * Shows a terminal in this window until the returned function is called. The last one to ask has it: when two slides share a
 * terminal, the one that is entered may ask before the one that is left lets go.
 */
export function show(terminal: string, painter: Painter): () => void {
  // Attached a second time the server would send no new snapshot.
  if (painters.has(terminal)) detach(terminal)
  painters.set(terminal, painter)
  attach(terminal)
  return () => {
    if (painters.get(terminal) === painter) detach(terminal)
  }
}

/** The slides are projected, and a secret on them is none any more: only the pages of who types alone show it. */
function attach(terminal: string): void {
  send({ type: 'attach', terminal, secrets: /\/(presenter|workshop|class)(\/|$)/.test(location.pathname) })
}

function detach(terminal: string): void {
  painters.delete(terminal)
  forget(terminal)
  send({ type: 'detach', terminal })
}

/** Frames of a terminal's earlier channels are dropped from here on. */
function forget(terminal: string): void {
  for (const [channel, entry] of channels) if (entry.terminal === terminal) channels.delete(channel)
}

/** Keeps state in step with the other windows. */
export function onSync(channel: string, listener: (state: Record<string, unknown>) => void): void {
  syncListeners.set(channel, listener)
  const state = connection.synced.get(channel)
  if (state) listener(state)
}

/** What the server tells of a learner's course, and what it refused. */
export type CourseMessage = Extract<ServerMessage, { type: (typeof COURSE)[number] | 'refused' }>
const COURSE = [
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
] as const
const isOfCourse = (message: ServerMessage): message is CourseMessage =>
  message.type === 'refused' || COURSE.some((type) => type === message.type)

let courseListener: ((message: CourseMessage) => void) | undefined
/** What came before the learner's page, which is loaded later, has asked for it. */
let untold: CourseMessage[] = []

/** Called with everything about the learner's course, from its first `course` on. */
export function onCourse(listener: (message: CourseMessage) => void): void {
  courseListener = listener
  for (const message of untold) listener(message)
  untold = []
}

function tellCourse(message: CourseMessage): void {
  if (courseListener) courseListener(message)
  // Other pages of a learner never ask.
  else if (/\/workshop(\/|$)/.test(location.pathname)) untold.push(message)
}

let turnListener: ((by: 1 | -1) => void) | undefined

/** Called when a remote is pressed, and this window is to turn the slides. */
export function onTurn(listener: (by: 1 | -1) => void): void {
  turnListener = listener
}

/** Opens the connection and keeps it open. */
export function connect(): void {
  if (socket || standIn) return
  if (rendererBridge) {
    standIn = new VideoTransport(rendererBridge, receive, paint)
    return standIn.open()
  }
  const deck = staticDeckHere()
  if (deck) {
    const encoder = new TextEncoder()
    standIn = new StaticServer(deck, receive, (channel, text) => paint(encodeFrame(channel, encoder.encode(text))))
    standIn.open()
    connection.link = 'static'
    for (const terminal of painters.keys()) attach(terminal)
    return
  }
  clearTimeout(timer)
  const url = new URL(SOCKET_PATH, location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  // The instructor's page of one learner.
  const learner = /\/class\/([^/]+)$/.exec(location.pathname)?.[1]
  if (learner !== undefined) url.searchParams.set('learner', learner)
  const opening = new WebSocket(url)
  opening.binaryType = 'arraybuffer'
  socket = opening
  opening.onopen = () => {
    everOpen = true
    retry = RETRY.first
    channels.clear()
    for (const terminal of painters.keys()) attach(terminal)
  }
  opening.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data !== 'string') return paint(new Uint8Array(data))
    const message = serverMessage.safeParse(JSON.parse(data))
    if (message.success) receive(message.data)
    else outdated()
  }
  opening.onclose = ({ code }) => {
    socket = undefined
    connection.link = everOpen ? 'lost' : 'none'
    if (code === CLOSE.malformed) outdated()
    timer = setTimeout(connect, retry)
    retry = Math.min(retry * 2, everOpen ? RETRY.most : RETRY.withoutServer)
  }
}

/** Server and page do not understand each other: the page is of another version. Loaded again once, not in a circle. */
function outdated(): void {
  const KEY = 'understudy-reloaded'
  const last = Number(sessionStorage.getItem(KEY) ?? 0)
  if (Date.now() - last > 60_000) {
    sessionStorage.setItem(KEY, String(Date.now()))
    location.reload()
  } else connection.refused = { refusal: { kind: 'outdated-page' } }
}

if (typeof window !== 'undefined') {
  // A laptop that wakes up does not wait for the next try.
  for (const event of ['online', 'focus', 'visibilitychange'])
    window.addEventListener(event, () => {
      if (!socket && connection.link !== 'none') connect()
    })
}

function receive(message: ServerMessage): void {
  if (isOfCourse(message)) tellCourse(message)
  switch (message.type) {
    case 'hello':
      connection.link = 'open'
      connection.profile = message.profile
      connection.role = message.role
      connection.permissions = message.permissions
      connection.reason = message.reason
      connection.share = message.share
      for (const [channel, state] of Object.entries(message.sync)) sync(channel, state)
      untold = []
      if (message.course) tellCourse({ type: 'course', course: message.course })
      return useDeck(message)
    case 'deck':
      return useDeck(message)
    case 'step': {
      const step = connection.steps[message.step]
      if (step) step.status = message.status
      // It runs now: what was wrong before is settled.
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
      const terminal = connection.terminals[message.terminal]
      if (terminal) terminal.state = message.state
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
    case 'replay': {
      const terminal = connection.terminals[message.terminal]
      if (terminal) terminal.replay = message.replay
      return
    }
    case 'snapshot':
      forget(message.terminal)
      channels.set(message.channel, { terminal: message.terminal, bytes: 0 })
      return painters.get(message.terminal)?.snapshot(message.cols, message.rows, message.data)
    case 'sync':
      return sync(message.channel, message.state)
    case 'refused':
      // The replay itself says why it is there.
      if (message.refusal.kind !== 'replayed') connection.refused = message
      return
    case 'turn':
      return turnListener?.(message.by)
    case 'stage-reset':
      connection.refused = undefined
  }
}

function useDeck({
  version: served,
  deck,
  steps,
  terminals,
}: Extract<ServerMessage, { type: 'hello' | 'deck' }>): void {
  connection.deck = deck
  connection.steps = Object.fromEntries(steps.map((step) => [step.id, step]))
  connection.terminals = Object.fromEntries(terminals.map((terminal) => [terminal.name, terminal]))
  version ??= served
  // Terminals come back by their snapshot: nothing is lost.
  if (version !== served && deck.state === 'current') location.reload()
}

function sync(channel: string, state: Record<string, unknown>): void {
  connection.synced.set(channel, state)
  syncListeners.get(channel)?.(state)
}

function paint(frame: Uint8Array): void {
  const { channel, output } = decodeFrame(frame)
  const entry = channels.get(channel)
  if (!entry) return
  entry.bytes += output.length
  const bytes = entry.bytes
  painters.get(entry.terminal)?.output(output, () => send({ type: 'ack', channel, bytes }))
}
