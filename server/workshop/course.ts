import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { homedir } from 'node:os'
import type { Profile } from '../../shared/deck/contract.ts'
import type { Deck, DeckTask } from '../deck/deck.ts'
import type { Executor } from '../executor/executor.ts'
import type { ServerMessage } from '../../shared/protocol/talk.ts'
import { RefusedError } from '../steps/refused-error.ts'
import type { Copy, Saved } from './workspace.ts'
import { Lines } from './lines.ts'
import {
  type Activity,
  type CheckResult,
  type CourseInfo,
  type FileInfo,
  isDone,
  type TaskInfo,
  type TaskLine,
  type TaskProgress,
  type TaskState,
} from '../../shared/protocol/workshop.ts'
import type { Progress, TaskRecord } from './progress.ts'
import { rehearsedSolution } from './solution.ts'

export interface CourseOptions {
  deck: Deck
  profile: Profile
  /** Runs the scripts of the tasks in the copy. */
  executor: Pick<Executor, 'script'>
  copy: Copy
  progress: Progress
  /** Whether a task opens only once those before it are done. */
  gated: boolean
  /** Runs before each script, and after each change of a file: what the profile needs so that Nix sees the edits. */
  beforeScript: () => Promise<void>
  notices: string[]
}

/** Something was stopped, or had to give way: whoever asked for it knows, or asks for something else. */
export class GivenUp extends Error {
  override name = 'GivenUp'
}

/** What the course does in the copy, and how it is given up. */
interface Job {
  activity: Activity
  abort: AbortController
  done: Promise<unknown>
}

type CourseEvents = {
  /** For every window of the learner. */
  message: [message: ServerMessage]
}

/** Seconds that `setup`, `solve` and `reset` may take at least: a check may be quick where they build something. */
const PATIENCE = 300

/** The way of one learner through the tasks of a deck: what is open, what runs in the copy, and what came of it. */
export class Course extends EventEmitter<CourseEvents> {
  private deck: Deck
  private readonly options: CourseOptions
  private job: Job | undefined
  private files: FileInfo[] = []
  /** The files as they were when last checked, or made by the course itself: nothing there is new to check. */
  private seen: string | undefined
  /** What the windows were told last of each task. */
  private readonly told = new Map<string, string>()
  private ended = false
  private looking: Promise<void> = Promise.resolve()

  constructor(options: CourseOptions) {
    super()
    this.setMaxListeners(0)
    this.options = options
    this.deck = options.deck
  }

  /** To be called once, before the first window opens. */
  async begin(): Promise<void> {
    const { copy } = this.options
    await this.look()
    this.tellCourse()
    copy.on('file', (path, hash) => this.emit('message', { type: 'file-changed', path, hash }))
    copy.on('settled', () => (this.looking = this.looking.then(() => this.onSettled()).catch(() => {})))
    await copy.watch()
  }

  /** Ends what runs, and takes nothing more. */
  async end(): Promise<void> {
    this.ended = true
    this.job?.abort.abort()
    await this.job?.done.catch(() => {})
    await this.options.copy.close()
    await this.looking
  }

  info(): CourseInfo {
    const { copy, gated, progress, notices } = this.options
    return {
      copy: copy.folder.replace(homedir(), '~'),
      gated,
      checkOnSave: progress.checkOnSave,
      tasks: [...this.deck.tasks.values()].map((task) => this.taskInfo(task)),
      files: this.files,
      activity: this.job?.activity ?? null,
      notices: [...(progress.notice === undefined ? [] : [progress.notice]), ...notices],
    }
  }

  /** Tells all of it. */
  private tellCourse(): void {
    const course = this.info()
    for (const { id, progress } of course.tasks) this.told.set(id, JSON.stringify(progress))
    this.emit('message', { type: 'course', course })
  }

  /** Takes an edited deck: what the learner has done with tasks that are still there stays. */
  useDeck(deck: Deck): void {
    this.deck = deck
    this.tellCourse()
  }

