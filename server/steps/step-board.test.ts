import { expect, test } from 'vitest'
import { contractSchema } from '../../shared/deck/contract.ts'
import type { Step } from '../deck/step.ts'
import { StepBoard } from './step-board.ts'

const step = (hash: string): Step => ({
  id: 'a',
  command: hash,
  hash,
  terminal: 'a',
  contract: contractSchema.parse({}),
  slide: 1,
  slides: [1],
  place: { file: 'slides.md' },
})

test('a step has changed if its command is not that of its last run', () => {
  const board = new StepBoard()
  const changed = (hash: string) =>
    board.list({ steps: new Map([['a', step(hash)]]) }, () => undefined).map((info) => info.changed ?? false)
  expect(changed('two')).toEqual([false])
  board.noteRun(step('one'))
  expect(changed('one')).toEqual([false])
  expect(changed('two')).toEqual([true])
  board.clear()
  expect(changed('two')).toEqual([false])
})
