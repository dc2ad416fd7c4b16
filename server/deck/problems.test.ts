import { expect, test } from 'vitest'
import { DeckError, deckProblem, newProblems } from './problems.ts'

const empty = deckProblem({ file: 'a.md', line: 3 }, { kind: 'empty-step', step: 'a' })
const prompt = deckProblem({ file: 'a.md', line: 4, slide: 1 }, { kind: 'prompt-in-command', step: 'a' })

test('an error of a deck has its errors and its warnings, and describes only its errors', () => {
  const error = new DeckError([prompt, empty])
  expect(error).toMatchObject({ problems: [empty], warnings: [prompt] })
  expect(error.message).toBe('a.md:3: step "a" is empty: write its command between the backticks')
})

test('a problem is not new if only its line or its slide has changed', () => {
  expect(newProblems([{ ...prompt, line: 9, slide: 2 }], [prompt])).toEqual([])
  expect(newProblems([prompt, { ...prompt, file: 'b.md' }], [prompt])).toEqual([{ ...prompt, file: 'b.md' }])
})
