import { describeRefusal } from '../../shared/failures/refusal.ts'
import type { StepInfo, StepStatus } from '../../shared/protocol/state.ts'
import { connection, may } from '../store.ts'
import type { StepOnSlide } from '../visible-slide.ts'

/** The state of a step on a slide, and the actions that this window may perform on it. */
export interface StepFacts {
  step: StepOnSlide
  id: string
  terminal: string
  state: StepStatus['state']
  /** Whether the step is running, ready or not. */
  active: boolean
  pending: boolean
  /** Whether the step's terminal is running a command that was typed. */
  occupied: boolean
  /** The server's reason for refusing to run the step; undefined unless that was its last refusal. */
  refusal: string | undefined
  runnable: boolean
  interruptible: boolean
  replayable: boolean
  replaying: boolean
  /** Whether "next" runs the step. False for a step that needs inputs or a confirmation. */
  runsOnNext: boolean
}

/** The status to show beside the command. An ended run of another command says nothing about this one. */
export function shownStatus(info: StepInfo | undefined): StepStatus {
  if (!info) return { state: 'idle' }
  const { status, changed } = info
  return changed && ['succeeded', 'failed', 'ended'].includes(status.state) ? { state: 'idle' } : status
}

export function factsOf(step: StepOnSlide): StepFacts {
  const info = connection.steps[step.id]
  const terminal = info?.terminal ?? step.id
  const { state } = shownStatus(info)
  const active = state === 'running' || state === 'ready'
  const occupied = !active && connection.terminals[terminal]?.state.state === 'busy'
  const refusal =
    connection.refused?.step === step.id && state !== 'unavailable'
      ? describeRefusal(connection.refused.refusal)
      : undefined
  const canPlay = connection.link === 'open' || (connection.link === 'static' && info?.recording !== undefined)
  return {
    step,
    id: step.id,
    terminal,
    state,
    active,
    pending: step.pending,
    occupied,
    refusal,
    runnable: may('run') && canPlay && !active && !step.pending,
    interruptible: (active && may('run')) || (refusal !== undefined && occupied),
    replayable: info?.recording !== undefined && may('replay') && connection.link !== 'static',
    replaying: connection.terminals[terminal]?.replay?.step === step.id,
    runsOnNext: step.runOnNext && !info?.confirm && Object.keys(info?.inputs ?? {}).length === 0,
  }
}