  /** Brings the copy to the task's start. */
  async beginTask(id: string): Promise<void> {
    const task = this.openTask(id)
    await this.perform(task, 'begin', (job) => this.setUp(task, job))
  }

  /** Finds out whether a task is solved. */
  async check(id: string): Promise<CheckResult> {
    const task = this.begunTask(id)
    return this.perform(task, 'check', (job) => this.runCheck(task, job))
  }

  /** Gives up what the course does. */
  stop(): void {
    this.job?.abort.abort()
  }

  async openHint(id: string, hint: number): Promise<void> {
    const task = this.openTask(id)
    const record = this.record(id)
    if (hint > task.hints.length)
      throw new RefusedError({ kind: 'unexpected', message: `Task "${task.title}" has ${task.hints.length} hints.` })
    if (hint > record.hints + 1)
      throw new RefusedError({ kind: 'unexpected', message: `Open hint ${record.hints + 1} first.` })
    await this.keep(task, { ...record, hints: Math.max(record.hints, hint) })
  }

  /**
   * What the task's solution would change in the files as they are.
   *
   * @returns a patch, and what names it
   * @throws RefusedError `no-solution` where the files are too far from what the solution expects
   */
  async solution(id: string): Promise<{ solution: string; patch: string; says: TaskLine[] }> {
    const task = this.begunTask(id)
    return this.perform(task, 'look', async (job) => {
      const solution = await this.solutionId(task)
      const patch: Buffer[] = []
      const { exit, lines } = await this.runScript(
        task,
        rehearsedSolution(task.scripts.solve, this.prelude(task)),
        PATIENCE,
        job,
        (bytes) => patch.push(bytes),
      )
      if (exit !== 0) throw noSolution(task, lines)
      return { solution, patch: String(Buffer.concat(patch)), says: lines }
    })
  }

  /**
   * Does what was shown, and checks it.
   *
   * @param solution as `solution` named it
   */
  async applySolution(id: string, solution: string): Promise<void> {
    const task = this.begunTask(id)
    await this.perform(task, 'solve', async (job) => {
      if ((await this.solutionId(task)) !== solution)
        throw new RefusedError({
          kind: 'outdated',
          message: 'Your files have changed since the solution was shown. Look at it again.',
        })
      await this.runSolve(task, job)
      await this.runCheck(task, job, 'solution')
    })
  }

  /** Solves a task without showing how, so that those behind it open. */
  async skip(id: string): Promise<void> {
    const task = this.openTask(id)
    if (isDone(this.stateOf(task))) return
    await this.perform(task, 'skip', async (job) => {
      if (this.stateOf(task).state === 'open') await this.setUp(task, job)
      await this.runSolve(task, job)
      await this.keep(task, { ...this.record(id), state: { state: 'skipped', at: Date.now() } })
    })
  }

  /** Makes all files what they were when the task was begun. */
  async resetTask(id: string): Promise<void> {
    const task = this.begunTask(id)
    const start = await this.options.copy.history.start(id)
    if (start === undefined)
      throw new RefusedError({
        kind: 'not-begun',
        message: `The start of "${task.title}" is not kept any more. Begin it again.`,
      })
    await this.perform(task, 'reset', async (job) => {
      await this.options.copy.history.restore(start)
      const { reset } = task.scripts
      const done =
        reset === undefined ? undefined : await this.runScript(task, `${this.prelude(task)}\n${reset}`, PATIENCE, job)
      const { check, ...record } = this.record(id)
      await this.keep(task, { ...record, state: { state: 'begun', since: Date.now() } }, true)
      if (done && done.exit !== 0)
        throw new RefusedError({
          kind: 'unexpected',
          message: `Your files are as they were when you began "${task.title}", but what it does besides went wrong: ${endOf(done.lines)}`,
        })
    })
  }

  async setCheckOnSave(on: boolean): Promise<void> {
    await this.options.progress.setCheckOnSave(on)
    this.tellCourse()
  }

