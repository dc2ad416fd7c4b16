import { z } from 'zod'
import { profileSchema } from '../deck/contract.ts'
import { diagnosis } from '../diagnosis.ts'
import { captured } from '../recording/metadata.ts'
import { classClientMessages, classServerMessages } from './class.ts'
import { courseInfo, workshopClientMessages, workshopRefusals, workshopServerMessages } from './workshop.ts'

/**
 * What crosses the websocket between a browser window and the server. Both sides import this file, and what the workshop adds to it, and
 * nothing else of each other.
 *
 * Text frames are JSON: `clientMessage` towards the server, `serverMessage` towards the browser. Binary frames go only
 * towards the browser and carry terminal output:
 *
 *     bytes 0..3   unsigned 32-bit integer, big endian: the channel, as its `snapshot` message named it
 *     bytes 4..    output of the pseudo-terminal, as it came
 *
 * A `snapshot` opens a channel. Its `data` paints the whole screen with its scrollback; every binary frame of the channel
 * that follows continues exactly there. A later snapshot of the same terminal replaces the screen and opens a new channel.
 * The browser acknowledges what its terminal has parsed by the count of bytes since the snapshot (not counting the snapshot).
 */

/** Largest text frame the server takes from a browser, in bytes. A paste is cut into frames below it by the browser. */
export const MAX_CLIENT_MESSAGE = 256 * 1024

/** Largest `data` of one `input` message, in UTF-16 units. */
export const MAX_INPUT = 64 * 1024

/** Path of the websocket at the front door. */
export const SOCKET_PATH = '/understudy/socket'

/** Path of the pictures of pages: `<THUMBNAIL_PATH><step>.png`. */
export const THUMBNAIL_PATH = '/understudy/thumbnails/'

/** Path of the pages of steps, for browsers on other machines: `<PAGE_PATH><step>` leads there. */
export const PAGE_PATH = '/understudy/pages/'

/** Path of the recordings: `<CAST_PATH><step>.cast`. */
export const CAST_PATH = '/understudy/recordings/'

/** Close codes of the websocket (4000 to 4999 are free for applications, RFC 6455 section 7.4.2). */
export const CLOSE = {
  /** A message that is no JSON or not of the protocol. */
  malformed: 4400,
  /** The server is going away on purpose. */
  goodbye: 4001,
} as const

const id = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z0-9][a-z0-9-]*$/)
const count = z.number().int().nonnegative()

export const clientMessage = z.discriminatedUnion('type', [
  /**
   * Show me this terminal. Starts its shell if it has none, where the window may run steps. With `secrets` the values of the contracts'
   * secrets too: for the presenter's own window, since slides are projected.
   */
  z.strictObject({ type: z.literal('attach'), terminal: id, secrets: z.boolean().optional() }),
  /** I no longer show this terminal. Its session goes on. */
  z.strictObject({ type: z.literal('detach'), terminal: id }),
  /** My screen has parsed `bytes` bytes of this channel. */
  z.strictObject({ type: z.literal('ack'), channel: count, bytes: count }),
  /** Keys and pastes. */
  z.strictObject({ type: z.literal('input'), terminal: id, data: z.string().max(MAX_INPUT) }),
  /** Run a step of the deck: `hash` is the hash of the command that the slide shows. */
  z.strictObject({
    type: z.literal('run'),
    step: id,
    hash: z.string().max(64),
    inputs: z.record(z.string().max(64), z.string().max(4096)).default({}),
    confirm: z.string().max(256).optional(),
  }),
  /** Ctrl-C. */
  z.strictObject({ type: z.literal('interrupt'), terminal: id }),
  /** End everything in this terminal and start a fresh shell. */
  z.strictObject({ type: z.literal('restart'), terminal: id }),
  /** End everything in every terminal and make the workdir anew. */
  z.strictObject({ type: z.literal('reset-stage') }),
  /** Show the recording of a step in its terminal, or what really runs there. */
  z.strictObject({ type: z.literal('replay'), step: id, on: z.boolean() }),
  /** What the replay in a terminal does next. */
  z.strictObject({
    type: z.literal('playback'),
    terminal: id,
    action: z.enum(['play', 'pause', 'step', 'skip', 'restart', 'faster', 'slower']),
  }),
  /** What does this machine have and lack for the talk? */
  z.strictObject({ type: z.literal('diagnose') }),
  /** One click further, or back: as by a clicker at the presenter's window. */
  z.strictObject({ type: z.literal('turn'), by: z.union([z.literal(1), z.literal(-1)]) }),
  /** State that the windows keep in step (Slidev's sync channels: page, clicks, timer, drawings). */
  z.strictObject({
    type: z.literal('sync'),
    channel: z.string().min(1).max(256),
    state: z.record(z.string(), z.unknown()),
  }),
  ...workshopClientMessages,
  ...classClientMessages,
])
export type ClientMessage = z.infer<typeof clientMessage>

