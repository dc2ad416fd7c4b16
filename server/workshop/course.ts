import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { homedir } from 'node:os'
import type { Profile } from '../../shared/deck/contract.ts'
import type { ServerMessage } from '../../shared/protocol/talk.ts'
import {
  type CheckResult,
  type CourseInfo,
  type FileInfo,
  isDone,
  type TaskInfo,
  type TaskLine,
  type TaskProgress,
  type TaskState,
} from '../../shared/protocol/workshop.ts'
import type { Deck } from '../deck/deck.ts'
import type { DeckTask } from '../deck/step.ts'
import type { Executor } from '../executor/executor.ts'
import { ActivityRunner } from './activity-runner.ts'
import type { Progress, TaskRecord } from './progress.ts'
import { RefusedError } from '../steps/refused-error.ts'
import { ScriptOutput } from './script-output.ts'
import { solutionPreviewScript } from './solution-preview.ts'
import { isInProgress, stateAfterCheck, taskStateOf } from './task-state.ts'
import type { SaveResult, Workspace } from './workspace.ts'

export { ActivityCanceledError } from './activity-runner.ts'

export interface CourseOptions {
  deck: Deck
  profile: Profile
  /** Runs the scripts of the tasks in the workspace. */
  executor: Pick<Executor, 'script'>
  workspace: Workspace
  progress: Progress
  /** Whether a task opens only after all tasks before it are done. */
  sequential: boolean
  /**
   * Runs before each script and after each change of a file. Makes the edits visible to Nix if the profile requires it.
   */
  beforeScript: () => Promise<void>
  notices: string[]
}

type CourseEvents = {
  /** A message for every window of the learner. */
  message: [message: ServerMessage]
}

/** The exit status (null if the script was ended or could not run) and the output of a task's script. */
interface ScriptResult {
  exit: number | null
  lines: TaskLine[]
}

/** Time limit of `setup`, `solve` and `reset`. The task's own time limit applies only to its check. */
const SCRIPT_TIMEOUT_SECONDS = 300

/** One learner's course through the tasks of a deck: the state of each task, and the activities in the workspace. */
export class Course extends EventEmitter<CourseEvents> {
  private deck: Deck
  private readonly options: CourseOptions
  private readonly activities: ActivityRunner
  private files: FileInfo[] = []
  /** The tree that was last checked, or written by the course itself. It does not need a check on save. */
  private handledTree: string | undefined
  /** The last progress that was sent, as JSON, by task id. */
  private readonly sentProgress = new Map<string, string>()
  private closed = false
  private settling: Promise<void> = Promise.resolve()

  constructor(options: CourseOptions) {
    super()
    // One listener per window.
    this.setMaxListeners(0)
    this.options = options
    this.deck = options.deck
    this.activities = new ActivityRunner({
      onChange: (activity) => this.emit('message', { type: 'activity', activity }),
      // Files that the learner has saved during a check still need a check; files that the course has written do not.
      afterWork: (action) => (action === 'check' ? this.sendFiles() : this.markHandled()),
    })
  }

  /** Reads the workspace and starts to watch it. Call once, before the first window opens. */
  async load(): Promise<void> {
    const { workspace } = this.options
    await this.markHandled()
    this.sendCourse()
    workspace.on('file', (path, hash) => this.emit('message', { type: 'file-changed', path, hash }))
    workspace.on('settled', () => {
      this.settling = this.settling.then(() => this.onSettled()).catch(() => {})
    })
    await workspace.watch()
  }

  /** Cancels the current activity and refuses all later ones. */
  async close(): Promise<void> {
    this.closed = true
    await this.activities.close()
    await this.options.workspace.close()
    await this.settling
  }

  info(): CourseInfo {
    const { workspace, sequential, progress, notices } = this.options
    return {
      workspace: workspace.folder.replace(homedir(), '~'),
      sequential,
      checkOnSave: progress.checkOnSave,
      tasks: [...this.deck.tasks.values()].map((task) => this.taskInfo(task)),
      files: this.files,
      activity: this.activities.current ?? null,
      notices: [...(progress.notice === undefined ? [] : [progress.notice]), ...notices],
    }
  }

  private sendCourse(): void {
    const course = this.info()
    for (const { id, progress } of course.tasks) this.sentProgress.set(id, JSON.stringify(progress))
    this.emit('message', { type: 'course', course })
  }

  /** Replaces the deck after an edit. The progress in tasks that still exist is kept. */
  useDeck(deck: Deck): void {
    this.deck = deck
    this.sendCourse()
  }

