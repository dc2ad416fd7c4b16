import { z } from 'zod'
import type { CommandLines } from '../command-line.ts'
import { profileSchema } from '../deck/contract.ts'
import { ID } from '../deck/fence.ts'
import type { DeckProblem } from '../failures/deck-problem.ts'
import { fallbackReason } from '../failures/fallback.ts'
import { missingRequirement } from '../failures/requirement.ts'
import { sessionFailure } from '../failures/session.ts'
import { stepProblem } from '../failures/step-problem.ts'
import { captured } from '../recording/metadata.ts'

/** The state that the server sends to its windows: steps, terminals, replays and the deck. */

/** The id of a step or task, or the name of a terminal. */
export const id = z.string().regex(ID)

export const stepStatus = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('idle') }),
  /** `since`: milliseconds since 1970. */
  z.strictObject({ state: z.literal('running'), since: z.number() }),
  /** Running and ready. `url`: the page that the step serves. `after`: seconds from the start until it was ready. */
  z.strictObject({ state: z.literal('ready'), since: z.number(), url: z.string().optional(), after: z.number() }),
  /** The run kept its contract. `exit` is not 0 if the contract expects a failure. */
  z.strictObject({ state: z.literal('succeeded'), exit: z.number().int(), seconds: z.number() }),
  z.strictObject({
    state: z.literal('failed'),
    exit: z.number().int(),
    seconds: z.number(),
    problems: z.array(stepProblem).min(1),
  }),
  /** The run has no exit status, because its shell ended or did not run the command. */
  z.strictObject({ state: z.literal('ended'), failure: sessionFailure }),
  /** The step cannot run in its current environment. */
  z.strictObject({ state: z.literal('unavailable'), missing: z.array(missingRequirement).min(1) }),
])
export type StepStatus = z.infer<typeof stepStatus>

/** The recording of a step's last good run. */
export const recordingInfo = z.strictObject({
  profile: profileSchema,
  /** Date of the run (ISO 8601). */
  date: z.string(),
  stale: z.enum(['command changed', 'flake changed']).optional(),
  /** Whether a screenshot of the page that the step served is available at `THUMBNAIL_PATH`. */
  thumbnail: z.boolean(),
})

/**
 * The measurements of a step's last good run in this talk, in the form of a recording's metadata. Times are in seconds.
 */
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
  /** The numbers of all slides that show it, if there are several. */
  slides: z.array(z.number().int()).optional(),
  /** The terminal that the step types into. */
  terminal: id,
  /** SHA-256 of the command as the slide shows it, hex. */
  hash: z.string(),
  /** Fields that the user fills in before a run, by name. */
  inputs: z.record(
    z.string(),
    z.strictObject({ label: z.string(), pattern: z.string(), placeholder: z.string().optional() }),
  ),
  confirm: z.strictObject({ warning: z.string(), type: z.string() }).optional(),
  /** The page that the step serves when it is ready. */
  page: z.string().optional(),
  recording: recordingInfo.optional(),
  measured: runMeasures.optional(),
  /** Whether the command was edited after its last run began, which `status` describes. */
  changed: z.literal(true).optional(),
  status: stepStatus,
})
export type StepInfo = z.infer<typeof stepInfo>

export const terminalState = z.discriminatedUnion('state', [
  /** No shell yet: the first viewer or step starts it. */
  z.strictObject({ state: z.literal('new') }),
  /** The shell has started but not yet shown its first prompt. */
  z.strictObject({ state: z.literal('starting') }),
  z.strictObject({ state: z.literal('prompt') }),
  /** A command is running. `step` is absent if the user typed it. */
  z.strictObject({ state: z.literal('busy'), step: id.optional() }),
  /** The shell has ended; the button Restart starts another one. */
  z.strictObject({ state: z.literal('ended'), failure: sessionFailure }),
])
export type TerminalState = z.infer<typeof terminalState>

/**
 * A recording that replaces the live terminal. Times are in seconds of the replay, in which long pauses are shortened.
 */
export const replayInfo = z.strictObject({
  step: id,
  profile: profileSchema,
  date: z.string(),
  playing: z.boolean(),
  /** Whether it stops at the next pause in the recording. */
  stepping: z.boolean(),
  time: z.number(),
  duration: z.number(),
  speed: z.number(),
  /** When the step was ready; its page is hidden until then. */
  ready: z.number().optional(),
  /** The reason why the recording is shown, if no user requested it. */
  reason: fallbackReason.optional(),
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

/** The state of the served deck compared with the deck's files. */
export const deckState = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('current') }),
  /** The deck was edited and is being rebuilt. */
  z.strictObject({ state: z.literal('building') }),
  /** The edited deck is invalid; the last good one is served. */
  z.strictObject({ state: z.literal('broken'), errors: z.array(z.string()).min(1) }),
])
export type DeckState = z.infer<typeof deckState>

/** A problem of the deck. Its kind determines its other values. */
export const deckProblem = z.custom<DeckProblem>((value) => problemPlace.safeParse(value).success)
const problemPlace = z.looseObject({
  file: z.string(),
  line: z.number().int().optional(),
  slide: z.number().int().optional(),
  severity: z.enum(['error', 'warning']),
  kind: z.string(),
})

/** What hints are composed from (see `CommandLines`). */
export const commandLineFacts: z.ZodType<CommandLines> = z.strictObject({
  scripts: z.record(z.string(), z.string()),
  deck: z.string().optional(),
})

/** The links that a window may show to others. */
export const shareInfo = z.strictObject({
  /** The server's URL on the local network (`http://192.0.2.7:3030`), if the talk is shared. */
  lanUrl: z.string().optional(),
  /** Gives a browser on the local network the role `audience`. */
  audience: z.string().optional(),
  /** Turns a phone into the remote. `reason` explains why the remote is view-only; absent if it is not. */
  remote: z.strictObject({ link: z.string(), reason: z.string().optional() }).optional(),
  /** Whether browsers on other machines can open the pages of steps, at `PAGE_PATH`. */
  pages: z.literal(true).optional(),
})
export type ShareInfo = z.infer<typeof shareInfo>