  /** A file as it is. */
  open(path: string): Promise<{ text: string; hash: string }> {
    return this.options.copy.open(path)
  }

  save(path: string, text: string, base: string | null): Promise<Saved> {
    return this.options.copy.save(path, text, base)
  }

  /** One file as it was at the start of a task, or of the copy. */
  async resetFile(path: string, task?: string): Promise<void> {
    await this.options.copy.reset(path, await this.startOf(task))
  }

  /** All files as they were at the start of the copy; with `progress` the tasks too. */
  async resetCopy(progress: boolean): Promise<void> {
    if (this.job) {
      this.job.abort.abort()
      await this.job.done.catch(() => {})
    }
    await this.options.copy.history.restore(await this.startOf())
    await this.options.beforeScript()
    if (progress) await this.options.progress.clear()
    await this.look()
    this.tellCourse()
  }

  /** What has changed since the start of a task, or of the copy, as a patch for `git apply`. */
  async changes(task?: string): Promise<string> {
    const { history } = this.options.copy
    return history.patch(await this.startOf(task), await history.snapshot())
  }

  private async startOf(task?: string): Promise<string> {
    const start = await this.options.copy.history.start(task)
    if (start === undefined) throw new RefusedError({ kind: 'not-begun', message: 'That task was not begun yet.' })
    return start
  }

  /** Runs `setup`, and keeps what it leaves as the start of the task. */
  private async setUp(task: DeckTask, job: Job): Promise<void> {
    const { exit, lines } = await this.runScript(task, `${this.prelude(task)}\n${task.scripts.setup}`, PATIENCE, job)
    if (exit !== 0)
      throw new RefusedError({
        kind: 'unexpected',
        message: `"${task.title}" could not be begun: ${endOf(lines)} Reset all files to the start, then begin it again; nothing that you have done is lost by that.`,
      })
    const { history } = this.options.copy
    await history.markTask(task.id, await history.snapshot())
    const { hints } = this.record(task.id)
    await this.keep(
      task,
      { state: { state: 'begun', since: Date.now() }, setup: [...this.unfinished(task), ...lines], hints },
      true,
    )
  }

  /** What another task has broken and nobody has mended may stand in the way of this one. */
  private unfinished(task: DeckTask): TaskLine[] {
    const others = [...this.deck.tasks.values()].filter(
      (other) => other !== task && ['begun', 'failed'].includes(this.stateOf(other).state),
    )
    return others.map(({ title }) => ({
      kind: 'look',
      text: `"${title}" is begun and not finished: what it has changed is still there. Skip it to have it out of the way.`,
    }))
  }

  /** Runs `solve`: all of it is done, or nothing. */
  private async runSolve(task: DeckTask, job: Job): Promise<void> {
    const { history } = this.options.copy
    const before = await history.snapshot()
    try {
      const { exit, lines } = await this.runScript(task, `${this.prelude(task)}\n${task.scripts.solve}`, PATIENCE, job)
      if (exit !== 0) throw noSolution(task, lines)
    } catch (error) {
      await history.restore(before)
      throw error
    }
  }

  private async runCheck(task: DeckTask, job: Job, by: 'learner' | 'solution' = 'learner'): Promise<CheckResult> {
    const { history } = this.options.copy
    this.seen = await history.tree(await history.snapshot())
    const at = Date.now()
    const { exit, lines } = await this.runScript(
      task,
      `${this.prelude(task)}\n${task.scripts.check}`,
      task.timeout,
      job,
    )
    const seconds = (Date.now() - at) / 1000
    const result =
      exit === 0
        ? 'passed'
        : exit === null && seconds >= task.timeout
          ? 'timeout'
          : exit !== null && lines.some(({ kind }) => kind === 'fail')
            ? 'failed'
            : 'broken'
    const check: CheckResult = { at, seconds, result, lines }
    const record = this.record(task.id)
    await this.keep(task, { ...record, state: afterCheck(record.state, result === 'passed', by), check })
    return check
  }

