import { z } from 'zod'

/**
 * What crosses the websocket for the workshop, besides the messages of protocol.ts. A learner's window asks by a `workshopRequest`; the
 * server tells by a `workshopMessage`. Paths are relative to the learner's copy of the flake, with `/`.
 */

const id = z.string().min(1).max(64).regex(/^[a-z0-9][a-z0-9-]*$/)
const path = z.string().min(1).max(512)
/** Of a file's content: SHA-256, hex; the empty string for a file that is not there. */
const version = z.string().max(64)
/** Largest file that the editor opens, in UTF-16 units. */
export const MAX_FILE = 200 * 1024
const text = z.string().max(MAX_FILE)

export const workshopRequest = z.discriminatedUnion('type', [
  /** What a learner does with a task: `hint` opens the next one, `solution` asks for its diff, `solve` applies it. */
  z.strictObject({ type: z.literal('task'), task: id, action: z.enum(['begin', 'check', 'stop', 'hint', 'solution', 'solve', 'skip', 'reset']) }),
  /** Show me this file, and tell me whenever it changes. */
  z.strictObject({ type: z.literal('open'), path }),
  z.strictObject({ type: z.literal('close'), path }),
  /** Write it, unless it is no longer what `base` says. */
  z.strictObject({ type: z.literal('save'), path, text, base: version }),
  /** Back to what it was at the start; without a path, all files. */
  z.strictObject({ type: z.literal('reset-files'), path: path.optional() }),
  /** What is different from the start? */
  z.strictObject({ type: z.literal('changes') }),
])
export type WorkshopRequest = z.infer<typeof workshopRequest>

/** One line of what a check has found: what is wrong, what it looked at, what is right, and the rest of what it said. */
export const finding = z.strictObject({ kind: z.enum(['fail', 'look', 'ok', 'note']), text: z.string() })
export type Finding = z.infer<typeof finding>

export const taskState = z.enum(['locked', 'open', 'begun', 'passed', 'skipped'])
export type TaskState = z.infer<typeof taskState>

export const taskInfo = z.strictObject({
  id,
  title: z.string(),
  /** Number of its slide, from 1. */
  slide: z.number().int().optional(),
  /** How long it takes, in minutes. */
  minutes: z.number().optional(),
  /** What to do, as Markdown. */
  text: z.string(),
  /** The files that it is about. */
  files: z.array(path),
  state: taskState,
  /** Ids of the tasks that it waits for. */
  after: z.array(id),
  /** The hints that were opened, as Markdown, and how many there are. */
  hints: z.array(z.string()),
  hintCount: z.number().int(),
  /** A script of it runs. `since` is in milliseconds since 1970. */
  busy: z.strictObject({ action: z.enum(['begin', 'check', 'solve', 'reset']), since: z.number() }).optional(),
  /** The last check. `seconds` is how long it took. */
  check: z.strictObject({ passed: z.boolean(), findings: z.array(finding), at: z.number(), seconds: z.number() }).optional(),
})
export type TaskInfo = z.infer<typeof taskInfo>

export const fileInfo = z.strictObject({ path, changed: z.boolean() })
export type FileInfo = z.infer<typeof fileInfo>

/** A file on both sides of a change; absent where it is not there. */
export const fileChange = z.strictObject({ path, before: z.string().optional(), after: z.string().optional() })
export type FileChange = z.infer<typeof fileChange>

export const workshopMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('workshop'), learner: z.string(), gated: z.boolean(), tasks: z.array(taskInfo), files: z.array(fileInfo) }),
  z.strictObject({ type: z.literal('task'), task: taskInfo }),
  z.strictObject({ type: z.literal('files'), files: z.array(fileInfo) }),
  /** The content of an open file: when it was opened, saved, or changed by something else. */
  z.strictObject({ type: z.literal('file'), path, text, version }),
  /** It was not saved: something else has changed it. Its content came by a `file` before. */
  z.strictObject({ type: z.literal('conflict'), path }),
  z.strictObject({ type: z.literal('changes'), files: z.array(fileChange) }),
  z.strictObject({ type: z.literal('solution'), task: id, files: z.array(fileChange) }),
  z.strictObject({ type: z.literal('refused'), task: id.optional(), path: path.optional(), message: z.string() }),
])
export type WorkshopMessage = z.infer<typeof workshopMessage>
