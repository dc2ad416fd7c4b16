import type { SessionFailure } from '../../shared/failures/session.ts'
import type { StepProblem } from '../../shared/failures/step-problem.ts'
import type { Captured } from '../../shared/recording/metadata.ts'
import type { Step } from '../deck/step.ts'
import { reachable, untilReady } from '../environment/probe.ts'
import type { Executor } from '../executor/executor.ts'
import type { Recorder, RecordingResult } from '../recording/recorder.ts'
import { redact } from '../terminal/redaction.ts'
import type { Session } from '../terminal/session.ts'
import { OutputWatch } from './output-watch.ts'

/** The result of a run, compared with the step's contract. */
export interface RunResult {
  /**
   * null if the command is still running (the step is ready), or if its shell ended before it could report the exit
   * status.
   */
  exit: number | null
  seconds: number
  /** Seconds until the step was ready. */
  ready?: number
  /** The conditions of the contract that the run did not meet; empty for a successful run. */
  problems: StepProblem[]
  /** The reason why there is no exit status. */
  failure?: SessionFailure
  captures: Record<string, Captured>
  /** The result of the recording, if the run was recorded. */
  recorded?: RecordingResult
}

export interface StepRunOptions {
  step: Step
  /** The command as it is typed, with its inputs filled in. */
  command: string
  session: Session
  executor: Executor
  recorder?: Recorder | undefined
  /** Values to redact from captures, which are shown on slides and stored in the project. */
  secrets: readonly string[]
  /**
   * Called when the step is ready. The step keeps running.
   *
   * @param after seconds since the start
   * @param url the URL at which this machine reaches the page that the step serves
   */
  onReady: (after: number, url?: string) => void
  /** Called if the step has neither finished nor become ready within its timeout. The step continues. */
  onTimeout: () => void
}

/** Time limit of a script of a contract. */
const SCRIPT_TIMEOUT_SECONDS = 120
/** Time that the recording continues after the step has become ready, to include its next output. */
const AFTER_READY_MS = 1500

/** One run of a step: types its command, watches the output, and compares the run with the contract. */
export class StepRun {
  /** Resolves at the end of the run; for a step that keeps running, when it is ready. */
  readonly kept: Promise<RunResult>
  /** Resolves at the end of the run, even if the step was ready before. */
  readonly ended: Promise<RunResult>

  private readonly options: StepRunOptions
  private readonly watch = new OutputWatch()
  private readonly finished = new AbortController()
  private readonly startedAt = performance.now()
  /** Whether a line matched `expect.output`. */
  private outputMatched = false
  /** Values of captures that were found in the output, by name. */
  private readonly captured: Record<string, string> = {}
  private resolveReady: (after: number) => void = () => {}
  private readyAfter: number | undefined
  private timedOut = false
  private url: string | undefined
  private isOver = false

  constructor(options: StepRunOptions) {
    this.options = options
    const { expect, capture, ready } = options.step.contract
    if (expect.output !== undefined) this.watch.on(expect.output, () => (this.outputMatched = true), true)
    for (const [name, { output }] of Object.entries(capture))
      if (output !== undefined) this.watch.on(output, (match) => (this.captured[name] = match[1] ?? ''), false)
    if (ready && 'output' in ready) this.watch.on(ready.output, () => this.resolveReady(this.elapsed()), true)
    const becameReady = new Promise<number>((resolve) => (this.resolveReady = resolve))
    this.ended = this.run()
    this.kept = Promise.race([this.ended, becameReady.then((after) => this.onReady(after))])
    // A caller awaits one of the promises and gets the error. An unhandled rejection of the other would end the server.
    this.kept.catch(() => {})
    this.ended.catch(() => {})
  }

  /** Whether the command has ended. */
  get hasEnded(): boolean {
    return this.isOver
  }

  private elapsed(): number {
    return (performance.now() - this.startedAt) / 1000
  }

  private async waitForPage(page: { http: string; contains?: string | undefined }): Promise<void> {
    this.url = await reachable(page.http, this.options.executor)
    if (await untilReady({ ...page, http: this.url }, this.finished.signal)) this.resolveReady(this.elapsed())
  }

