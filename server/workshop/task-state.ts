import type { Profile } from '../../shared/deck/contract.ts'
import { isDone, type TaskState } from '../../shared/protocol/workshop.ts'
import type { Deck } from '../deck/deck.ts'
import type { DeckTask } from '../deck/step.ts'
import type { Progress, TaskRecord } from './progress.ts'

export interface TaskStateContext {
  deck: Pick<Deck, 'tasks'>
  profile: Profile
  progress: Pick<Progress, 'task'>
  /** Whether a task opens only after all tasks before it are done. */
  sequential: boolean
}

/** Derives the state of a task from the learner's progress and the states of other tasks. */
export function taskStateOf(task: DeckTask, context: TaskStateContext): TaskState {
  const { deck, profile, progress, sequential } = context
  if (!task.profiles.includes(profile)) return { state: 'unavailable', profiles: task.profiles, profile }
  const record = progress.task(task.id)
  if (record && record.state.state !== 'open') return record.state
  const all = [...deck.tasks.values()]
  const prerequisites = sequential
    ? all.slice(0, all.indexOf(task))
    : task.depends.flatMap((id) => deck.tasks.get(id) ?? [])
  const blockedBy = prerequisites.filter((other) => !isDone(taskStateOf(other, context))).map(({ id }) => id)
  return blockedBy.length > 0 ? { state: 'locked', blockedBy } : { state: 'open' }
}

/** Whether a task was begun and is not done yet. */
export function isInProgress({ state }: TaskState): boolean {
  return state === 'begun' || state === 'failed'
}

/** @returns the state after a check; a task that is done remains done, since a later task may change the same files */
export function stateAfterCheck(
  state: TaskRecord['state'],
  passed: boolean,
  by: 'learner' | 'solution',
): TaskRecord['state'] {
  if (state.state === 'passed' || state.state === 'skipped') return state
  return passed
    ? { state: 'passed', at: Date.now(), by }
    : { state: 'failed', since: 'since' in state ? state.since : Date.now() }
}
