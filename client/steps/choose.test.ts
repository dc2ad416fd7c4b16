import { expect, test } from 'vitest'
import { decideNext, firstOpen, stepToInterrupt, stepToReplay, stepToRun } from './choose.ts'
import type { StepFacts } from './step-facts.ts'

type Facts = Omit<StepFacts, 'step' | 'terminal' | 'active' | 'occupied' | 'refusal'>

const step = (id: string, facts: Partial<Facts> = {}): Facts => ({
  id,
  state: 'idle',
  pending: false,
  runnable: true,
  interruptible: false,
  replayable: false,
  replaying: false,
  runsOnNext: false,
  ...facts,
})
const next = (options: Partial<Parameters<typeof decideNext<Facts>>[0]> = {}) =>
  decideNext({ replays: [], steps: [], clicksLeft: false, waitedFor: undefined, ...options })

test('a key acts on the first step that has not succeeded', () => {
  expect(firstOpen([step('a', { state: 'succeeded' }), step('b', { state: 'failed' }), step('c')])?.id).toBe('b')
})

test('a key acts on the first step if all have succeeded', () => {
  expect(firstOpen([step('a', { state: 'succeeded' }), step('b', { state: 'succeeded' })])?.id).toBe('a')
})

test('a key does nothing on a slide without steps', () => {
  expect(firstOpen([])).toBeUndefined()
})

test('"run" skips steps that cannot run', () => {
  expect(stepToRun([step('a', { runnable: false }), step('b')])?.id).toBe('b')
  expect(stepToRun([step('a', { runnable: false })])).toBeUndefined()
})

test('"interrupt" acts on the step that can be interrupted', () => {
  expect(stepToInterrupt([step('a'), step('b', { interruptible: true })])?.id).toBe('b')
})

test('"replay" prefers the step whose replay is shown, even if it has succeeded', () => {
  const shown = step('b', { state: 'succeeded', replayable: true, replaying: true })
  expect(stepToReplay([step('a', { replayable: true }), shown])?.id).toBe('b')
})

test('"replay" skips steps without a recording', () => {
  expect(stepToReplay([step('a'), step('b', { replayable: true })])?.id).toBe('b')
})

test('"next" turns a slide that has neither replays nor steps to run', () => {
  expect(next()).toEqual({ do: 'turn' })
  expect(next({ steps: [step('a')] })).toEqual({ do: 'turn' })
})

test('"next" advances a paused replay to its next pause before anything else', () => {
  const replays = [{ terminal: 'one', playback: 'paused', controllable: true } as const]
  expect(next({ replays, clicksLeft: true, steps: [step('a', { runsOnNext: true })] })).toEqual({
    do: 'step-replay',
    terminal: 'one',
  })
})

test('"next" does nothing while a replay advances to its next pause', () => {
  expect(next({ replays: [{ terminal: 'one', playback: 'stepping', controllable: true }] })).toEqual({ do: 'nothing' })
})

test('"next" turns the slide when a replay plays, is over, or cannot be controlled', () => {
  for (const replay of [
    { playback: 'playing', controllable: true },
    { playback: 'over', controllable: true },
    { playback: 'paused', controllable: false },
  ] as const)
    expect(next({ replays: [{ terminal: 'one', ...replay }] })).toEqual({ do: 'turn' })
})

test('"next" finishes the clicks of a slide before it runs a step', () => {
  expect(next({ clicksLeft: true, steps: [step('a', { runsOnNext: true })] })).toEqual({ do: 'turn' })
})

test('"next" runs the steps of a slide in their order', () => {
  const [first, second] = [step('a', { runsOnNext: true, state: 'succeeded' }), step('b', { runsOnNext: true })]
  expect(next({ steps: [first, second] })).toEqual({ do: 'run', step: second })
})

test('"next" waits once for a running step while others are left, then turns the slide', () => {
  const steps = [step('a', { runsOnNext: true, state: 'running' }), step('b', { runsOnNext: true })]
  expect(next({ steps })).toEqual({ do: 'wait-for', step: 'a' })
  expect(next({ steps, waitedFor: 'a' })).toEqual({ do: 'turn' })
})

test('"next" waits for a step that was requested and has no status yet', () => {
  expect(next({ steps: [step('a', { runsOnNext: true, pending: true })] })).toEqual({ do: 'wait-for', step: 'a' })
})

test('"next" turns the slide if its next step cannot run', () => {
  expect(next({ steps: [step('a', { runsOnNext: true, runnable: false })] })).toEqual({ do: 'turn' })
})
