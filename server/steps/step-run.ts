import type { Step } from '../deck/deck.ts'
import type { Executor } from '../executor/executor.ts'
import { reachable, untilReady } from '../environment/probe.ts'
import { redact } from '../terminal/redaction.ts'
import type { Recorded, Recorder } from '../recording/recorder.ts'
import type { Captured } from '../../shared/recording/metadata.ts'
import type { Session } from '../terminal/session.ts'
import { OutputWatch } from './output-watch.ts'

/** What became of a run of a step, against its contract. */
export interface RunResult {
  /** null where it still runs (it is ready), or its shell was gone before it could say. */
  exit: number | null
  seconds: number
  /** Seconds until it was ready. */
  ready?: number
  /** What the contract promises and the run did not keep; empty for a good run. */
  problems: string[]
  captures: Record<string, Captured>
  /** How its recording ended, where it was recorded. */
  recorded?: Recorded
}

export interface StepRunOptions {
  step: Step
  /** As it is typed, inputs filled in. */
  command: string
  session: Session
  executor: Executor
  recorder?: Recorder | undefined
  /** Values that no capture may hold: it stands on a slide, and in the project. */
  secrets: readonly string[]
  /** The step runs and does what it is for; `after` in seconds. */
  /** @param url of the page that it serves, as it is reached from this machine */
  onReady: (after: number, url?: string) => void
  /** It should have been over, or ready, by now. It goes on. */
  onTimeout: () => void
}

/** Seconds that a script of a contract may take. */
const SCRIPT = 120
/** Milliseconds that a recording goes on once the step is ready: what is printed right after it belongs to it. */
const AFTER_READY = 1500

/**
 * One run of a step: types it, watches what it prints, and holds it against its contract.
 */
export class StepRun {
  /** At its end; for a step that keeps running, once it is ready. */
  readonly kept: Promise<RunResult>
  /** At its end, also where it was ready before. */
  readonly ended: Promise<RunResult>

  private readonly options: StepRunOptions
  private readonly watch = new OutputWatch()
  private readonly over = new AbortController()
  private readonly since = performance.now()
  private readonly seen = { output: false }
  private readonly values: Record<string, string> = {}
  private becameReady: (after: number) => void = () => {}
  private readyAfter: number | undefined
  private late = false
  private url: string | undefined

  constructor(options: StepRunOptions) {
    this.options = options
    const { contract } = options.step
    if (contract.expect.output !== undefined)
      this.watch.on(contract.expect.output, () => (this.seen.output = true), true)
    for (const [name, { output }] of Object.entries(contract.capture))
      if (output !== undefined) this.watch.on(output, (match) => (this.values[name] = match[1] ?? ''), false)
    if (contract.ready && 'output' in contract.ready)
      this.watch.on(contract.ready.output, () => this.becameReady(this.passed()), true)
    const ready = new Promise<number>((done) => (this.becameReady = done))
    this.ended = this.run()
    this.kept = Promise.race([this.ended, ready.then((after) => this.becomeReady(after))])
    // Who waits for one of them has the error; the other must not end the server.
    this.kept.catch(() => {})
    this.ended.catch(() => {})
  }

  private passed(): number {
    return (performance.now() - this.since) / 1000
  }

  private async untilPageAnswers(page: { http: string; contains?: string | undefined }): Promise<void> {
    this.url = await reachable(page.http, this.options.executor)
    if (await untilReady({ ...page, http: this.url }, this.over.signal)) this.becameReady(this.passed())
  }

  private async run(): Promise<RunResult> {
    const { step, command, session, recorder } = this.options
    const { contract } = step
    const timer = setTimeout(() => {
      this.late = true
      this.options.onTimeout()
    }, contract.timeout * 1000)
    // The recording opens with the screen as it is before anything is typed.
    const channel = recorder && (await attach(session, recorder))
    try {
      if (contract.ready && 'http' in contract.ready) void this.untilPageAnswers(contract.ready)
      const { exit, seconds, reason } = await session.run(step.id, command, (bytes) => this.watch.feed(bytes))
      this.over.abort()
      clearTimeout(timer)
      this.watch.end()
      // Ready was its promise; how it is ended afterwards does not matter.
      if (this.readyAfter !== undefined) return { ...(await this.kept), exit, seconds }
      const problems = reason === undefined ? this.problemsOfEnd(exit) : [reason]
      return await this.judge(exit, seconds, problems)
    } finally {
      this.over.abort()
      clearTimeout(timer)
      if (channel !== undefined) session.detach(channel)
    }
  }

