import { commandLine } from '../command-line.ts'
import { z } from 'zod'
import { activityAction } from '../protocol/workshop.ts'

/** Reasons for refusing a request about a learner's course, with the data for the message. */
export const workshopRefusals = [
  /** The deck does not, or no longer, contain the task. */
  z.strictObject({ kind: z.literal('unknown-task'), task: z.string() }),
  z.strictObject({ kind: z.literal('task-unavailable'), profiles: z.array(z.string()), profile: z.string() }),
  /** `blockedBy` contains the titles of the tasks that must be done first. */
  z.strictObject({ kind: z.literal('locked'), blockedBy: z.array(z.string()).min(1) }),
  z.strictObject({ kind: z.literal('not-begun'), title: z.string() }),
  /** The task was begun, but the workspace history no longer contains its initial files. */
  z.strictObject({ kind: z.literal('start-missing'), title: z.string() }),
  z.strictObject({ kind: z.literal('unknown-hint'), title: z.string(), hints: z.number().int() }),
  /** `next` is the number of the hint that must be opened first, from 1. */
  z.strictObject({ kind: z.literal('hint-locked'), next: z.number().int() }),
  z.strictObject({ kind: z.literal('setup-failed'), title: z.string(), output: z.array(z.string()) }),
  /** The files differ from those that the task's `solve` script expects. */
  z.strictObject({ kind: z.literal('solution-mismatch'), title: z.string(), output: z.array(z.string()) }),
  /** The files have changed since the solution was shown. */
  z.strictObject({ kind: z.literal('solution-outdated') }),
  z.strictObject({ kind: z.literal('reset-failed'), title: z.string(), output: z.array(z.string()) }),
  /** Another activity that changes files is running; a course runs one activity at a time. */
  z.strictObject({ kind: z.literal('activity-running'), action: activityAction, title: z.string() }),
  z.strictObject({ kind: z.literal('course-closed') }),
  z.strictObject({ kind: z.literal('invalid-path'), path: z.string() }),
  z.strictObject({ kind: z.literal('file-missing'), path: z.string() }),
  z.strictObject({ kind: z.literal('file-too-large'), path: z.string(), maxBytes: z.number() }),
  z.strictObject({ kind: z.literal('text-too-large'), path: z.string(), maxBytes: z.number() }),
  z.strictObject({ kind: z.literal('not-text'), path: z.string() }),
  z.strictObject({ kind: z.literal('not-a-file'), path: z.string() }),
  /** The path of the file to write is that of a folder. */
  z.strictObject({ kind: z.literal('is-folder'), path: z.string() }),
  z.strictObject({ kind: z.literal('symbolic-link'), path: z.string() }),
  /** One of the folders of the path is a symbolic link. */
  z.strictObject({ kind: z.literal('behind-symbolic-link'), path: z.string() }),
] as const

export const workshopRefusal = z.discriminatedUnion('kind', workshopRefusals)
export type WorkshopRefusal = z.infer<typeof workshopRefusal>

/** @returns the message for the learner: the refused request, and what to do next */
export function describeWorkshopRefusal(refusal: WorkshopRefusal): string {
  switch (refusal.kind) {
    case 'unknown-task':
      return `This deck has no task "${refusal.task}". Reload the page.`
    case 'task-unavailable':
      return `This task requires the profile ${refusal.profiles.join(' or ')}; this workshop runs in the profile ${refusal.profile}.`
    case 'locked':
      return `Complete or skip ${refusal.blockedBy.map((title) => `"${title}"`).join(', ')} first.`
    case 'not-begun':
      return `Start "${refusal.title}" first.`
    case 'start-missing':
      return `The files from the start of "${refusal.title}" are no longer stored. Start the task again.`
    case 'unknown-hint':
      return `Task "${refusal.title}" has ${refusal.hints === 1 ? '1 hint' : `${refusal.hints} hints`}.`
    case 'hint-locked':
      return `Open hint ${refusal.next} first.`
    case 'setup-failed':
      return `"${refusal.title}" could not be started: ${describeOutput(refusal.output)} Reset all files, then start the task again. A reset keeps your current files in the workspace history.`
    case 'solution-mismatch':
      return `The solution of "${refusal.title}" does not fit your files: ${describeOutput(refusal.output)} Reset the task, then try again.`
    case 'solution-outdated':
      return 'Your files have changed since the solution was shown. Show the solution again.'
    case 'reset-failed':
      return `Your files were reset to the start of "${refusal.title}", but the reset script of the task failed: ${describeOutput(refusal.output)}`
    case 'activity-running':
      return describeRunning(refusal.action, refusal.title)
    case 'course-closed':
      return `The workshop has ended. Start it again with: ${commandLine('workshop')}`
    case 'invalid-path':
      return `Invalid path "${refusal.path}". Use a path relative to your workspace, such as nixos/services/hello.nix.`
    case 'file-missing':
      return `${refusal.path} does not exist in your workspace.`
    case 'file-too-large':
      return `${refusal.path} is larger than ${refusal.maxBytes / 1024} KiB. Edit it in a terminal.`
    case 'text-too-large':
      return `${refusal.path} would be larger than ${refusal.maxBytes / 1024} KiB. Write it in a terminal.`
    case 'not-text':
      return `${refusal.path} is not a UTF-8 text file. Edit it in a terminal.`
    case 'not-a-file':
      return `${refusal.path} is not a regular file. Choose another file.`
    case 'is-folder':
      return `${refusal.path} is a folder. Choose another file name.`
    case 'symbolic-link':
      return `${refusal.path} is a symbolic link, which the editor does not follow. Open the file that it points to.`
    case 'behind-symbolic-link':
      return `${refusal.path} is behind a symbolic link, which may point outside your workspace. The editor does not follow it.`
  }
}

/** @returns the message for an activity that was stopped, or replaced by a later one, before it finished */
export function describeCanceledActivity(action: z.infer<typeof activityAction>, title: string): string {
  switch (action) {
    case 'begin':
      return `Starting "${title}" was canceled.`
    case 'check':
      return `Checking "${title}" was canceled.`
    case 'preview':
      return `Showing the solution of "${title}" was canceled.`
    case 'solve':
      return `Applying the solution of "${title}" was canceled.`
    case 'skip':
      return `Skipping "${title}" was canceled.`
    case 'reset':
      return `Resetting "${title}" was canceled.`
  }
}

function describeRunning(action: z.infer<typeof activityAction>, title: string): string {
  switch (action) {
    case 'begin':
      return `"${title}" is still being started. Wait, or stop it.`
    case 'check':
      return `"${title}" is still being checked. Wait, or stop it.`
    case 'preview':
      return `The solution of "${title}" is still being prepared. Wait, or stop it.`
    case 'solve':
      return `The solution of "${title}" is still being applied. Wait, or stop it.`
    case 'skip':
      return `"${title}" is still being skipped. Wait, or stop it.`
    case 'reset':
      return `"${title}" is still being reset. Wait, or stop it.`
  }
}

/** The last lines of a script's output, as the end of a sentence. */
function describeOutput(lines: string[]): string {
  const output = lines.slice(-3).join(' · ')
  if (output === '') return 'the script printed no reason.'
  return /[.!?]$/.test(output) ? output : `${output}.`
}
