import type { ServerMessage } from '../../shared/protocol/talk.ts'
import { type Course, GivenUp } from './course.ts'
import type { WorkshopClientMessage } from '../../shared/protocol/workshop.ts'

/**
 * Carries out what a window asks of its learner's course.
 *
 * @returns what that window alone is told; what concerns all windows of the learner is told by the course
 * @throws RefusedError
 */
export async function answerLearner(
  course: Course,
  message: WorkshopClientMessage,
): Promise<ServerMessage | undefined> {
  try {
    return await answer(course, message)
  } catch (error) {
    if (error instanceof GivenUp) return undefined
    throw error
  }
}

async function answer(course: Course, message: WorkshopClientMessage): Promise<ServerMessage | undefined> {
  switch (message.type) {
    case 'begin-task':
      return void (await course.beginTask(message.task))
    case 'check-task':
      return void (await course.check(message.task))
    case 'stop-activity':
      return void course.stop()
    case 'open-hint':
      return void (await course.openHint(message.task, message.hint))
    case 'show-solution':
      return { type: 'solution', task: message.task, ...(await course.solution(message.task)) }
    case 'apply-solution':
      return void (await course.applySolution(message.task, message.solution))
    case 'skip-task':
      return void (await course.skip(message.task))
    case 'reset-task':
      return void (await course.resetTask(message.task))
    case 'check-on-save':
      return void (await course.setCheckOnSave(message.on))
    case 'open-file':
      return { type: 'file', path: message.path, ...(await course.open(message.path)) }
    case 'save-file': {
      const { path, text, base } = message
      const saved = await course.save(path, text, base)
      return saved.saved
        ? { type: 'saved', path, hash: saved.hash }
        : { type: 'conflict', path, yours: text, theirs: saved.theirs }
    }
    case 'reset-file':
      return void (await course.resetFile(message.path, message.task))
    case 'reset-copy':
      return void (await course.resetCopy(message.progress))
    case 'show-diff':
      return {
        type: 'diff',
        ...(message.task !== undefined && { task: message.task }),
        patch: await course.changes(message.task),
      }
  }
}