  /** Runs a task's `setup` script, which brings the workspace to the start of the task. */
  async beginTask(id: string): Promise<void> {
    const task = this.availableTask(id)
    await this.activities.run(task, 'begin', (signal) => this.setUp(task, signal))
  }

  /** Runs a task's `check` script. */
  async check(id: string): Promise<CheckResult> {
    const task = this.begunTask(id)
    return this.activities.run(task, 'check', (signal) => this.runCheck(task, signal))
  }

  /** Cancels the current activity. */
  stopActivity(): void {
    this.activities.cancel()
  }

  /** @param hint number of the hint, from 1; hints open in order */
  async openHint(id: string, hint: number): Promise<void> {
    const task = this.availableTask(id)
    const record = this.record(id)
    const hints = task.hints.length
    if (hint > hints) throw new RefusedError({ kind: 'unknown-hint', title: task.title, hints })
    if (hint > record.hints + 1) throw new RefusedError({ kind: 'hint-locked', next: record.hints + 1 })
    await this.saveRecord(task, { ...record, hints: Math.max(record.hints, hint) })
  }

  /**
   * Computes what a task's solution would change in the current files, without changing them.
   *
   * @returns the changes as a patch, and the id of this solution for `applySolution`
   * @throws RefusedError `solution-mismatch` if the files differ from those that the solution expects
   */
  async previewSolution(id: string): Promise<{ solution: string; patch: string; output: TaskLine[] }> {
    const task = this.begunTask(id)
    return this.activities.run(task, 'preview', async (signal) => {
      const solution = await this.solutionId(task)
      const patch: Buffer[] = []
      const script = solutionPreviewScript(task.scripts.solve, this.prelude(task))
      const { exit, lines } = await this.runScript(task, script, SCRIPT_TIMEOUT_SECONDS, signal, (bytes) =>
        patch.push(bytes),
      )
      if (exit !== 0) throw solutionMismatch(task, lines)
      return { solution, patch: String(Buffer.concat(patch)), output: lines }
    })
  }

  /**
   * Applies a solution that was shown, and checks the task.
   *
   * @param solution id from `previewSolution`
   * @throws RefusedError `solution-outdated` if the files have changed since the preview
   */
  async applySolution(id: string, solution: string): Promise<void> {
    const task = this.begunTask(id)
    await this.activities.run(task, 'solve', async (signal) => {
      if ((await this.solutionId(task)) !== solution) throw new RefusedError({ kind: 'solution-outdated' })
      await this.runSolve(task, signal)
      await this.runCheck(task, signal, 'solution')
    })
  }

  /** Applies a task's solution without showing it, so that the tasks that depend on it open. */
  async skip(id: string): Promise<void> {
    const task = this.availableTask(id)
    if (isDone(this.stateOf(task))) return
    await this.activities.run(task, 'skip', async (signal) => {
      if (this.stateOf(task).state === 'open') await this.setUp(task, signal)
      await this.runSolve(task, signal)
      await this.saveRecord(task, { ...this.record(id), state: { state: 'skipped', at: Date.now() } })
    })
  }

  /** Resets all files to the start of a task, and runs its `reset` script. */
  async resetTask(id: string): Promise<void> {
    const task = this.begunTask(id)
    const { history } = this.options.workspace
    const start = await history.start(id)
    if (start === undefined) throw new RefusedError({ kind: 'start-missing', title: task.title })
    await this.activities.run(task, 'reset', async (signal) => {
      await history.restore(start)
      const { reset } = task.scripts
      const result = reset === undefined ? undefined : await this.runTaskScript(task, reset, signal)
      const { check: _, ...record } = this.record(id)
      await this.saveRecord(task, { ...record, state: { state: 'begun', since: Date.now() } }, true)
      if (result && result.exit !== 0)
        throw new RefusedError({ kind: 'reset-failed', title: task.title, output: texts(result.lines) })
    })
  }

  async setCheckOnSave(on: boolean): Promise<void> {
    await this.options.progress.setCheckOnSave(on)
    this.sendCourse()
  }

  openFile(path: string): Promise<{ text: string; hash: string }> {
    return this.options.workspace.open(path)
  }

  saveFile(path: string, text: string, base: string | null): Promise<SaveResult> {
    return this.options.workspace.save(path, text, base)
  }

  /** Resets one file to the start of a task, or of the course if `task` is absent. */
  async resetFile(path: string, task?: string): Promise<void> {
    await this.options.workspace.reset(path, await this.startOf(task))
  }

