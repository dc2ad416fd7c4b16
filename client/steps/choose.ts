import type { PlaybackState } from '../terminal/playback-state.ts'
import type { StepFacts } from './step-facts.ts'

/** Chooses the step of the visible slide that a key acts on, and the action of "next". */

type Candidate = Pick<StepFacts, 'state'>

/** The first step that has not succeeded; if all have, the first. */
export function firstOpen<Step extends Candidate>(steps: Step[]): Step | undefined {
  return steps.find(({ state }) => state !== 'succeeded') ?? steps[0]
}

export function stepToRun<Step extends Candidate & Pick<StepFacts, 'runnable'>>(steps: Step[]): Step | undefined {
  return firstOpen(steps.filter(({ runnable }) => runnable))
}

export function stepToInterrupt<Step extends Candidate & Pick<StepFacts, 'interruptible'>>(
  steps: Step[],
): Step | undefined {
  return firstOpen(steps.filter(({ interruptible }) => interruptible))
}

/**
 * The step whose replay is shown, so that the same key ends it; otherwise the first step with a recording that has not
 * succeeded.
 */
export function stepToReplay<Step extends Candidate & Pick<StepFacts, 'replayable' | 'replaying'>>(
  steps: Step[],
): Step | undefined {
  const replayable = steps.filter((step) => step.replayable)
  return replayable.find(({ replaying }) => replaying) ?? firstOpen(replayable)
}

type NextCandidate = Candidate & Pick<StepFacts, 'id' | 'runnable' | 'pending' | 'runsOnNext'>

/** The action of "next". */
export type NextAction<Step> =
  /** A replay is advancing to its next pause: a second press must not turn the slide. */
  | { do: 'nothing' }
  | { do: 'step-replay'; terminal: string }
  /** Ignores this press, because a step is running: the next press turns the slide. */
  | { do: 'wait-for'; step: string }
  | { do: 'run'; step: Step }
  | { do: 'turn' }

/**
 * Chooses the action of "next".
 *
 * @param replays the replays on the slide
 * @param steps the steps of the slide, in the order of the deck
 * @param clicksLeft whether the slide has clicks left
 * @param waitedFor id of the running step for which an earlier press was ignored
 */
export function decideNext<Step extends NextCandidate>({
  replays,
  steps,
  clicksLeft,
  waitedFor,
}: {
  replays: { terminal: string; playback: PlaybackState; controllable: boolean }[]
  steps: Step[]
  clicksLeft: boolean
  waitedFor: string | undefined
}): NextAction<Step> {
  if (replays.some(({ playback }) => playback === 'stepping')) return { do: 'nothing' }
  const paused = replays.find(({ playback, controllable }) => playback === 'paused' && controllable)
  if (paused) return { do: 'step-replay', terminal: paused.terminal }
  if (clicksLeft) return { do: 'turn' }

  const candidates = steps.filter(({ runsOnNext }) => runsOnNext)
  const first = candidates.find(({ state }) => state === 'idle')
  if (!first) return { do: 'turn' }
  const running = candidates.find(({ state, pending }) => state === 'running' || pending)
  if (running) return running.id === waitedFor ? { do: 'turn' } : { do: 'wait-for', step: running.id }
  return first.runnable ? { do: 'run', step: first } : { do: 'turn' }
}
