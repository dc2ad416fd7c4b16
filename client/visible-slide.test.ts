import { afterEach, expect, test } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { connection } from './store.ts'
import { registerStep, type StepOnSlide, visibleSteps } from './visible-slide.ts'

const step = (id: string): StepOnSlide => ({
  id,
  hash: '',
  command: id,
  runOnNext: false,
  form: { confirming: false, inputs: {}, confirmation: '' },
  pending: false,
  copied: false,
})
const visibleIds = () => visibleSteps().map(({ id }) => id)

afterEach(() => {
  connection.steps = {}
})

test('visible steps are in the order of the deck, not of their registration', () => {
  const info = (id: string) => ({
    id,
    slide: 1,
    terminal: id,
    hash: '',
    inputs: {},
    status: { state: 'idle' as const },
  })
  connection.steps = { first: info('first'), second: info('second') }
  const scope = effectScope()
  scope.run(() => {
    for (const id of ['second', 'first']) registerStep(step(id), () => true)
  })
  expect(visibleIds()).toEqual(['first', 'second'])
  scope.stop()
})

test('a step is registered only while its slide is visible', async () => {
  const isVisible = ref(false)
  const scope = effectScope()
  scope.run(() => registerStep(step('first'), () => isVisible.value))
  expect(visibleIds()).toEqual([])
  isVisible.value = true
  await nextTick()
  expect(visibleIds()).toEqual(['first'])
  isVisible.value = false
  await nextTick()
  expect(visibleIds()).toEqual([])
  scope.stop()
})

test('a step is removed when its component is unmounted', () => {
  const scope = effectScope()
  scope.run(() => registerStep(step('first'), () => true))
  expect(visibleIds()).toEqual(['first'])
  scope.stop()
  expect(visibleIds()).toEqual([])
})
