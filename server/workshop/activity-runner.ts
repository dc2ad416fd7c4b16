import type { Activity } from '../../shared/protocol/workshop.ts'
import { describeCanceledActivity } from '../../shared/failures/workshop-refusal.ts'
import type { DeckTask } from '../deck/step.ts'
import { RefusedError } from '../steps/refused-error.ts'

/** Thrown if an activity is stopped, or replaced with a later one, before it has finished. */
export class ActivityCanceledError extends Error {
  override name = 'ActivityCanceledError'
  constructor(action: Activity['action'], title: string) {
    super(describeCanceledActivity(action, title))
  }
}

interface RunningActivity {
  activity: Activity
  title: string
  abort: AbortController
  finished: Promise<unknown>
}

export interface ActivityRunnerOptions {
  onChange: (activity: Activity | null) => void
  /** Runs after the work of every activity, whether it succeeded or not, while the activity is still shown. */
  afterWork: (action: Activity['action']) => Promise<void>
}

/** Runs the activities of a course one at a time. */
export class ActivityRunner {
  private readonly options: ActivityRunnerOptions
  private running: RunningActivity | undefined
  private closed = false

  constructor(options: ActivityRunnerOptions) {
    this.options = options
  }

  get current(): Activity | undefined {
    return this.running?.activity
  }

  /**
   * Runs an activity. A running check or preview is canceled first; an activity that changes files is not.
   *
   * @param work the activity; must stop when its signal is aborted
   * @throws RefusedError `activity-running` or `course-closed`
   * @throws ActivityCanceledError
   */
  async run<T>(task: DeckTask, action: Activity['action'], work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    while (this.running) {
      const { activity, title } = this.running
      if (changesFiles(activity.action))
        throw new RefusedError({ kind: 'activity-running', action: activity.action, title })
      await this.cancelAndWait()
    }
    if (this.closed) throw new RefusedError({ kind: 'course-closed' })
    const activity: Activity = { task: task.id, action, since: Date.now() }
    const abort = new AbortController()
    const running: RunningActivity = { activity, title: task.title, abort, finished: Promise.resolve() }
    const result = (async () => {
      try {
        return await work(abort.signal)
      } catch (error) {
        if (abort.signal.aborted) throw new ActivityCanceledError(action, task.title)
        throw error
      } finally {
        await this.options.afterWork(action).catch(() => {})
        this.running = undefined
        this.options.onChange(null)
      }
    })()
    running.finished = result
    this.running = running
    this.options.onChange(activity)
    return result
  }

  cancel(): void {
    this.running?.abort.abort()
  }

  async cancelAndWait(): Promise<void> {
    this.cancel()
    await this.running?.finished.catch(() => {})
  }

  /** Cancels the current activity and refuses all later ones. */
  async close(): Promise<void> {
    this.closed = true
    await this.cancelAndWait()
  }
}

function changesFiles(action: Activity['action']): boolean {
  switch (action) {
    case 'check':
    case 'preview':
      return false
    case 'begin':
    case 'solve':
    case 'skip':
    case 'reset':
      return true
  }
}
