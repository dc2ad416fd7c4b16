import { computed, reactive } from 'vue'
import { type CourseMessage, onCourse, send } from '../connection.ts'
import { type CourseInfo, isDone, type TaskInfo, type TaskLine } from '../../shared/protocol/workshop.ts'
import { changed, failed, files, received, refusedFor, save, saved, useCopy } from './files.ts'
import { stateOf } from './open-file.ts'
import { type FileChange, parsePatch } from './patch.ts'

/** Changes that the editor shows in its place: those of a solution, or those since the start of the copy. */
export type Shown =
  | { what: 'changes'; files: FileChange[] }
  | { what: 'solution'; task: string; solution: string; files: FileChange[]; says: TaskLine[] }

interface State {
  /** None before the server has told. */
  course: CourseInfo | undefined
  /** What the script that runs has said so far. */
  lines: TaskLine[]
  shown: Shown | undefined
  /** Which task the guide shows. */
  current: string | undefined
}

/** What this page knows of the learner's course. */
export const state: State = reactive({ course: undefined, lines: [], shown: undefined, current: undefined })

export const tasks = computed(() => state.course?.tasks ?? [])
export const done = computed(() => tasks.value.filter(({ progress }) => isDone(progress.state)))
export const task = computed(() => tasks.value.find(({ id }) => id === state.current))
/** What the course does with the task of the guide. */
export const activity = computed(
  () => (state.course?.activity?.task === state.current ? state.course?.activity : undefined) ?? undefined,
)

export function inWork({ progress: { state } }: TaskInfo): boolean {
  return state.state === 'begun' || state.state === 'failed'
}

/** The task to go on with, other than the one of the guide: one that was begun, else the next that is open, from the guide's on. */
export const upNext = computed(() => {
  const at = tasks.value.findIndex(({ id }) => id === state.current)
  const others = [...tasks.value.slice(at + 1), ...tasks.value.slice(0, Math.max(at, 0))]
  return others.find(inWork) ?? others.find(({ progress }) => progress.state.state === 'open')
})

/** A check that was asked for while the course changed files: its turn comes then. */
let checkNext: string | undefined

/** Checks the task of the guide with what is in the editor, which is saved first. */
export function checkTask(): void {
  if (!task.value || ['locked', 'open', 'unavailable'].includes(task.value.progress.state.state)) return
  const busy = state.course?.activity
  // A check gives way to the next one; what changes files does not.
  if (busy && !['check', 'look'].includes(busy.doing)) {
    checkNext = task.value.id
    return
  }
  for (const file of Object.values(files.open)) if (stateOf(file) === 'dirty') save(file.path)
  send({ type: 'check-task', task: task.value.id })
}

function receive(message: CourseMessage): void {
  switch (message.type) {
    case 'course':
      state.course = message.course
      return useCopy(message.course.copy)
    case 'task': {
      const known = tasks.value.find(({ id }) => id === message.task)
      if (known) known.progress = message.progress
      return
    }
    case 'activity':
      if (message.activity) state.lines = []
      if (state.course) state.course.activity = message.activity
      if (message.activity === null && checkNext !== undefined) {
        if (checkNext === state.current) checkTask()
        checkNext = undefined
      }
      return
    case 'activity-line':
      state.lines.push(message.line)
      return
    case 'files':
      if (state.course) state.course.files = message.files
      return
    case 'file-changed':
      return changed(message.path, message.hash)
    case 'file':
      return received(message.path, { text: message.text, hash: message.hash })
    case 'saved':
      return saved(message.path, message.hash)
    case 'conflict':
      return refusedFor(message.path, message.theirs ?? { text: '', hash: null })
    case 'solution': {
      const { task, solution, patch, says } = message
      state.shown = { what: 'solution', task, solution, says, files: parsePatch(patch) }
      return
    }
    case 'diff':
      state.shown = { what: 'changes', files: parsePatch(message.patch) }
      return
    case 'refused':
      if (message.path !== undefined) failed(message.path)
  }
}

onCourse(receive)
