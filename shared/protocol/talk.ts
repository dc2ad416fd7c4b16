import { z } from 'zod'
import { profileSchema } from '../deck/contract.ts'
import { diagnosis } from '../diagnosis.ts'
import { refusal } from '../failures/refusal.ts'
import { PLAYBACK_ACTIONS } from '../recording/player.ts'
import { permission, role } from '../roles.ts'
import { classClientMessages, classServerMessages } from './class.ts'
import {
  commandLineFacts,
  deckProblem,
  deckState,
  id,
  replayInfo,
  runMeasures,
  shareInfo,
  stepInfo,
  stepStatus,
  terminalInfo,
  terminalState,
} from './state.ts'
import { courseInfo, workshopClientMessages, workshopServerMessages } from './workshop.ts'

/**
 * The messages of the websocket between a browser window and the server. Text frames are JSON: `clientMessage` to the
 * server, `serverMessage` to the browser. Binary frames carry terminal output (frame.ts).
 *
 * A `snapshot` opens a channel. Its `data` draws the whole screen with its scrollback; the binary frames of the channel
 * continue from there. A later snapshot of the same terminal replaces the screen and opens a new channel, for example
 * because the viewer was too slow, a replay began or ended, or the terminal was reset. The browser acknowledges the
 * bytes that its terminal has parsed since the snapshot; the snapshot itself does not count.
 */

/** Largest text frame from a browser, in bytes. The browser splits a longer paste. */
export const MAX_CLIENT_MESSAGE_BYTES = 256 * 1024

/** Largest `data` of one `input` message, in UTF-16 code units. */
export const MAX_INPUT_LENGTH = 64 * 1024

/** Path of the websocket. */
export const SOCKET_PATH = '/understudy/socket'

/** Path of the screenshots of pages: `<THUMBNAIL_PATH><step>.png`. */
export const THUMBNAIL_PATH = '/understudy/thumbnails/'

/** Path of the pages of steps, for browsers on other machines: `<PAGE_PATH><step>` redirects to the page. */
export const PAGE_PATH = '/understudy/pages/'

/** Path of the recordings: `<CAST_PATH><step>.cast`. */
export const CAST_PATH = '/understudy/recordings/'

/** Close codes of the websocket (4000 to 4999 are free for applications, RFC 6455 section 7.4.2). */
export const CLOSE = {
  /** A message was not JSON, or too many messages were not part of the protocol. The page does not reconnect. */
  malformed: 4400,
  /** The server is shutting down, or does not serve this window. */
  goodbye: 4001,
} as const

const count = z.number().int().nonnegative()

/** Messages about the talk, by their `type`. Their permissions and costs are in server/http/message-table.ts. */
export const talkClientMessages = {
  /**
   * Show a terminal in this window. Starts the terminal's shell if the window may run steps. `secrets`: show the values
   * of secrets as well, for windows that are not projected.
   */
  attach: z.strictObject({ type: z.literal('attach'), terminal: id, secrets: z.boolean().optional() }),
  /** Stop showing a terminal. Its session continues. */
  detach: z.strictObject({ type: z.literal('detach'), terminal: id }),
  /** The window has parsed `bytes` bytes of this channel. */
  ack: z.strictObject({ type: z.literal('ack'), channel: count, bytes: count }),
  /** Keys and pastes. */
  input: z.strictObject({ type: z.literal('input'), terminal: id, data: z.string().max(MAX_INPUT_LENGTH) }),
  /** Run a step. `hash` identifies the command that the slide shows. */
  run: z.strictObject({
    type: z.literal('run'),
    step: id,
    hash: z.string().max(64),
    inputs: z.record(z.string().max(64), z.string().max(4096)).default({}),
    confirm: z.string().max(256).optional(),
  }),
  /** Send the keys that interrupt the program in a terminal: Ctrl-C, unless the step's contract specifies others. */
  interrupt: z.strictObject({ type: z.literal('interrupt'), terminal: id }),
  /** Stop everything in a terminal and start a fresh shell. */
  restart: z.strictObject({ type: z.literal('restart'), terminal: id }),
  /** Stop everything in all terminals and recreate the workdir. */
  'reset-stage': z.strictObject({ type: z.literal('reset-stage') }),
  /** Show the recording of a step in its terminal, or the live terminal again. */
  replay: z.strictObject({ type: z.literal('replay'), step: id, on: z.boolean() }),
  /** Control the replay in a terminal. */
  playback: z.strictObject({
    type: z.literal('playback'),
    terminal: id,
    action: z.enum(PLAYBACK_ACTIONS),
  }),
  /** Request the doctor's diagnosis of this machine. Answered with `diagnosis`. */
  diagnose: z.strictObject({ type: z.literal('diagnose') }),
  /** Go one click forward or back, like a clicker at the presenter's window. */
  turn: z.strictObject({ type: z.literal('turn'), by: z.union([z.literal(1), z.literal(-1)]) }),
  /** State that all windows share (Slidev's sync channels: page, clicks, timer, drawings). */
  sync: z.strictObject({
    type: z.literal('sync'),
    channel: z.string().min(1).max(256),
    state: z.record(z.string(), z.unknown()),
  }),
}

