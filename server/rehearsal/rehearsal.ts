import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Deck, Step } from '../deck/deck.ts'
import type { Executor } from '../executor/executor.ts'
import { redact } from '../terminal/redaction.ts'
import { Recorder } from '../recording/recorder.ts'
import type { Metadata } from '../../shared/recording/metadata.ts'
import type { RecordingStore } from '../recording/store.ts'
import type { RunResult, StepRun } from '../steps/step-run.ts'
import { RefusedError, type Stage } from '../steps/stage.ts'

/**
 * A rehearsal: every step of the deck, in order, on the same stage as in the talk, held against its contract. Good runs are kept as
 * recordings.
 */

/** What a rehearsal found of one step. `not-run` is no success: `reason` says what is missing, or what it would have asked. */
export type StepReport = { step: string; slide: number } & (
  | {
      result: 'passed' | 'failed'
      seconds: number
      problems: string[]
      captures: RunResult['captures']
      recorded: boolean
    }
  | { result: 'not-run'; reason: string }
)

export interface RehearsalOptions {
  deck: Deck
  stage: Stage
  executor: Executor
  /** Steps to run, in the deck's order. */
  steps: Step[]
  /** Go on after a step that failed. */
  keepGoing: boolean
  /** Seconds for all of it. */
  timeLimit?: number | undefined
  /** Folder of recordings that are being made, absolute. */
  scratch: string
  secrets: string[]
  /** Where good runs are kept; undefined where they must not be. */
  store?: { recordings: RecordingStore; facts: Pick<Metadata, 'profile' | 'nix' | 'nixpkgs' | 'flake'> } | undefined
  /** Takes a picture of the page that a step serves. */
  thumbnail?: ((url: string) => Promise<Buffer | undefined>) | undefined
  /** Given the recording of a step that failed, which is not kept. */
  onFailure?: ((step: Step, result: RunResult, cast: string) => Promise<void>) | undefined
  signal: AbortSignal
  /** Told of each step as it begins, and once it is over. */
  onStep: (step: Step, report?: StepReport) => void
}

/** Milliseconds for a step that is interrupted to end by itself. */
const INTERRUPTED = 10_000

/** @returns a report of each step, in order */
export async function rehearse(options: RehearsalOptions): Promise<StepReport[]> {
  const { steps, keepGoing, timeLimit, signal, onStep, executor } = options
  const reports: StepReport[] = []
  const serving: { step: Step; run: StepRun }[] = []
  const started = performance.now()
  const report = (step: Step, found: StepReport) => {
    reports.push(found)
    onStep(step, found)
  }
  const stopUnneeded = async (next: Step[]) => {
    for (const one of [...serving])
      if (!next.some(({ contract }) => contract.depends.includes(one.step.id))) {
        serving.splice(serving.indexOf(one), 1)
        await stop(options.stage, one.step, one.run)
      }
  }
  try {
    for (const [index, step] of steps.entries()) {
      const place = { step: step.id, slide: step.slide }
      const broken = step.contract.depends.find((id) =>
        reports.some((other) => other.step === id && other.result !== 'passed'),
      )
      const failed = reports.find(({ result }) => result === 'failed')
      if (signal.aborted) report(step, { ...place, result: 'not-run', reason: 'The rehearsal was interrupted.' })
      else if (failed && !keepGoing)
        report(step, {
          ...place,
          result: 'not-run',
          reason: `Step "${failed.step}" failed before it (--keep-going goes on).`,
        })
      else if (timeLimit !== undefined && (performance.now() - started) / 1000 > timeLimit)
        report(step, { ...place, result: 'not-run', reason: `The time limit of ${timeLimit} s was over.` })
      else if (broken !== undefined)
        report(step, { ...place, result: 'not-run', reason: `It depends on step "${broken}", which did not pass.` })
      else {
        onStep(step)
        await stopUnneeded(steps.slice(index))
        report(step, {
          ...place,
          ...(await rehearseStep(
            options,
            step,
            timeLimit === undefined ? undefined : timeLimit - (performance.now() - started) / 1000,
            (run) => serving.push({ step, run }),
          )),
        })
        if (step.contract.cleanup !== undefined) await executor.script(step.contract.cleanup, step.contract.timeout)
      }
    }
  } finally {
    for (const { step, run } of serving) await stop(options.stage, step, run)
  }
  return reports
}