  private async becomeReady(after: number): Promise<RunResult> {
    this.readyAfter = after
    this.options.onReady(after, this.url)
    this.options.recorder?.marker('ready')
    await new Promise((done) => setTimeout(done, AFTER_READY))
    return this.judge(null, after, [], after)
  }

  private problemsOfEnd(exit: number | null): string[] {
    const { expect, ready, timeout } = this.options.step.contract
    const problems: string[] = []
    if (ready) problems.push(`It ended (exit status ${exit}) before it was ready.`)
    else if (expect.failure && exit === 0) problems.push('It succeeded, although it is meant to fail.')
    else if (!expect.failure && exit !== (expect.exit ?? 0))
      problems.push(`Its exit status is ${exit}, not ${expect.exit ?? 0}.`)
    if (expect.output !== undefined && !this.seen.output)
      problems.push(`No line of its output matches /${expect.output}/.`)
    if (this.late) problems.push(`It took longer than ${timeout} s.`)
    return problems
  }

  /** The rest of the contract: what can be asked once the step has done its work. */
  private async judge(exit: number | null, seconds: number, problems: string[], ready?: number): Promise<RunResult> {
    const { step, executor, recorder, session } = this.options
    const { verify, expect } = step.contract
    if (ready !== undefined && expect.output !== undefined && !this.seen.output)
      problems.push(`No line of its output matches /${expect.output}/.`)
    if (problems.length === 0 && verify !== undefined) {
      const { exit: verified, output } = await executor.script(verify, SCRIPT)
      if (verified !== 0)
        problems.push(
          `Its verify ${verified === null ? `took longer than ${SCRIPT} s` : `exits with ${verified}`}: ${lastLines(output)}`,
        )
    }
    const captures = problems.length === 0 ? await this.capture(problems) : {}
    const recorded = recorder && (await recorder.finish(exit, recorder.cut ? await snapshotOf(session) : undefined))
    return { exit, seconds, ...(ready !== undefined && { ready }), problems, captures, ...(recorded && { recorded }) }
  }

  private async capture(problems: string[]): Promise<Record<string, Captured>> {
    const captures: Record<string, Captured> = {}
    for (const [name, { script, unit, label }] of Object.entries(this.options.step.contract.capture)) {
      let value = this.values[name]
      if (script !== undefined) {
        const { exit, value: printed, output } = await this.options.executor.script(script, SCRIPT)
        if (exit === 0) value = printed
        else problems.push(`The script of capture "${name}" exits with ${exit}: ${lastLines(output)}`)
      } else if (value === undefined) problems.push(`No line of its output gives the capture "${name}".`)
      if (value === undefined) continue
      value = redact(value, this.options.secrets)
      if (unit !== 'text' && !/^\d+(\.\d+)?$/.test(value))
        problems.push(`The capture "${name}" is "${value.slice(0, 40)}", which is no number of ${unit}.`)
      else captures[name] = { value, unit, ...(label !== undefined && { label }) }
    }
    return captures
  }
}

/** Lets a recorder see a session from now on. */
function attach(session: Session, recorder: Recorder): Promise<number> {
  return new Promise((done) => {
    let bytes = 0
    const handle = session.attach({
      lossless: true,
      snapshot: (channel, cols, rows, data) => {
        bytes = 0
        session.ack(channel, 0)
        recorder.snapshot(cols, rows, data)
        done(handle)
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
  return new Promise((done) => {
    const handle = session.attach({
      snapshot: (_channel, _cols, _rows, data) => {
        done(data)
        queueMicrotask(() => session.detach(handle))
      },
      output: () => {},
    })
  })
}

function lastLines(text: string): string {
  return text.split('\n').slice(-3).join(' · ').slice(-300) || 'it printed nothing'
}
