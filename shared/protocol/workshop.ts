import { z } from 'zod'
import { profileSchema } from '../deck/contract.ts'

/**
 * The messages of the workshop, in addition to those of every talk (./talk.ts adds them to the protocol). All of them
 * concern one learner, whom the link of a window determines.
 *
 * `hello` carries the `course` if the window may use it. Afterwards the server sends changes: `task`, `activity`,
 * `activity-line`, `files`, `file-changed`, or the whole `course`. The answers to a request (`file`, `diff`,
 * `solution`, `saved`, `conflict`) go only to the window that sent it.
 */

/**
 * Largest file that the editor opens or saves, in bytes of UTF-8. Even as JSON with every quote and line end escaped,
 * it fits into one message.
 */
export const MAX_FILE_BYTES = 100 * 1024

/**
 * Download path of the learner's changes, as a patch for `git apply`. `?task=<id>` limits it to the changes since the
 * start of a task.
 */
export const PATCH_PATH = '/understudy/workshop/changes.patch'

const id = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9-]*$/)

/** A path in the workspace: relative, with `/`. The server checks that it does not lead outside the workspace. */
const path = z.string().min(1).max(512)

/** SHA-256 of a file's bytes, hex. */
const hash = z.string().regex(/^[0-9a-f]{64}$/)

/** Milliseconds since 1970. */
const timestamp = z.number()

export const workshopClientMessages = {
  /** Run the task's `setup` script, which brings the workspace to the start of the task. A task can be begun again. */
  'begin-task': z.strictObject({ type: z.literal('begin-task'), task: id }),
  /** Run the task's `check` script. A check that is still running is canceled. */
  'check-task': z.strictObject({ type: z.literal('check-task'), task: id }),
  /** Cancel the current activity. */
  'stop-activity': z.strictObject({ type: z.literal('stop-activity') }),
  /** Open the hint with this number, from 1. Hints open in order. */
  'open-hint': z.strictObject({ type: z.literal('open-hint'), task: id, hint: z.number().int().min(1).max(9) }),
  /** Show what the solution would change, without changing the workspace. Answered with `solution`. */
  'show-solution': z.strictObject({ type: z.literal('show-solution'), task: id }),
  /** Apply the solution that was shown, then check the task. Refused if the files have changed since. */
  'apply-solution': z.strictObject({ type: z.literal('apply-solution'), task: id, solution: z.string().max(64) }),
  /** Begin the task if necessary, and apply its solution without showing it. */
  'skip-task': z.strictObject({ type: z.literal('skip-task'), task: id }),
  /** Reset all files to the start of the task. */
  'reset-task': z.strictObject({ type: z.literal('reset-task'), task: id }),
  /** Set whether a save, here or in another editor, checks the current task. */
  'check-on-save': z.strictObject({ type: z.literal('check-on-save'), on: z.boolean() }),
  /** Answered with `file`. */
  'open-file': z.strictObject({ type: z.literal('open-file'), path }),
  /**
   * Answered with `saved` or `conflict`. `base` is the hash of the file when it was opened or last saved; null for a
   * new file. To resolve a conflict, save again with the hash from the `conflict` message.
   */
  'save-file': z.strictObject({
    type: z.literal('save-file'),
    path,
    text: z.string().max(2 * MAX_FILE_BYTES),
    base: hash.nullable(),
  }),
  /**
   * Reset one file to the start of a task, or of the course if `task` is absent. A file that did not exist then is
   * removed.
   */
  'reset-file': z.strictObject({ type: z.literal('reset-file'), path, task: id.optional() }),
  /** Reset all files to the start of the course; with `progress`, also the state of every task. */
  'reset-workspace': z.strictObject({ type: z.literal('reset-workspace'), progress: z.boolean() }),
  /** Show the changes since the start of a task, or of the course if `task` is absent. Answered with `diff`. */
  'show-diff': z.strictObject({ type: z.literal('show-diff'), task: id.optional() }),
}

/** The state of a task for one learner. */
export const taskState = z.discriminatedUnion('state', [
  /** The task cannot be done in the workshop's profile. It does not block other tasks. */
  z.strictObject({ state: z.literal('unavailable'), profiles: z.array(profileSchema), profile: profileSchema }),
  /** Other tasks must be done first: its dependencies or, in a sequential course, all tasks before it. */
  z.strictObject({ state: z.literal('locked'), blockedBy: z.array(id).min(1) }),
  z.strictObject({ state: z.literal('open') }),
  z.strictObject({ state: z.literal('begun'), since: timestamp }),
  /** Begun, and its last check did not pass. */
  z.strictObject({ state: z.literal('failed'), since: timestamp }),
  /** `by` is `solution` if the task's own solution was applied. */
  z.strictObject({ state: z.literal('passed'), at: timestamp, by: z.enum(['learner', 'solution']) }),
  z.strictObject({ state: z.literal('skipped'), at: timestamp }),
])
export type TaskState = z.infer<typeof taskState>

/** A line of output of a task's script. */
export const taskLine = z.strictObject({
  /**
   * The line's prefix: `FAIL:`, an unmet requirement; `OK:`, a met one; `LOOK:`, information. `says` is a line without
   * a prefix.
   */
  kind: z.enum(['fail', 'ok', 'look', 'says']),
  /** The text after the prefix. */
  text: z.string(),
})
export type TaskLine = z.infer<typeof taskLine>

