import { z } from 'zod'

/**
 * What crosses the websocket for the workshop, besides what every talk sends (../protocol.ts, which joins these to its own). All of it is
 * about one learner: a window says nothing about whose, since its link does.
 *
 * `hello` carries the `course` of a window that may use it. From then on the server tells what changes: `task`, `activity`,
 * `activity-line`, `files`, `file-changed`, and the whole `course` where that is simpler. What one window asks to see (`file`, `diff`,
 * `solution`, `saved`, `conflict`) is answered to that window alone.
 */

/** Largest file that the editor opens or saves, in bytes of UTF-8: written as JSON, with every quote and line end escaped, it still fits into one message. */
export const MAX_FILE = 100 * 1024

/** Path of the download of all of a learner's changes, as a patch for `git apply`. `?task=<id>`: since that task was begun. */
export const PATCH_PATH = '/understudy/workshop/changes.patch'

const id = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9-]*$/)

/** A path in the copy: relative, with `/`. The server has the last word about where it leads. */
const path = z.string().min(1).max(512)

/** SHA-256 of a file's bytes, hex. */
const hash = z.string().regex(/^[0-9a-f]{64}$/)

/** Milliseconds since 1970. */
const moment = z.number()

export const workshopClientMessages = {
  /** Bring the copy to the task's start, by its `setup`. Also once more, for a task that was begun before: then `reset-task` is what is meant more often. */
  'begin-task': z.strictObject({ type: z.literal('begin-task'), task: id }),
  /** Is it solved? A check that runs already is given up for this one. */
  'check-task': z.strictObject({ type: z.literal('check-task'), task: id }),
  /** Give up what the course does in the copy (see `activity`). */
  'stop-activity': z.strictObject({ type: z.literal('stop-activity') }),
  /** Open the hint of this number, from 1: the next one, or one that is open already. */
  'open-hint': z.strictObject({ type: z.literal('open-hint'), task: id, hint: z.number().int().min(1).max(9) }),
  /** What would `solve` change? Answered by `solution`; nothing happens to the copy. */
  'show-solution': z.strictObject({ type: z.literal('show-solution'), task: id }),
  /** Do what was shown, and check. `solution` is that of the answer: refused as `outdated` where the files have changed meanwhile. */
  'apply-solution': z.strictObject({ type: z.literal('apply-solution'), task: id, solution: z.string().max(64) }),
  /** Begin the task where need be, solve it, and go on. */
  'skip-task': z.strictObject({ type: z.literal('skip-task'), task: id }),
  /** All files as they were when the task was begun. */
  'reset-task': z.strictObject({ type: z.literal('reset-task'), task: id }),
  /** Whether a save, here or by another editor, checks the task that is in work. */
  'check-on-save': z.strictObject({ type: z.literal('check-on-save'), on: z.boolean() }),
  /** Answered by `file`. */
  'open-file': z.strictObject({ type: z.literal('open-file'), path }),
  /**
   * Answered by `saved` or `conflict`. More than `MAX_FILE` bytes are refused. `base` is the hash of what was opened, or saved last; null for a file that is to be new. To settle
   * a conflict, save with the hash that it named.
   */
  'save-file': z.strictObject({
    type: z.literal('save-file'),
    path,
    text: z.string().max(2 * MAX_FILE),
    base: hash.nullable(),
  }),
  /** The file as it was at the start of a task, or of the copy where none is named; what was not there is removed. */
  'reset-file': z.strictObject({ type: z.literal('reset-file'), path, task: id.optional() }),
  /** All files as they were at the start of the copy; with `progress` every task is to do again. */
  'reset-copy': z.strictObject({ type: z.literal('reset-copy'), progress: z.boolean() }),
  /** What has changed since the start of a task, or of the copy where none is named? Answered by `diff`. */
  'show-diff': z.strictObject({ type: z.literal('show-diff'), task: id.optional() }),
}

/** Where a task is in its life, for one learner. */
export const taskState = z.discriminatedUnion('state', [
  /** Not to be done in this profile. It holds no other task up. */
  z.strictObject({ state: z.literal('unavailable'), reason: z.string() }),
  /** Others come first: those that it depends on, or, where the course is gated, those before it. */
  z.strictObject({ state: z.literal('locked'), by: z.array(id).min(1) }),
  z.strictObject({ state: z.literal('open') }),
  z.strictObject({ state: z.literal('begun'), since: moment }),
  /** Begun, and its last check did not pass. */
  z.strictObject({ state: z.literal('failed'), since: moment }),
  /** `solution`: with the task's own solution. */
  z.strictObject({ state: z.literal('passed'), at: moment, by: z.enum(['learner', 'solution']) }),
  z.strictObject({ state: z.literal('skipped'), at: moment }),
])
export type TaskState = z.infer<typeof taskState>

/** A line of a task's script. */
export const taskLine = z.strictObject({
  /** `fail`: what is not right; `ok`: a point that is met; `look`: what was looked at; `says`: anything else, such as a program's output. */
  kind: z.enum(['fail', 'ok', 'look', 'says']),
  /** Without the word before it. */
  text: z.string(),
})
export type TaskLine = z.infer<typeof taskLine>