/** What a window may do: look; type into terminals; run and interrupt steps; turn the slides for all windows; show replays; do the tasks and edit the copy of its learner; look at the learners of a class and help them. */
export const permission = z.enum(['view', 'type', 'run', 'navigate', 'replay', 'learn', 'teach'])
export type Permission = z.infer<typeof permission>

/** A set of permissions, which a link carries: see roles.ts. */
export const role = z.enum(['presenter', 'learner', 'instructor', 'audience', 'remote'])
export type Role = z.infer<typeof role>

/** Where a step is in its life. */
export const stepStatus = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('idle') }),
  /** `since` is in milliseconds since 1970. */
  z.strictObject({ state: z.literal('running'), since: z.number() }),
  /** Still running, and ready; `url` is the page that it serves. `after` is in seconds since the start. */
  z.strictObject({ state: z.literal('ready'), since: z.number(), url: z.string().optional(), after: z.number() }),
  /** It did what its contract promises; where that is to fail, `exit` is not 0. */
  z.strictObject({ state: z.literal('succeeded'), exit: z.number().int(), seconds: z.number() }),
  z.strictObject({
    state: z.literal('failed'),
    exit: z.number().int(),
    seconds: z.number(),
    problems: z.array(z.string()).min(1),
  }),
  /** Ended without an exit status of its own: its shell was ended, restarted or died. */
  z.strictObject({ state: z.literal('ended'), reason: z.string() }),
  /** Cannot run on this machine as it is; each reason names what is missing and what to do. */
  z.strictObject({ state: z.literal('unavailable'), reasons: z.array(z.string()).min(1) }),
])
export type StepStatus = z.infer<typeof stepStatus>

/** The recording of a step's last good run. */
export const recordingInfo = z.strictObject({
  profile: profileSchema,
  /** When it was made (ISO 8601). */
  date: z.string(),
  stale: z.enum(['command changed', 'flake changed']).optional(),
  /** Whether there is a picture of the page that it served, at `THUMBNAIL_PATH`. */
  thumbnail: z.boolean(),
})

/** What the last good run of a step in this talk has measured, as the metadata of a recording has it. */
export const runMeasures = z.strictObject({
  date: z.iso.datetime(),
  seconds: z.number().nonnegative(),
  ready: z.number().nonnegative().optional(),
  captures: z.record(z.string(), captured),
})
export type RunMeasures = z.infer<typeof runMeasures>

export const stepInfo = z.strictObject({
  id,
  /** Number of its slide, from 1. */
  slide: z.number().int(),
  /** The terminal that the step types into. */
  terminal: id,
  /** SHA-256 of the command as the slide shows it, hex. */
  hash: z.string(),
  /** Fields to fill in before it runs, by name. */
  inputs: z.record(
    z.string(),
    z.strictObject({ label: z.string(), pattern: z.string(), placeholder: z.string().optional() }),
  ),
  confirm: z.strictObject({ warning: z.string(), type: z.string() }).optional(),
  /** The page that the step serves once it is ready. */
  page: z.string().optional(),
  recording: recordingInfo.optional(),
  measured: runMeasures.optional(),
  status: stepStatus,
})
export type StepInfo = z.infer<typeof stepInfo>

/** What runs in a terminal. */
export const terminalState = z.discriminatedUnion('state', [
  /** No shell yet: it starts with the first viewer or step. */
  z.strictObject({ state: z.literal('new') }),
  /** The shell waits at its prompt. */
  z.strictObject({ state: z.literal('prompt') }),
  /** A command runs: `step` names it where it is one of the deck's. */
  z.strictObject({ state: z.literal('busy'), step: id.optional() }),
  /** The shell is gone; Restart brings a new one. */
  z.strictObject({ state: z.literal('ended'), reason: z.string() }),
])
export type TerminalState = z.infer<typeof terminalState>

/** A recording that stands in place of the live terminal. Times are in seconds of the replay, where long pauses are cut. */
export const replayInfo = z.strictObject({
  step: id,
  profile: profileSchema,
  date: z.string(),
  playing: z.boolean(),
  /** It plays to the next pause in the recording only. */
  stepping: z.boolean(),
  time: z.number(),
  duration: z.number(),
  speed: z.number(),
  /** When the step was ready; until then its page is not there. */
  ready: z.number().optional(),
  /** Why it was shown without being asked for. */
  reason: z.string().optional(),
})
export type ReplayInfo = z.infer<typeof replayInfo>

