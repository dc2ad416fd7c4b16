import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StepProblem } from '../../shared/failures/step-problem.ts'
import type { Metadata } from '../../shared/recording/metadata.ts'
import type { Deck } from '../deck/deck.ts'
import type { Step } from '../deck/step.ts'
import type { Executor } from '../executor/executor.ts'
import { Recorder } from '../recording/recorder.ts'
import type { RecordingStore } from '../recording/store.ts'
import { RefusedError } from '../steps/refused-error.ts'
import type { Stage } from '../steps/stage.ts'
import type { RunResult, StepRun } from '../steps/step-run.ts'
import { redactAll } from '../terminal/redaction.ts'
import type { NotRunReason } from './not-run.ts'

/**
 * A rehearsal runs every step of the deck in order, on a stage like that of the talk, checks each contract, and saves
 * good runs as recordings.
 */

/** The result of one step. */
export type StepOutcome =
  | {
      result: 'passed' | 'failed'
      seconds: number
      problems: StepProblem[]
      captures: RunResult['captures']
      /** Whether the run was saved as a recording. */
      recorded: boolean
    }
  | { result: 'not-run'; reason: NotRunReason }

export type StepReport = { step: string; slide: number } & StepOutcome

export interface RehearsalOptions {
  deck: Deck
  stage: Stage
  executor: Executor
  /** The steps to run, in the deck's order. */
  steps: Step[]
  /** Continue after a step that failed. */
  keepGoing: boolean
  /** Seconds for the whole rehearsal. */
  timeLimit?: number | undefined
  /** Folder for recordings in progress, absolute. */
  scratch: string
  secrets: string[]
  /** Where good runs are saved; undefined to save none. */
  store?: { recordings: RecordingStore; facts: Pick<Metadata, 'profile' | 'nix' | 'nixpkgs' | 'flake'> } | undefined
  /** Takes a picture of the page that a step serves. */
  thumbnail?: ((url: string) => Promise<Buffer | undefined>) | undefined
  /** Receives the recording of a step that failed, which is not saved. */
  onFailure?: ((step: Step, result: RunResult, cast: string) => Promise<void>) | undefined
  signal: AbortSignal
  /** Called when a step begins, and again with its report when it is over. */
  onStep: (step: Step, report?: StepReport) => void
}

/** How long an interrupted step may take to end by itself. */
const INTERRUPT_TIMEOUT_MS = 10_000

/** A step that is ready and keeps running, for the steps that depend on it. */
interface ServingStep {
  step: Step
  run: StepRun
}

/**
 * Rehearses steps.
 *
 * @returns a report of each step, in order
 */
export async function rehearse(options: RehearsalOptions): Promise<StepReport[]> {
  const { stage, steps, timeLimit, onStep, executor } = options
  const reports: StepReport[] = []
  let serving: ServingStep[] = []
  const startedAt = performance.now()
  const elapsed = () => (performance.now() - startedAt) / 1000
  try {
    for (const [index, step] of steps.entries()) {
      const add = (outcome: StepOutcome) => {
        const report = { step: step.id, slide: step.slide, ...outcome }
        reports.push(report)
        onStep(step, report)
      }
      const reason = whyNotRun(options, step, reports, elapsed())
      if (reason) {
        add({ result: 'not-run', reason })
        continue
      }
      onStep(step)
      const next = steps.slice(index)
      const needed = ({ step: { id } }: ServingStep) => next.some(({ contract }) => contract.depends.includes(id))
      for (const { step: other, run } of serving.filter((each) => !needed(each))) await stop(stage, other, run)
      serving = serving.filter(needed)
      const secondsLeft = timeLimit === undefined ? Infinity : timeLimit - elapsed()
      add(await rehearseStep(options, step, secondsLeft, (run) => serving.push({ step, run })))
      if (step.contract.cleanup !== undefined) await executor.script(step.contract.cleanup, step.contract.timeout)
    }
  } finally {
    for (const { step, run } of serving) await stop(stage, step, run)
  }
  return reports
}

/** @param elapsed seconds since the rehearsal began */
function whyNotRun(
  { keepGoing, timeLimit, signal }: RehearsalOptions,
  { contract }: Step,
  reports: StepReport[],
  elapsed: number,
): NotRunReason | undefined {
  if (signal.aborted) return { kind: 'interrupted' }
  const failed = reports.find(({ result }) => result === 'failed')
  if (failed && !keepGoing) return { kind: 'earlier-failure', step: failed.step }
  if (timeLimit !== undefined && elapsed > timeLimit) return { kind: 'time-limit', seconds: timeLimit }
  const broken = contract.depends.find((id) => reports.some(({ step, result }) => step === id && result !== 'passed'))
  if (broken !== undefined) return { kind: 'dependency', step: broken }
  if (contract.confirm) return { kind: 'confirmation' }
  const names = Object.keys(contract.inputs)
  return names.length > 0 ? { kind: 'inputs', names } : undefined
}