/** Every message from a browser, by its `type`. */
export const clientMessages = { ...talkClientMessages, ...workshopClientMessages, ...classClientMessages }

export const clientMessage = z.discriminatedUnion(
  'type',
  Object.values(clientMessages) as [
    (typeof clientMessages)[keyof typeof clientMessages],
    ...(typeof clientMessages)[keyof typeof clientMessages][],
  ],
)
export type ClientMessage = z.infer<typeof clientMessage>
/** The message of a type. */
export type ClientMessageOf<Type extends ClientMessage['type']> = Extract<ClientMessage, { type: Type }>

export const serverMessage = z.discriminatedUnion('type', [
  /** The first message of every connection. `version` identifies the built deck: a page of another version reloads. */
  z.strictObject({
    type: z.literal('hello'),
    profile: profileSchema,
    role,
    permissions: z.array(permission),
    /** The reason why the window has fewer permissions than its role. */
    reason: z.string().optional(),
    share: shareInfo,
    /** What the hints of this window are composed from; absent in the logs of older versions. */
    commands: commandLineFacts.optional(),
    version: z.string(),
    deck: deckState,
    steps: z.array(stepInfo),
    terminals: z.array(terminalInfo),
    sync: z.record(z.string(), z.record(z.string(), z.unknown())),
    /** The course of the window's learner, in a workshop. */
    course: courseInfo.optional(),
    /** During development: see `deck-problems`. */
    problems: z.array(deckProblem).optional(),
  }),
  z.strictObject({
    type: z.literal('deck'),
    version: z.string(),
    deck: deckState,
    steps: z.array(stepInfo),
    terminals: z.array(terminalInfo),
  }),
  /** During development: all problems of the deck's files, which the command `check` would print. */
  z.strictObject({ type: z.literal('deck-problems'), problems: z.array(deckProblem) }),
  z.strictObject({ type: z.literal('step'), step: id, status: stepStatus }),
  z.strictObject({ type: z.literal('measured'), step: id, measured: runMeasures }),
  z.strictObject({ type: z.literal('terminal'), terminal: id, state: terminalState }),
  /** A replay began or changed; without `replay` the terminal is live again. */
  z.strictObject({ type: z.literal('replay'), terminal: id, replay: replayInfo.optional() }),
  z.strictObject({
    type: z.literal('snapshot'),
    terminal: id,
    channel: count,
    cols: z.number().int(),
    rows: z.number().int(),
    data: z.string(),
  }),
  z.strictObject({ type: z.literal('sync'), channel: z.string(), state: z.record(z.string(), z.unknown()) }),
  /** A request was refused. `step`, `terminal`, `task` and `path` are copied from the request. */
  z.strictObject({
    type: z.literal('refused'),
    refusal,
    step: id.optional(),
    terminal: id.optional(),
    task: id.optional(),
    path: z.string().optional(),
  }),
  z.strictObject({ type: z.literal('diagnosis'), diagnosis }),
  /** A button of the remote was pressed: the receiving window changes the slide for all windows. */
  z.strictObject({ type: z.literal('turn'), by: z.union([z.literal(1), z.literal(-1)]) }),
  /** The stage was reset: all terminals are new and the workdir is clean. */
  z.strictObject({ type: z.literal('stage-reset') }),
  /** The permissions of this window have changed. */
  z.strictObject({ type: z.literal('permissions'), permissions: z.array(permission) }),
  ...workshopServerMessages,
  ...classServerMessages,
])
export type ServerMessage = z.infer<typeof serverMessage>