  /**
   * Does one thing in the copy. A check, or the making of a solution to look at, gives way to what comes after it; whatever changes files
   * does not.
   *
   * @throws RefusedError `busy`; GivenUp
   */
  private async perform<T>(task: DeckTask, doing: Activity['doing'], work: (job: Job) => Promise<T>): Promise<T> {
    while (this.job) {
      const { activity, abort, done } = this.job
      if (activity.doing !== 'check' && activity.doing !== 'look')
        throw new RefusedError({
          kind: 'unexpected',
          message: `${DOING[activity.doing]} "${this.deck.tasks.get(activity.task)?.title ?? activity.task}" is not finished. Wait, or stop it.`,
        })
      abort.abort()
      await done.catch(() => {})
    }
    if (this.ended) throw new RefusedError({ kind: 'unexpected', message: 'The workshop has ended. Start it again.' })
    const activity: Activity = { task: task.id, doing, since: Date.now() }
    const abort = new AbortController()
    const job: Job = { activity, abort, done: Promise.resolve() }
    const running = (async () => {
      try {
        return await work(job)
      } catch (error) {
        if (abort.signal.aborted) throw new GivenUp(`${DOING[doing]} "${task.title}" was given up.`)
        throw error
      } finally {
        // What the course has written is not the learner's: it is not checked by itself. What was saved during a check is.
        await (doing === 'check' ? this.tellFiles() : this.look()).catch(() => {})
        this.job = undefined
        this.emit('message', { type: 'activity', activity: null })
      }
    })()
    job.done = running
    this.job = job
    this.emit('message', { type: 'activity', activity })
    return running
  }

  /** Looks at the files anew, and tells the windows where the list is another one. */
  private async look(): Promise<void> {
    const { copy } = this.options
    this.seen = await copy.history.tree(await copy.history.snapshot())
    await this.tellFiles()
  }

  private async tellFiles(): Promise<void> {
    const files = await this.options.copy.list()
    if (JSON.stringify(files) === JSON.stringify(this.files)) return
    this.files = files
    this.emit('message', { type: 'files', files })
  }

  /** Somebody has changed a file. */
  private async onSettled(): Promise<void> {
    if (this.ended) return
    await this.tellFiles()
    const { copy, progress } = this.options
    const { history } = copy
    // What the learner asked for is not given up for what nobody asked for: looked at again below, after the waits.
    const occupied = () => this.job !== undefined && this.job.activity.doing !== 'check'
    if (occupied() || (await history.tree(await history.snapshot())) === this.seen) return
    if (!this.job) await this.options.beforeScript()
    const current = this.deck.tasks.get(progress.current ?? '')
    if (occupied() || !progress.checkOnSave || !current || !['begun', 'failed'].includes(this.stateOf(current).state))
      return
    // Not awaited: the next save replaces it.
    this.check(current.id).catch(() => {})
  }

  private async runScript(
    task: DeckTask,
    script: string,
    seconds: number,
    job: Job,
    patch?: (bytes: Buffer) => void,
  ): Promise<{ exit: number | null; lines: TaskLine[] }> {
    await this.options.beforeScript()
    const { signal } = job.abort
    signal.throwIfAborted()
    const lines = new Lines((line) => this.emit('message', { type: 'activity-line', task: task.id, line }))
    const { exit, output } = await this.options.executor.script(script, seconds, signal, (bytes, from) =>
      patch && from === 'stdout' ? patch(bytes) : lines.take(bytes, from),
    )
    signal.throwIfAborted()
    const said = lines.end()
    // It could not be run at all: what the executor says about that came from no script.
    return { exit, lines: said.length === 0 && !patch && output !== '' ? [{ kind: 'says', text: output }] : said }
  }

  private prelude({ id }: DeckTask): string {
    return `export TASK=${id} TASK_PROFILE=${this.options.profile}`
  }