/** @param onServing called with the run if the step is ready and keeps running */
async function rehearseStep(
  options: RehearsalOptions,
  step: Step,
  secondsLeft: number,
  onServing: (run: StepRun) => void,
): Promise<StepOutcome> {
  const { stage, scratch, secrets } = options
  const file = join(scratch, `${step.id}.cast`)
  let run: StepRun
  try {
    run = await stage.run(
      { step: step.id, hash: step.hash, inputs: {} },
      (command) => new Recorder({ file, command, title: step.id, secrets }),
    )
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    if (error.refusal.kind === 'unavailable')
      return { result: 'not-run', reason: { kind: 'unavailable', missing: error.refusal.missing } }
    const problem = { kind: 'refused' as const, message: error.message }
    return { result: 'failed', seconds: 0, problems: [problem], captures: {}, recorded: false }
  }
  const result = await resultOf(options, step, run, secondsLeft)
  const { page } = stage.steps().find(({ id }) => id === step.id) ?? {}
  const isServing = result.exit === null && result.ready !== undefined
  const thumbnail = isServing && page !== undefined ? await options.thumbnail?.(page) : undefined
  if (isServing) onServing(run)

  const good = result.problems.length === 0
  const recorded = good && (await save(options, step, result, file, thumbnail))
  if (!good && result.recorded?.state === 'complete')
    await options.onFailure?.(step, result, await readFile(file, 'utf8'))
  await rm(file, { force: true })
  return {
    result: good ? 'passed' : 'failed',
    seconds: result.seconds,
    // Problems quote the output of scripts, and the report is written to a file.
    problems: redactAll(result.problems, secrets),
    captures: result.captures,
    recorded,
  }
}

/** The result of a run. A run that exceeds its time limit is interrupted and has failed. */
async function resultOf(
  { stage, signal }: RehearsalOptions,
  step: Step,
  run: StepRun,
  secondsLeft: number,
): Promise<RunResult> {
  const limit = Math.min(step.contract.timeout, secondsLeft)
  let timer: NodeJS.Timeout | undefined
  let stopWaiting: () => void = () => {}
  const late = new Promise<undefined>((resolve) => {
    stopWaiting = () => resolve(undefined)
    timer = setTimeout(stopWaiting, limit * 1000)
    signal.addEventListener('abort', stopWaiting, { once: true })
  })
  const result = await Promise.race([run.kept, late])
  clearTimeout(timer)
  signal.removeEventListener('abort', stopWaiting)
  if (result) return result

  await stop(stage, step, run)
  const ended = await run.ended
  const problem: StepProblem = signal.aborted ? { kind: 'rehearsal-interrupted' } : { kind: 'stopped', seconds: limit }
  // The interrupt explains the exit status, and the time.
  const others = ended.problems.filter(({ kind }) => kind !== 'exit-status' && kind !== 'timeout')
  return { ...ended, problems: [problem, ...others] }
}

/** Saves a good run as the step's recording. @returns false if nothing was saved */
async function save(
  { store }: RehearsalOptions,
  step: Step,
  { exit, ready, captures, recorded }: RunResult,
  file: string,
  thumbnail: Buffer | undefined,
): Promise<boolean> {
  if (!store || recorded?.state !== 'complete') return false
  await store.recordings.save(
    {
      step: step.id,
      command: step.command,
      hash: step.hash,
      exit,
      seconds: toMilliseconds(recorded.seconds),
      ...(ready !== undefined && { ready: toMilliseconds(ready) }),
      date: new Date().toISOString(),
      ...store.facts,
      captures,
    },
    await readFile(file, 'utf8'),
    thumbnail,
  )
  return true
}

/** Seconds, rounded to milliseconds. */
const toMilliseconds = (seconds: number) => Math.round(seconds * 1000) / 1000

/** Interrupts a step. If that does not end it, its shell is restarted. */
async function stop(stage: Stage, step: Step, run: StepRun): Promise<void> {
  if (run.hasEnded) return
  stage.interrupt(step.terminal)
  let timer: NodeJS.Timeout | undefined
  const ended = run.ended.then(
    () => true,
    () => true,
  )
  const timeout = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), INTERRUPT_TIMEOUT_MS)))
  if (!(await Promise.race([ended, timeout]))) await stage.terminals.of(step).restart()
  clearTimeout(timer)
  await ended
}
