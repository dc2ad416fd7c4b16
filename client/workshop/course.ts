import { computed, reactive } from 'vue'
import { type CourseInfo, isDone, type TaskInfo, type TaskLine } from '../../shared/protocol/workshop.ts'
import { type CourseMessage, onCourse, send } from '../connection.ts'
import { fileChanged, fileReceived, files, requestFailed, save, saveConflicted, saved, useWorkspace } from './files.ts'
import { stateOf } from './open-file.ts'
import { type FileChange, parsePatch } from './patch.ts'

/** A diff in the editor panel: the changes of a solution, or all changes since the start of the course. */
export type ShownDiff =
  | { kind: 'changes'; files: FileChange[] }
  | { kind: 'solution'; task: string; solution: string; files: FileChange[]; output: TaskLine[] }

interface State {
  /** Undefined until the server has sent the course. */
  course: CourseInfo | undefined
  /** Output of the running script so far. */
  lines: TaskLine[]
  shownDiff: ShownDiff | undefined
  /** Id of the task in the guide. */
  current: string | undefined
}

/** The state of the learner's course in this window. */
export const state: State = reactive({ course: undefined, lines: [], shownDiff: undefined, current: undefined })

export const tasks = computed(() => state.course?.tasks ?? [])
export const doneTasks = computed(() => tasks.value.filter(({ progress }) => isDone(progress.state)))
/** The task in the guide. */
export const currentTask = computed(() => tasks.value.find(({ id }) => id === state.current))
/** The running activity of the task in the guide. */
export const currentActivity = computed(
  () => (state.course?.activity?.task === state.current ? state.course?.activity : undefined) ?? undefined,
)

export function isInProgress({ progress: { state } }: TaskInfo): boolean {
  return state.state === 'begun' || state.state === 'failed'
}

/** The task to suggest next: another one in progress, otherwise the next open one after the task in the guide. */
export const nextTask = computed(() => {
  const index = tasks.value.findIndex(({ id }) => id === state.current)
  const others = [...tasks.value.slice(index + 1), ...tasks.value.slice(0, Math.max(index, 0))]
  return others.find(isInProgress) ?? others.find(({ progress }) => progress.state.state === 'open')
})

/** Id of the task to check after the running activity, which must not be canceled. */
let pendingCheck: string | undefined

/** Saves all edited files and checks the task in the guide. */
export function checkTask(): void {
  const task = currentTask.value
  if (!task || ['locked', 'open', 'unavailable'].includes(task.progress.state.state)) return
  const activity = state.course?.activity
  // A new check replaces a running check or preview. During all other activities, the server refuses it.
  if (activity && !['check', 'preview'].includes(activity.action)) {
    pendingCheck = task.id
    return
  }
  for (const file of files.open.values()) if (stateOf(file) === 'dirty') save(file.path)
  send({ type: 'check-task', task: task.id })
}

function runPendingCheck(): void {
  if (pendingCheck === undefined) return
  if (pendingCheck === state.current) checkTask()
  pendingCheck = undefined
}

function receive(message: CourseMessage): void {
  switch (message.type) {
    case 'course':
      state.course = message.course
      return useWorkspace(message.course.workspace)
    case 'task': {
      const task = tasks.value.find(({ id }) => id === message.task)
      if (task) task.progress = message.progress
      return
    }
    case 'activity':
      if (message.activity) state.lines = []
      if (state.course) state.course.activity = message.activity
      if (message.activity === null) runPendingCheck()
      return
    case 'activity-line':
      state.lines.push(message.line)
      return
    case 'files':
      if (state.course) state.course.files = message.files
      return
    case 'file-changed':
      return fileChanged(message.path, message.hash)
    case 'file':
      return fileReceived(message.path, { text: message.text, hash: message.hash })
    case 'saved':
      return saved(message.path, message.hash)
    case 'conflict':
      return saveConflicted(message.path, message.theirs ?? { text: '', hash: null })
    case 'solution': {
      const { task, solution, patch, output } = message
      state.shownDiff = { kind: 'solution', task, solution, output, files: parsePatch(patch) }
      return
    }
    case 'diff':
      state.shownDiff = { kind: 'changes', files: parsePatch(message.patch) }
      return
    case 'refused':
      if (message.path !== undefined) requestFailed(message.path)
  }
}

onCourse(receive)