  /**
   * Cancels the current activity and resets all files to the start of the course.
   *
   * @param progress whether to reset the state of every task, too
   */
  async resetWorkspace(progress: boolean): Promise<void> {
    await this.activities.cancelAndWait()
    await this.options.workspace.history.restore(await this.startOf())
    await this.options.beforeScript()
    if (progress) await this.options.progress.clear()
    await this.markHandled()
    this.sendCourse()
  }

  /**
   * @returns the changes since the start of a task, or of the course if `task` is absent, as a patch for `git apply`
   */
  async changes(task?: string): Promise<string> {
    const { history } = this.options.workspace
    return history.patch(await this.startOf(task), await history.snapshot())
  }

  private async startOf(task?: string): Promise<string> {
    const start = await this.options.workspace.history.start(task)
    if (start === undefined)
      throw new RefusedError({ kind: 'not-begun', title: this.deck.tasks.get(task ?? '')?.title ?? task ?? '' })
    return start
  }

  /** Runs `setup` and stores the result as the start of the task. */
  private async setUp(task: DeckTask, signal: AbortSignal): Promise<void> {
    const { exit, lines } = await this.runTaskScript(task, task.scripts.setup, signal)
    if (exit !== 0) throw new RefusedError({ kind: 'setup-failed', title: task.title, output: texts(lines) })
    const { history } = this.options.workspace
    await history.markTask(task.id, await history.snapshot())
    const { hints } = this.record(task.id)
    const setup = [...this.unfinishedTasks(task), ...lines]
    await this.saveRecord(task, { state: { state: 'begun', since: Date.now() }, setup, hints }, true)
  }

  /** Other tasks that are in progress: the changes of their `setup` may prevent this task from passing. */
  private unfinishedTasks(task: DeckTask): TaskLine[] {
    const others = [...this.deck.tasks.values()].filter((other) => other !== task && isInProgress(this.stateOf(other)))
    return others.map(({ title }) => ({
      kind: 'look',
      text: `"${title}" is not finished, and its changes are still in your workspace. Skip it if they cause problems.`,
    }))
  }

  /** Runs `solve`. If it fails, the files are restored. */
  private async runSolve(task: DeckTask, signal: AbortSignal): Promise<void> {
    const { history } = this.options.workspace
    const before = await history.snapshot()
    try {
      const { exit, lines } = await this.runTaskScript(task, task.scripts.solve, signal)
      if (exit !== 0) throw solutionMismatch(task, lines)
    } catch (error) {
      await history.restore(before)
      throw error
    }
  }

  private async runCheck(
    task: DeckTask,
    signal: AbortSignal,
    by: 'learner' | 'solution' = 'learner',
  ): Promise<CheckResult> {
    const { history } = this.options.workspace
    this.handledTree = await history.tree(await history.snapshot())
    const at = Date.now()
    const script = `${this.prelude(task)}\n${task.scripts.check}`
    const { exit, lines } = await this.runScript(task, script, task.timeout, signal)
    const seconds = (Date.now() - at) / 1000
    const result = resultOf({ exit, lines }, seconds >= task.timeout)
    const check: CheckResult = { at, seconds, result, lines }
    const record = this.record(task.id)
    await this.saveRecord(task, { ...record, state: stateAfterCheck(record.state, result === 'passed', by), check })
    return check
  }

  /** Records the current files as handled, and sends the list of files if it has changed. */
  private async markHandled(): Promise<void> {
    const { history } = this.options.workspace
    this.handledTree = await history.tree(await history.snapshot())
    await this.sendFiles()
  }

  private async sendFiles(): Promise<void> {
    const files = await this.options.workspace.list()
    if (JSON.stringify(files) === JSON.stringify(this.files)) return
    this.files = files
    this.emit('message', { type: 'files', files })
  }

  /** Files have changed: updates the list and, with check on save, checks the current task. */
  private async onSettled(): Promise<void> {
    if (this.closed) return
    await this.sendFiles()
    const { workspace, progress, beforeScript } = this.options
    const { history } = workspace
    // An automatic check must not cancel an activity that the learner has started. Evaluated again after the awaits.
    const isOccupied = () => this.activities.current !== undefined && this.activities.current.action !== 'check'
    if (isOccupied() || (await history.tree(await history.snapshot())) === this.handledTree) return
    if (!this.activities.current) await beforeScript()
    const current = this.deck.tasks.get(progress.current ?? '')
    if (isOccupied() || !progress.checkOnSave || !current || !isInProgress(this.stateOf(current))) return
    // Not awaited, so that the next save can replace this check.
    this.check(current.id).catch(() => {})
  }