export const checkResult = z.strictObject({
  at: moment,
  seconds: z.number(),
  /** `timeout`: it took longer than the task allows; `broken`: it failed and does not say why, or could not be run. */
  result: z.enum(['passed', 'failed', 'timeout', 'broken']),
  lines: z.array(taskLine),
})
export type CheckResult = z.infer<typeof checkResult>

/** How far a learner is with a task. */
export const taskProgress = z.strictObject({
  state: taskState,
  /** What `setup` said when the task was begun. */
  setup: z.array(taskLine),
  /** The hints that are open, as Markdown. */
  hints: z.array(z.string()),
  /** The last one that came to its end. */
  check: checkResult.optional(),
})
export type TaskProgress = z.infer<typeof taskProgress>

export const taskInfo = z.strictObject({
  id,
  title: z.string(),
  /** What it teaches, in one line. */
  teaches: z.string(),
  /** Number of its slide, from 1. */
  slide: z.number().int(),
  depends: z.array(id),
  /** Seconds that a check may take. */
  timeout: z.number(),
  /** Paths in the copy that it is about. */
  files: z.array(path),
  /** The instructions, as Markdown. */
  text: z.string(),
  /** How many hints there are. */
  hints: z.number().int(),
  progress: taskProgress,
})
export type TaskInfo = z.infer<typeof taskInfo>

/** What the course does in the copy right now: one thing at a time. `look` is the making of a solution to look at. */
export const activity = z.strictObject({
  task: id,
  doing: z.enum(['begin', 'check', 'look', 'solve', 'skip', 'reset']),
  since: moment,
})
export type Activity = z.infer<typeof activity>

export const fileInfo = z.strictObject({
  path,
  /** Against the start of the copy. What is removed is listed too, so that it can be reset. */
  change: z.enum(['none', 'changed', 'added', 'removed']),
  /** Why the editor does not open it. */
  closed: z.enum(['too large', 'not text', 'link']).optional(),
})
export type FileInfo = z.infer<typeof fileInfo>

export const courseInfo = z.strictObject({
  /** Where the copy is on the learner's machine. */
  copy: z.string(),
  /** Whether slides and tasks behind a task open only once it is passed or skipped. */
  gated: z.boolean(),
  checkOnSave: z.boolean(),
  /** In the deck's order; none for a deck without tasks. */
  tasks: z.array(taskInfo),
  files: z.array(fileInfo),
  activity: activity.nullable(),
  /** What the learner should know: that progress was damaged and set aside, that the talk has moved on. */
  notices: z.array(z.string()),
})
export type CourseInfo = z.infer<typeof courseInfo>

/** Whether a task needs nothing more of the learner. */
export function isDone({ state }: TaskState): boolean {
  return state === 'passed' || state === 'skipped' || state === 'unavailable'
}

/** The number of the last slide that a learner may turn to; undefined where all of them are open. */
export function lastOpenSlide({ gated, tasks }: Pick<CourseInfo, 'gated' | 'tasks'>): number | undefined {
  return gated ? tasks.find(({ progress }) => !isDone(progress.state))?.slide : undefined
}

export type WorkshopClientMessage = z.infer<(typeof workshopClientMessages)[keyof typeof workshopClientMessages]>

export const workshopServerMessages = [
  z.strictObject({ type: z.literal('course'), course: courseInfo }),
  z.strictObject({ type: z.literal('task'), task: id, progress: taskProgress }),
  z.strictObject({ type: z.literal('activity'), activity: activity.nullable() }),
  /** What the script of the activity says, as it says it. */
  z.strictObject({ type: z.literal('activity-line'), task: id, line: taskLine }),
  z.strictObject({ type: z.literal('files'), files: z.array(fileInfo) }),
  /** A file is another one than it was, by whatever: a window that has it open asks for it again, or warns. `hash` is null where it is gone. */
  z.strictObject({ type: z.literal('file-changed'), path, hash: hash.nullable() }),
  z.strictObject({ type: z.literal('file'), path, text: z.string(), hash }),
  z.strictObject({ type: z.literal('saved'), path, hash }),
  /** Not saved: the file is no longer what was opened. `yours` is what came, `theirs` what is there (null where it is gone). Nothing is lost. */
  z.strictObject({
    type: z.literal('conflict'),
    path,
    yours: z.string(),
    theirs: z.strictObject({ text: z.string(), hash }).nullable(),
  }),
  /** What `solve` changes, as a patch; `solution` is what `apply-solution` names. `says` is what the script said. */
  z.strictObject({
    type: z.literal('solution'),
    task: id,
    solution: z.string(),
    patch: z.string(),
    says: z.array(taskLine),
  }),
  /** A patch for `git apply`, empty where nothing has changed. */
  z.strictObject({ type: z.literal('diff'), task: id.optional(), patch: z.string() }),
] as const

/** Why something about a course was refused. The text that comes with it says what to do next. */
export const workshopRefusals = [
  /** This deck has no such task, or no longer. */
  'unknown-task',
  /** Another task comes first. */
  'locked',
  /** The task was not begun yet. */
  'not-begun',
  /** The solution does not fit the files as they are: reset the task first. */
  'no-solution',
  /** The files have changed since the solution was shown: look at it again. */
  'outdated',
  /** The path is none of the copy's, or no text, or too large. */
  'bad-file',
] as const
