import type { ServerMessage } from '../../shared/protocol/talk.ts'
import type { WorkshopClientMessage } from '../../shared/protocol/workshop.ts'
import { ActivityCanceledError, type Course } from './course.ts'

/**
 * Handles a request of a learner's window.
 *
 * @returns the response to that window; the course itself sends the messages for all windows of the learner
 * @throws RefusedError
 */
export async function handleCourseMessage(
  course: Course,
  message: WorkshopClientMessage,
): Promise<ServerMessage | undefined> {
  try {
    return await handle(course, message)
  } catch (error) {
    // The learner has stopped the activity or started another one, so there is nothing to report.
    if (error instanceof ActivityCanceledError) return undefined
    throw error
  }
}

async function handle(course: Course, message: WorkshopClientMessage): Promise<ServerMessage | undefined> {
  switch (message.type) {
    case 'begin-task':
      return void (await course.beginTask(message.task))
    case 'check-task':
      return void (await course.check(message.task))
    case 'stop-activity':
      return void course.stopActivity()
    case 'open-hint':
      return void (await course.openHint(message.task, message.hint))
    case 'show-solution':
      return { type: 'solution', task: message.task, ...(await course.previewSolution(message.task)) }
    case 'apply-solution':
      return void (await course.applySolution(message.task, message.solution))
    case 'skip-task':
      return void (await course.skip(message.task))
    case 'reset-task':
      return void (await course.resetTask(message.task))
    case 'check-on-save':
      return void (await course.setCheckOnSave(message.on))
    case 'open-file':
      return { type: 'file', path: message.path, ...(await course.openFile(message.path)) }
    case 'save-file': {
      const { path, text, base } = message
      const result = await course.saveFile(path, text, base)
      return result.saved
        ? { type: 'saved', path, hash: result.hash }
        : { type: 'conflict', path, yours: text, theirs: result.theirs }
    }
    case 'reset-file':
      return void (await course.resetFile(message.path, message.task))
    case 'reset-workspace':
      return void (await course.resetWorkspace(message.progress))
    case 'show-diff':
      return {
        type: 'diff',
        ...(message.task !== undefined && { task: message.task }),
        patch: await course.changes(message.task),
      }
  }
}