export const checkResult = z.strictObject({
  at: timestamp,
  seconds: z.number(),
  /**
   * `timeout`: the check exceeded the task's time limit; `broken`: it failed without a `FAIL:` line, or could not run.
   */
  result: z.enum(['passed', 'failed', 'timeout', 'broken']),
  lines: z.array(taskLine),
})
export type CheckResult = z.infer<typeof checkResult>

/** A learner's progress in one task. */
export const taskProgress = z.strictObject({
  state: taskState,
  /** Output of the `setup` script when the task was begun. */
  setup: z.array(taskLine),
  /** The hints that are open, as Markdown. */
  hints: z.array(z.string()),
  /** The last check that finished. */
  check: checkResult.optional(),
})
export type TaskProgress = z.infer<typeof taskProgress>

export const taskInfo = z.strictObject({
  id,
  title: z.string(),
  /** The subject of the task, in one line. */
  teaches: z.string(),
  /** Number of its slide, from 1. */
  slide: z.number().int(),
  depends: z.array(id),
  /** Time limit of a check, in seconds. */
  timeout: z.number(),
  /** Workspace paths of the files that the task is about. */
  files: z.array(path),
  /** The instructions, as Markdown. */
  text: z.string(),
  /** Number of hints. */
  hints: z.number().int(),
  progress: taskProgress,
})
export type TaskInfo = z.infer<typeof taskInfo>

/** `preview` computes what a solution would change, in order to show it. */
export const activityAction = z.enum(['begin', 'check', 'preview', 'solve', 'skip', 'reset'])

/** The current activity of the course in the workspace. Only one runs at a time. */
export const activity = z.strictObject({ task: id, action: activityAction, since: timestamp })
export type Activity = z.infer<typeof activity>

export const fileInfo = z.strictObject({
  path,
  /** Compared with the start of the course. Removed files are listed too, so that they can be restored. */
  change: z.enum(['none', 'changed', 'added', 'removed']),
  /** The reason why the editor cannot open the file. */
  blocked: z.enum(['too-large', 'not-text', 'symbolic-link']).optional(),
})
export type FileInfo = z.infer<typeof fileInfo>

export const courseInfo = z.strictObject({
  /** Path of the workspace on the learner's machine, for display. */
  workspace: z.string(),
  /** Whether slides and tasks open in order, each after the task before it is passed or skipped. */
  sequential: z.boolean(),
  checkOnSave: z.boolean(),
  /** In the order of the deck; empty for a deck without tasks. */
  tasks: z.array(taskInfo),
  files: z.array(fileInfo),
  activity: activity.nullable(),
  /** Messages for the learner, for example that a damaged progress file was set aside. */
  notices: z.array(z.string()),
})
export type CourseInfo = z.infer<typeof courseInfo>

/** Whether a task requires no more work: it is passed, skipped or unavailable. */
export function isDone({ state }: TaskState): boolean {
  return state === 'passed' || state === 'skipped' || state === 'unavailable'
}

/** @returns the number of the last slide that the learner may open; undefined if all are open */
export function lastOpenSlide({ sequential, tasks }: Pick<CourseInfo, 'sequential' | 'tasks'>): number | undefined {
  return sequential ? tasks.find(({ progress }) => !isDone(progress.state))?.slide : undefined
}

export type WorkshopClientMessage = z.infer<(typeof workshopClientMessages)[keyof typeof workshopClientMessages]>

export const workshopServerMessages = [
  z.strictObject({ type: z.literal('course'), course: courseInfo }),
  z.strictObject({ type: z.literal('task'), task: id, progress: taskProgress }),
  z.strictObject({ type: z.literal('activity'), activity: activity.nullable() }),
  /** A line of the running script, as soon as it is printed. */
  z.strictObject({ type: z.literal('activity-line'), task: id, line: taskLine }),
  z.strictObject({ type: z.literal('files'), files: z.array(fileInfo) }),
  /** A file was changed, by any program. `hash` is null if it was removed. */
  z.strictObject({ type: z.literal('file-changed'), path, hash: hash.nullable() }),
  z.strictObject({ type: z.literal('file'), path, text: z.string(), hash }),
  z.strictObject({ type: z.literal('saved'), path, hash }),
  /**
   * The file was not saved because it has changed since it was opened. `yours` is the text of the request, `theirs` the
   * file on the disk (null if it was removed).
   */
  z.strictObject({
    type: z.literal('conflict'),
    path,
    yours: z.string(),
    theirs: z.strictObject({ text: z.string(), hash }).nullable(),
  }),
  /**
   * The changes of a solution as a patch. `solution` identifies it in `apply-solution`; `output` contains the output of
   * the script.
   */
  z.strictObject({
    type: z.literal('solution'),
    task: id,
    solution: z.string(),
    patch: z.string(),
    output: z.array(taskLine),
  }),
  /** A patch for `git apply`; empty if nothing has changed. */
  z.strictObject({ type: z.literal('diff'), task: id.optional(), patch: z.string() }),
] as const
