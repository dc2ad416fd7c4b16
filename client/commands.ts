import type { PlaybackAction } from '../shared/recording/player.ts'
import { nextSize, shared } from './shared-state.ts'
import { connection, may, send } from './connection.ts'
import { decideNext, firstOpen, stepToInterrupt, stepToReplay, stepToRun } from './steps/choose.ts'
import { factsOf } from './steps/step-facts.ts'
import { playbackState } from './terminal/playback-state.ts'
import { type StepOnSlide, visiblePages, visibleSteps, visibleTerminals } from './visible-slide.ts'

/**
 * The commands of a user on a slide. Buttons, keys, the clicker and the remote control all call these functions.
 */

/** Runs a step with the values of its form. If the step needs a confirmation, opens the confirmation field first. */
export function run(step: StepOnSlide): void {
  const info = connection.steps[step.id]
  const { form } = step
  // Running an unavailable step makes the server check again, which needs no confirmation.
  if (connection.link === 'open' && info?.confirm && !form.confirming && info.status.state !== 'unavailable') {
    form.confirming = true
    return
  }
  step.pending = connection.link === 'open'
  requestRun(step, form.inputs, info?.confirm ? form.confirmation : undefined)
  form.confirmation = ''
  form.confirming = false
}

/** Asks the server to run a step with the given values. */
export function requestRun(
  { id, hash }: { id: string; hash: string },
  inputs: Record<string, string> = {},
  confirm?: string,
): void {
  connection.refused = undefined
  send({ type: 'run', step: id, hash, inputs, confirm })
}

/** Sends Ctrl-C to a terminal. */
export function interrupt(terminal: string): void {
  send({ type: 'interrupt', terminal })
}

/** Stops everything in a terminal and starts a new shell. */
export function restart(terminal: string): void {
  send({ type: 'restart', terminal })
}

/** Duration for which the copy button shows a check mark. */
const COPIED_MS = 1500

/** Puts the command of a step on the clipboard. */
export async function copyCommand(step: StepOnSlide): Promise<void> {
  await navigator.clipboard.writeText(step.command)
  step.copied = true
  setTimeout(() => (step.copied = false), COPIED_MS)
}

/** Shows the recording of a step in its terminal, or returns the terminal to its live screen. */
export function toggleReplay(step: string): void {
  connection.refused = undefined
  send({ type: 'replay', step, on: !isReplaying(step) })
}

/** Whether the terminal of a step shows the step's recording. */
export function isReplaying(step: string): boolean {
  return connection.terminals[connection.steps[step]?.terminal ?? '']?.replay?.step === step
}

/** Controls the replay in a terminal. */
export function playback(terminal: string, action: PlaybackAction): void {
  send({ type: 'playback', terminal, action })
}

/** Plays the replay in a terminal, or pauses it. */
export function togglePlayback(terminal: string): void {
  playback(terminal, connection.terminals[terminal]?.replay?.playing ? 'pause' : 'play')
}

/** Maximizes a terminal in every window, or restores its size. */
export function setMaximized(terminal: string, maximized: boolean): void {
  shared.large[terminal] = maximized
}

/** Changes the size of the page of a step: card, whole stage, hidden, card. */
export function cyclePageSize(step: string): void {
  shared.pages[step] = nextSize(shared.pages[step] ?? 'card')
}

/** Shows the audience's link as a QR code in every window, or hides it. */
export function toggleShareCode(): void {
  if (connection.share.audience) shared.code = !shared.code
}

/** Moves the focus to the terminal of the visible slide. */
export function focusTerminal(): void {
  visibleTerminals()[0]?.focus()
}

/** Stops everything in all terminals and resets the working directory. */
export function resetStage(): void {
  send({ type: 'reset-stage' })
}

/** Requests a new diagnosis of this machine. */
export function diagnose(): void {
  connection.diagnosis = undefined
  send({ type: 'diagnose' })
}

/** Hides the last refusal. */
export function dismissRefusal(): void {
  connection.refused = undefined
}

/** Slidev's navigation. */
export interface Navigation {
  next: () => unknown
  previous: () => unknown
  /** Whether the visible slide has clicks left. */
  clicksLeft: () => boolean
}

let navigation: Navigation | undefined
/** Id of the running step for which "next" has ignored a press; another press turns the slide. */
let waitedFor: string | undefined

/** Sets the navigation that `next` and `previous` use. */
export function setNavigation(slidev: Navigation): void {
  navigation = slidev
}

/** Advances a paused replay, runs the next step if the deck enables that, or goes to the next click or slide. */
export function next(): void {
  const action = decideNext({
    replays: visibleReplays().map(({ terminal, replay }) => ({
      terminal,
      playback: playbackState(replay),
      controllable: may('replay'),
    })),
    steps: visibleSteps().map(factsOf),
    clicksLeft: navigation?.clicksLeft() ?? false,
    waitedFor,
  })
  switch (action.do) {
    case 'nothing':
      return
    case 'step-replay':
      playback(action.terminal, 'step')
      return
    case 'wait-for':
      waitedFor = action.step
      return
    case 'run':
      waitedFor = undefined
      run(action.step.step)
      return
    case 'turn':
      navigation?.next()
  }
}

/** Goes to the previous click or slide. */
export function previous(): void {
  navigation?.previous()
}

/** Goes one click forward or back in a window that shows the slides, since the remote control shows none. */
export function turnRemotely(by: 1 | -1): void {
  send({ type: 'turn', by })
}

const visibleReplays = () =>
  visibleTerminals().flatMap(({ name }) => {
    const replay = connection.terminals[name]?.replay
    return replay ? [{ terminal: name, replay }] : []
  })

/**
 * The commands of the keys, which act on the visible slide. Most act on its first step that has not succeeded; some
 * choose another step, such as the one that is running.
 */
export const keyCommands = {
  run: () => onStep(stepToRun, ({ step }) => run(step)),
  interrupt: () => onStep(stepToInterrupt, ({ terminal }) => interrupt(terminal)),
  restart: () => may('type') && onStep(firstOpen, ({ terminal }) => restart(terminal)),
  copyCommand: () => onStep(firstOpen, ({ step }) => void copyCommand(step)),
  toggleReplay: () => {
    const step = stepToReplay(visibleSteps().map(factsOf))?.id
    // A slide may show a terminal of another slide's step.
    const shown = may('replay') && connection.link !== 'static' ? visibleReplays()[0]?.replay.step : undefined
    const id = step ?? shown
    if (id !== undefined) toggleReplay(id)
  },
  togglePlayback: () => {
    if (!may('replay')) return
    const replays = visibleReplays()
    const chosen = replays.find(({ replay }) => replay.playing) ?? replays[0]
    if (chosen) togglePlayback(chosen.terminal)
  },
  cyclePageSize: () => {
    const page = visiblePages()[0]
    if (page) cyclePageSize(page.step)
  },
}

type Facts = ReturnType<typeof factsOf>

function onStep(choose: (steps: Facts[]) => Facts | undefined, act: (step: Facts) => void): void {
  const step = choose(visibleSteps().map(factsOf))
  if (step) act(step)
}