export const terminalInfo = z.strictObject({
  name: id,
  cols: z.number().int(),
  rows: z.number().int(),
  state: terminalState,
  replay: replayInfo.optional(),
})
export type TerminalInfo = z.infer<typeof terminalInfo>

/** What the server knows of the deck's files. */
export const deckState = z.discriminatedUnion('state', [
  /** What the browser shows is what the server runs. */
  z.strictObject({ state: z.literal('current') }),
  /** slides.md was edited and the deck is being built again. */
  z.strictObject({ state: z.literal('building') }),
  /** The edit cannot be used; the steps are those of the last good deck. */
  z.strictObject({ state: z.literal('broken'), errors: z.array(z.string()).min(1) }),
])
export type DeckState = z.infer<typeof deckState>

/** The links that a window may show to others. */
export const shareInfo = z.strictObject({
  /** Address at which the local network is served (`http://192.0.2.7:3030`), where it is. */
  lanUrl: z.string().optional(),
  /** Lets a browser on the local network look. */
  audience: z.string().optional(),
  /** Makes a phone the remote; `because` says why it only looks, where it does. */
  remote: z.strictObject({ link: z.string(), reason: z.string().optional() }).optional(),
  /** Whether browsers on other machines reach the pages of steps, by `PAGE_PATH`. */
  pages: z.literal(true).optional(),
})
export type ShareInfo = z.infer<typeof shareInfo>

/** Why a request was refused. The text that comes with it says what to do next. */
export const refusal = z.enum([
  'unknown-step',
  'stale',
  'busy',
  'unavailable',
  'bad-input',
  'unconfirmed',
  'unknown-terminal',
  'no-recording',
  'replayed',
  'not-allowed',
  'failed',
  ...workshopRefusals,
])
export type Refusal = z.infer<typeof refusal>

export const serverMessage = z.discriminatedUnion('type', [
  /** First message of every connection. `version` changes with every built deck: a page of another version reloads. */
  z.strictObject({
    type: z.literal('hello'),
    profile: profileSchema,
    role,
    permissions: z.array(permission),
    /** Why it has fewer permissions than its role. */
    reason: z.string().optional(),
    share: shareInfo,
    version: z.string(),
    deck: deckState,
    steps: z.array(stepInfo),
    terminals: z.array(terminalInfo),
    sync: z.record(z.string(), z.record(z.string(), z.unknown())),
    /** Of the window's learner, in a workshop. */
    course: courseInfo.optional(),
  }),
  z.strictObject({
    type: z.literal('deck'),
    version: z.string(),
    deck: deckState,
    steps: z.array(stepInfo),
    terminals: z.array(terminalInfo),
  }),
  z.strictObject({ type: z.literal('step'), step: id, status: stepStatus }),
  z.strictObject({ type: z.literal('measured'), step: id, measured: runMeasures }),
  z.strictObject({ type: z.literal('terminal'), terminal: id, state: terminalState }),
  /** A replay was begun, goes on, or (without one) has given the terminal back. */
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
  z.strictObject({
    type: z.literal('refused'),
    reason: refusal,
    step: id.optional(),
    terminal: id.optional(),
    task: id.optional(),
    path: z.string().optional(),
    message: z.string(),
  }),
  /** What the doctor has found. */
  z.strictObject({ type: z.literal('diagnosis'), diagnosis }),
  /** A remote was pressed: turn the slides, here for all windows. */
  z.strictObject({ type: z.literal('turn'), by: z.union([z.literal(1), z.literal(-1)]) }),
  /** The stage was reset: every terminal is new and the workdir is clean. */
  z.strictObject({ type: z.literal('stage-reset') }),
  /** What this window may do is something else from now on. */
  z.strictObject({ type: z.literal('permissions'), permissions: z.array(permission) }),
  ...workshopServerMessages,
  ...classServerMessages,
])
export type ServerMessage = z.infer<typeof serverMessage>

/** Bytes before the output in a binary frame. */
export const FRAME_HEADER = 4

/** Puts the channel before a chunk of output. */
export function encodeFrame(channel: number, output: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER + output.length)
  new DataView(frame.buffer).setUint32(0, channel)
  frame.set(output, FRAME_HEADER)
  return frame
}

/** Takes a binary frame apart. Throws a RangeError for one that is shorter than its header. */
export function decodeFrame(frame: Uint8Array): { channel: number; output: Uint8Array } {
  const channel = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0)
  return { channel, output: frame.subarray(FRAME_HEADER) }
}
