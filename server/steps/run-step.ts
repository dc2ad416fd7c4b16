import type { FallbackReason } from '../../shared/failures/fallback.ts'
import type { MissingRequirement } from '../../shared/failures/requirement.ts'
import type { Deck } from '../deck/deck.ts'
import type { Step } from '../deck/step.ts'
import { fillIn, InputError } from '../deck/inputs.ts'
import { findPortHolder } from '../environment/ports.ts'
import { describePortHolder } from '../environment/problems.ts'
import { prepareStep, type ProfileRuntime } from '../environment/profile.ts'
import type { Executor } from '../executor/executor.ts'
import type { Recorder } from '../recording/recorder.ts'
import { sessionFailureOf } from '../terminal/session-error.ts'
import type { Terminals } from '../terminal/terminals.ts'
import { RefusedError } from './refused-error.ts'
import type { Requirements } from './requirements.ts'
import type { StepBoard } from './step-board.ts'
import { type RunResult, StepRun } from './step-run.ts'

/** A request to run a step. It contains the step's id and the hash of the command on the slide, never a command. */
export interface RunRequest {
  step: string
  hash: string
  inputs: Record<string, string>
  /** The word that the user typed to confirm. */
  confirm?: string | undefined
}

/** The objects that are required to run a step. */
export interface RunContext {
  deck: Deck
  profile: ProfileRuntime
  executor: Executor
  requirements: Requirements
  terminals: Terminals
  board: StepBoard
  secrets: readonly string[]
  /** Shows the step's recording. @returns false if it has none */
  showReplay: (step: Step, reason: FallbackReason) => Promise<boolean>
  /** Called if the step exceeds its timeout. The step continues. */
  onTimeout: (step: Step) => void
  /** Whether the user interrupted the step. Its failure then does not cause a fallback. */
  wasInterrupted: (step: Step) => boolean
}

/**
 * Runs a step in its terminal: checks the request, reserves the terminal and starts the command. The step's status and
 * the returned run report the rest.
 *
 * @param record creates the recorder of the run; called after all checks have passed
 * @throws RefusedError
 */
export async function runStep(
  context: RunContext,
  request: RunRequest,
  record?: (command: string) => Recorder,
): Promise<StepRun> {
  const { terminals, requirements, board, profile, executor } = context
  const step = findStep(context.deck, request)

  const missing = [...(await requirements.missing(step)), ...(await requirements.unreachable(step))]
  const [first, ...others] = missing
  if (first) return refuseUnavailable(context, step, [first, ...others])
  if (board.status(step.id).state === 'unavailable') board.setStatus(step.id, { state: 'idle' })

  checkConfirmation(step, request)
  const command = fillInputs(step, request.inputs)

  const terminal = terminals.of(step)
  const release = terminal.reserve(step.id)
  if (!release) throw new RefusedError(busy(step, terminal.step))
  try {
    const session = await terminal.open().catch((error: unknown) => {
      throw new RefusedError({ kind: 'shell-failed', terminal: terminal.name, failure: sessionFailureOf(error) })
    })
    if (session.state.name === 'ended') await session.restart()
    const port = await requirements.usedPort(step)
    if (port !== undefined) throw new RefusedError(await portInUse(context, port))
    await prepareStep(profile, executor)
    // The user may have typed a command in the meantime.
    if (session.state.name !== 'at-prompt') throw new RefusedError(busy(step))

    terminal.showLive()
    const since = Date.now()
    board.noteRun(step)
    board.setStatus(step.id, { state: 'running', since })
    const run = new StepRun({
      step,
      command,
      session,
      executor,
      recorder: record?.(command),
      secrets: context.secrets,
      onReady: (after, url) =>
        board.setStatus(step.id, { state: 'ready', since, ...(url !== undefined && { url }), after }),
      onTimeout: () => {
        context.onTimeout(step)
        fallBack(context, step, 'timeout', { kind: 'timeout', seconds: step.contract.timeout })
      },
    })
    void followRun(context, step, run, release)
    return run
  } catch (error) {
    release()
    throw error
  }
}