  private async run(): Promise<RunResult> {
    const { step, command, session, recorder } = this.options
    const { ready, timeout } = step.contract
    const timer = setTimeout(() => {
      this.timedOut = true
      this.options.onTimeout()
    }, timeout * 1000)
    // The recording begins with the screen before the command is typed.
    const handle = recorder && (await attachRecorder(session, recorder))
    try {
      if (ready && 'http' in ready) void this.waitForPage(ready)
      const { exit, seconds, failure } = await session.run(step.id, command, (bytes) => this.watch.feed(bytes))
      this.finished.abort()
      clearTimeout(timer)
      this.watch.end()
      // The contract was met when the step became ready, so the exit status does not matter.
      if (this.readyAfter !== undefined) return { ...(await this.kept), exit, seconds, ...(failure && { failure }) }
      const problems = failure ? [{ kind: 'session' as const, failure }] : this.problemsOf(exit)
      return { ...(await this.completeResult(exit, seconds, problems)), ...(failure && { failure }) }
    } finally {
      this.isOver = true
      this.finished.abort()
      clearTimeout(timer)
      if (handle !== undefined) session.detach(handle)
    }
  }

  private async onReady(after: number): Promise<RunResult> {
    this.readyAfter = after
    this.options.onReady(after, this.url)
    this.options.recorder?.marker('ready')
    await new Promise((resolve) => setTimeout(resolve, AFTER_READY_MS))
    return this.completeResult(null, after, [], after)
  }

  /** @returns the conditions of the contract that an ended run did not meet */
  private problemsOf(exit: number | null): StepProblem[] {
    const { expect, ready, timeout } = this.options.step.contract
    const expected = expect.exit ?? 0
    const problems: StepProblem[] = []
    if (ready) problems.push({ kind: 'ended-before-ready', exit })
    else if (expect.failure && exit === 0) problems.push({ kind: 'succeeded' })
    else if (!expect.failure && exit !== expected) problems.push({ kind: 'exit-status', exit, expected })
    if (expect.output !== undefined && !this.outputMatched) problems.push({ kind: 'no-output', pattern: expect.output })
    if (this.timedOut) problems.push({ kind: 'timeout', seconds: timeout })
    return problems
  }

  /** Completes a result: runs the contract's scripts, reads the captures, and finishes the recording. */
  private async completeResult(
    exit: number | null,
    seconds: number,
    problems: StepProblem[],
    ready?: number,
  ): Promise<RunResult> {
    const { step, recorder, session } = this.options
    const { verify, expect } = step.contract
    if (ready !== undefined && expect.output !== undefined && !this.outputMatched)
      problems.push({ kind: 'no-output', pattern: expect.output })
    if (problems.length === 0 && verify !== undefined) await this.verify(verify, problems)
    const captures = problems.length === 0 ? await this.readCaptures(problems) : {}
    const recorded =
      recorder && (await recorder.finish(exit, recorder.truncated ? await snapshotOf(session) : undefined))
    return { exit, seconds, ...(ready !== undefined && { ready }), problems, captures, ...(recorded && { recorded }) }
  }

  private async verify(script: string, problems: StepProblem[]): Promise<void> {
    const { exit, output } = await this.options.executor.script(script, SCRIPT_TIMEOUT_SECONDS)
    if (exit !== 0) problems.push({ kind: 'verify', exit, limit: SCRIPT_TIMEOUT_SECONDS, output })
  }

  private async readCaptures(problems: StepProblem[]): Promise<Record<string, Captured>> {
    const { step, executor, secrets } = this.options
    const captures: Record<string, Captured> = {}
    for (const [name, { script, unit, label }] of Object.entries(step.contract.capture)) {
      let value = this.captured[name]
      if (script !== undefined) {
        const { exit, stdout: printed, output } = await executor.script(script, SCRIPT_TIMEOUT_SECONDS)
        if (exit === 0) value = printed
        else problems.push({ kind: 'capture-script', capture: name, exit, output })
      } else if (value === undefined) problems.push({ kind: 'capture-missing', capture: name })
      if (value === undefined) continue
      value = redact(value, secrets)
      if (unit !== 'text' && !/^\d+(\.\d+)?$/.test(value))
        problems.push({ kind: 'capture-not-a-number', capture: name, value: value.slice(0, 40), unit })
      else captures[name] = { value, unit, ...(label !== undefined && { label }) }
    }
    return captures
  }
}

/** Attaches a recorder to a session. Resolves when the recorder has received the first snapshot. */
function attachRecorder(session: Session, recorder: Recorder): Promise<number> {
  return new Promise((resolve) => {
    let bytes = 0
    const handle = session.attach({
      lossless: true,
      snapshot: (channel, cols, rows, data) => {
        bytes = 0
        session.ack(channel, 0)
        recorder.snapshot(cols, rows, data)
        resolve(handle)
      },
      output: (channel, output) => {
        recorder.output(output)
        bytes += output.length
        session.ack(channel, bytes)
      },
    })
  })
}

function snapshotOf(session: Session): Promise<string> {
  return new Promise((resolve) => {
    const handle = session.attach({
      snapshot: (_channel, _cols, _rows, data) => {
        resolve(data)
        queueMicrotask(() => session.detach(handle))
      },
      output: () => {},
    })
  })
}