  private runTaskScript(task: DeckTask, script: string, signal: AbortSignal): Promise<ScriptResult> {
    return this.runScript(task, `${this.prelude(task)}\n${script}`, SCRIPT_TIMEOUT_SECONDS, signal)
  }

  /** @param onStdout receives the standard output, which is then not part of `lines` */
  private async runScript(
    task: DeckTask,
    script: string,
    timeoutSeconds: number,
    signal: AbortSignal,
    onStdout?: (bytes: Buffer) => void,
  ): Promise<ScriptResult> {
    await this.options.beforeScript()
    signal.throwIfAborted()
    const scriptOutput = new ScriptOutput((line) =>
      this.emit('message', { type: 'activity-line', task: task.id, line }),
    )
    const { exit, output } = await this.options.executor.script(script, timeoutSeconds, signal, (bytes, from) =>
      onStdout && from === 'stdout' ? onStdout(bytes) : scriptOutput.write(bytes, from),
    )
    signal.throwIfAborted()
    const lines = scriptOutput.end()
    // If the script could not run at all, the executor's message is the only output.
    if (lines.length === 0 && !onStdout && output !== '') return { exit, lines: [{ kind: 'says', text: output }] }
    return { exit, lines }
  }

  private prelude({ id }: DeckTask): string {
    return `export TASK=${id} TASK_PROFILE=${this.options.profile}`
  }

  /** Computes the id of a solution from the files and the script that it is based on. */
  private async solutionId(task: DeckTask): Promise<string> {
    const { history } = this.options.workspace
    const tree = await history.tree(await history.snapshot())
    return createHash('sha256').update(tree).update(task.scripts.solve).digest('hex').slice(0, 32)
  }

  /** @throws RefusedError if the task does not exist, is unavailable or locked */
  private availableTask(id: string): DeckTask {
    const task = this.deck.tasks.get(id)
    if (!task) throw new RefusedError({ kind: 'unknown-task', task: id })
    const state = this.stateOf(task)
    if (state.state === 'unavailable')
      throw new RefusedError({ kind: 'task-unavailable', profiles: state.profiles, profile: state.profile })
    if (state.state === 'locked') {
      const blockedBy = state.blockedBy.map((other) => this.deck.tasks.get(other)?.title ?? other)
      throw new RefusedError({ kind: 'locked', blockedBy })
    }
    return task
  }

  private begunTask(id: string): DeckTask {
    const task = this.availableTask(id)
    if (this.stateOf(task).state === 'open') throw new RefusedError({ kind: 'not-begun', title: task.title })
    return task
  }

  private record(id: string): TaskRecord {
    return this.options.progress.task(id) ?? { state: { state: 'open' }, setup: [], hints: 0 }
  }

  private stateOf(task: DeckTask): TaskState {
    return taskStateOf(task, { ...this.options, deck: this.deck })
  }

  private async saveRecord(task: DeckTask, record: TaskRecord, current = false): Promise<void> {
    await this.options.progress.setTask(task.id, record, current)
    // The change may open or lock other tasks.
    for (const each of this.deck.tasks.values()) this.sendProgress(each)
  }

  private sendProgress(task: DeckTask): void {
    const progress = this.progressOf(task)
    const text = JSON.stringify(progress)
    if (this.sentProgress.get(task.id) === text) return
    this.sentProgress.set(task.id, text)
    this.emit('message', { type: 'task', task: task.id, progress })
  }

  private progressOf(task: DeckTask): TaskProgress {
    const { setup, hints, check } = this.record(task.id)
    return { state: this.stateOf(task), setup, hints: task.hints.slice(0, hints), ...(check && { check }) }
  }

  private taskInfo(task: DeckTask): TaskInfo {
    const { id, title, teaches, slide, depends, timeout, files, text, hints } = task
    return {
      id,
      title,
      teaches,
      slide,
      depends,
      timeout,
      files,
      text,
      hints: hints.length,
      progress: this.progressOf(task),
    }
  }
}

function resultOf({ exit, lines }: ScriptResult, timedOut: boolean): CheckResult['result'] {
  if (exit === 0) return 'passed'
  if (exit === null) return timedOut ? 'timeout' : 'broken'
  return lines.some(({ kind }) => kind === 'fail') ? 'failed' : 'broken'
}

function solutionMismatch(task: DeckTask, lines: TaskLine[]): RefusedError {
  return new RefusedError({ kind: 'solution-mismatch', title: task.title, output: texts(lines) })
}

/** The last lines of a script's output, for an error message. */
function texts(lines: TaskLine[]): string[] {
  return lines.slice(-3).map(({ text }) => text)
}