type Found =
  | {
      result: 'passed' | 'failed'
      seconds: number
      problems: string[]
      captures: RunResult['captures']
      recorded: boolean
    }
  | { result: 'not-run'; reason: string }

async function rehearseStep(
  options: RehearsalOptions,
  step: Step,
  timeLeft: number | undefined,
  serves: (run: StepRun) => void,
): Promise<Found> {
  const { stage, scratch, secrets, signal } = options
  if (step.contract.confirm)
    return {
      result: 'not-run',
      reason: 'It asks for a word first, since it costs money or destroys something. It is run on stage only.',
    }
  if (Object.keys(step.contract.inputs).length > 0)
    return { result: 'not-run', reason: `It asks for ${Object.keys(step.contract.inputs).join(', ')}.` }

  const file = join(scratch, `${step.id}.cast`)
  let run: StepRun
  try {
    run = await stage.run(
      { step: step.id, hash: step.hash, inputs: {} },
      (command) => new Recorder({ file, command, title: step.id, secrets }),
    )
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    return error.reason === 'unavailable'
      ? { result: 'not-run', reason: error.message }
      : { result: 'failed', seconds: 0, problems: [error.message], captures: {}, recorded: false }
  }
  // What takes too long has failed: there is nobody here to watch it.
  const limit = Math.min(step.contract.timeout, timeLeft ?? Infinity)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((done) => {
    timer = setTimeout(() => done('late'), limit * 1000)
    signal.addEventListener('abort', () => done('late'), { once: true })
  })
  let result = await Promise.race([run.kept, late])
  clearTimeout(timer)
  if (result === 'late') {
    await stop(stage, step, run)
    const ended = await run.ended
    const problem = signal.aborted
      ? 'The rehearsal was interrupted.'
      : `It was interrupted after ${limit.toFixed(limit < 10 ? 1 : 0)} s.`
    result = {
      ...ended,
      problems: [
        problem,
        ...ended.problems.filter((text) => !text.startsWith('Its exit status') && !text.startsWith('It took longer')),
      ],
    }
  }
  const { page } = stage.steps().find(({ id }) => id === step.id) ?? {}
  const stillRuns = result.exit === null && result.ready !== undefined
  const thumbnail = stillRuns && page !== undefined ? await options.thumbnail?.(page) : undefined
  if (stillRuns) serves(run)

  const recorded = result.problems.length === 0 && (await keep(options, step, result, file, thumbnail))
  if (result.problems.length > 0 && result.recorded && !('problem' in result.recorded))
    await options.onFailure?.(step, result, await readFile(file, 'utf8'))
  await rm(file, { force: true })
  // They quote what scripts print, and are written to the report.
  const problems = result.problems.map((problem) => redact(problem, secrets))
  return {
    result: problems.length === 0 ? 'passed' : 'failed',
    seconds: result.seconds,
    problems,
    captures: result.captures,
    recorded,
  }
}

/** Keeps a good run; one that failed never gets here. */
async function keep(
  { store }: RehearsalOptions,
  step: Step,
  result: RunResult,
  file: string,
  thumbnail: Buffer | undefined,
): Promise<boolean> {
  if (!store || !result.recorded || 'problem' in result.recorded) return false
  const { exit, ready, captures } = result
  await store.recordings.keep(
    {
      step: step.id,
      command: step.command,
      hash: step.hash,
      exit,
      seconds: Math.round(result.recorded.seconds * 1000) / 1000,
      ...(ready !== undefined && { ready: Math.round(ready * 1000) / 1000 }),
      date: new Date().toISOString(),
      ...store.facts,
      captures,
    },
    await readFile(file, 'utf8'),
    thumbnail,
  )
  return true
}

/** Interrupts a step; what does not end by that is ended with its shell. */
async function stop(stage: Stage, step: Step, run: StepRun): Promise<void> {
  if (
    await Promise.race([
      run.ended.then(
        () => true,
        () => true,
      ),
      Promise.resolve(false),
    ])
  )
    return
  stage.interrupt(step.terminal)
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<'late'>((done) => (timer = setTimeout(() => done('late'), INTERRUPTED)))
  if ((await Promise.race([run.ended.catch(() => 'over'), patience])) === 'late') await stage.restart(step.terminal)
  clearTimeout(timer)
  await run.ended.catch(() => {})
}