  /** Names a solution: another one where the files, or the script, are others. */
  private async solutionId(task: DeckTask): Promise<string> {
    const { history } = this.options.copy
    const tree = await history.tree(await history.snapshot())
    return createHash('sha256').update(tree).update(task.scripts.solve).digest('hex').slice(0, 32)
  }

  private task(id: string): DeckTask {
    const task = this.deck.tasks.get(id)
    if (!task)
      throw new RefusedError({ kind: 'unknown-task', message: `This deck has no task "${id}". Reload the page.` })
    return task
  }

  /** A task that may be done now. */
  private openTask(id: string): DeckTask {
    const task = this.task(id)
    const state = this.stateOf(task)
    if (state.state === 'unavailable') throw new RefusedError({ kind: 'unexpected', message: state.reason })
    if (state.state === 'locked')
      throw new RefusedError({
        kind: 'locked',
        message: `Finish or skip ${state.by.map((other) => `"${this.deck.tasks.get(other)?.title ?? other}"`).join(', ')} first.`,
      })
    return task
  }

  private begunTask(id: string): DeckTask {
    const task = this.openTask(id)
    if (this.stateOf(task).state === 'open')
      throw new RefusedError({ kind: 'not-begun', message: `Begin "${task.title}" first.` })
    return task
  }

  private record(id: string): TaskRecord {
    return this.options.progress.task(id) ?? { state: { state: 'open' }, setup: [], hints: 0 }
  }

  private stateOf(task: DeckTask): TaskState {
    const { profile, gated } = this.options
    if (!task.profiles.includes(profile))
      return {
        state: 'unavailable',
        reason: `This task can be done in the profile ${task.profiles.join(' or ')} only; this is ${profile}.`,
      }
    const record = this.options.progress.task(task.id)
    if (record && record.state.state !== 'open') return record.state
    const all = [...this.deck.tasks.values()]
    const before = gated ? all.slice(0, all.indexOf(task)) : task.depends.flatMap((id) => this.deck.tasks.get(id) ?? [])
    const by = before.filter((other) => !isDone(this.stateOf(other))).map(({ id }) => id)
    return by.length > 0 ? { state: 'locked', by } : { state: 'open' }
  }

  private async keep(task: DeckTask, record: TaskRecord, current = false): Promise<void> {
    await this.options.progress.setTask(task.id, record, current)
    // Others may open, or be locked again.
    for (const each of this.deck.tasks.values()) this.tellTask(each)
  }

  private tellTask(task: DeckTask): void {
    const progress = this.progressOf(task)
    const text = JSON.stringify(progress)
    if (this.told.get(task.id) === text) return
    this.told.set(task.id, text)
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

const DOING: Record<Activity['doing'], string> = {
  begin: 'The beginning of',
  check: 'The check of',
  look: 'The solution of',
  solve: 'The solution of',
  skip: 'The skipping of',
  reset: 'The reset of',
}

/** What was passed stays so: a later task may change what it was about. */
function afterCheck(state: TaskRecord['state'], passed: boolean, by: 'learner' | 'solution'): TaskRecord['state'] {
  if (state.state === 'passed' || state.state === 'skipped') return state
  return passed
    ? { state: 'passed', at: Date.now(), by }
    : { state: 'failed', since: 'since' in state ? state.since : Date.now() }
}

function noSolution(task: DeckTask, lines: TaskLine[]): RefusedError {
  return new RefusedError({
    kind: 'no-solution',
    message: `The solution of "${task.title}" does not fit your files as they are: ${endOf(lines)} Reset the task to its start first, then look again.`,
  })
}

/** The last of what a script said, for a message. */
function endOf(lines: TaskLine[]): string {
  const said = lines
    .slice(-3)
    .map(({ text }) => text)
    .join(' · ')
  return said === '' ? 'it says nothing more.' : /[.!?]$/.test(said) ? said : `${said}.`
}