function findStep(deck: Deck, { step: id, hash }: RunRequest): Step {
  const step = deck.steps.get(id)
  if (!step) throw new RefusedError({ kind: 'unknown-step', step: id })
  if (step.hash !== hash) throw new RefusedError({ kind: 'stale', step: id })
  return step
}

/** Marks a step as unavailable, and shows its recording if its contract requests that. */
async function refuseUnavailable(
  { board, showReplay }: RunContext,
  step: Step,
  missing: [MissingRequirement, ...MissingRequirement[]],
): Promise<never> {
  board.setStatus(step.id, { state: 'unavailable', missing })
  const replayed = step.contract.fallback.includes('missing') && (await showReplay(step, { kind: 'missing', missing }))
  throw new RefusedError({ kind: replayed ? 'replayed' : 'unavailable', step: step.id, missing })
}

function checkConfirmation({ contract: { confirm } }: Step, request: RunRequest): void {
  if (confirm && request.confirm?.trim() !== confirm.type)
    throw new RefusedError({ kind: 'unconfirmed', warning: confirm.warning, word: confirm.type })
}

function fillInputs(step: Step, inputs: Record<string, string>): string {
  try {
    return fillIn(step, inputs)
  } catch (error) {
    if (error instanceof InputError) throw new RefusedError({ kind: 'bad-input', message: error.message })
    throw error
  }
}

function busy({ terminal }: Step, other?: string): RefusedError['refusal'] {
  return { kind: 'busy', terminal, ...(other !== undefined && { step: other }) }
}

/** Finds the step of the deck, or the other program, that uses a port. */
async function portInUse({ deck, board }: RunContext, port: number): Promise<RefusedError['refusal']> {
  const holder = [...deck.steps.values()].find(
    ({ id, contract }) => contract.needs.ports.includes(port) && ['running', 'ready'].includes(board.status(id).state),
  )
  return {
    kind: 'port-in-use',
    port,
    holder: holder ? { step: holder.id } : { description: describePortHolder(port, await findPortHolder(port)) },
  }
}

/** Reports the result of a run, and releases its terminal at the end. */
async function followRun(context: RunContext, step: Step, run: StepRun, release: () => void): Promise<void> {
  const { board } = context
  run.kept.then(
    (result) => result.problems.length === 0 && board.setMeasured(step.id, measuresOf(result)),
    () => {},
  )
  try {
    const { exit, seconds, problems, failure } = await run.ended
    release()
    const [first, ...others] = problems
    if (exit === null) endWith(context, step, failure ?? { kind: 'closed' })
    else if (!first) board.setStatus(step.id, { state: 'succeeded', exit, seconds })
    else {
      board.setStatus(step.id, { state: 'failed', exit, seconds, problems: [first, ...others] })
      fallBack(context, step, 'failure', { kind: 'failed', problems: [first, ...others] })
    }
  } catch (error) {
    release()
    endWith(context, step, sessionFailureOf(error))
  }
}

function endWith(context: RunContext, step: Step, failure: ReturnType<typeof sessionFailureOf>): void {
  context.board.setStatus(step.id, { state: 'ended', failure })
  fallBack(context, step, 'failure', { kind: 'ended', failure })
}

function fallBack(context: RunContext, step: Step, on: 'failure' | 'timeout', reason: FallbackReason): void {
  if (!step.contract.fallback.includes(on) || (on === 'failure' && context.wasInterrupted(step))) return
  // If the recording cannot be read, the live terminal remains visible.
  context.showReplay(step, reason).catch(() => {})
}

function measuresOf({ seconds, ready, captures }: RunResult): Parameters<StepBoard['setMeasured']>[1] {
  return { date: new Date().toISOString(), seconds, ...(ready !== undefined && { ready }), captures }
}
