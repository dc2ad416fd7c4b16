import { expect, test } from 'vitest'
import { clickTimes, cuesOf, speechLength, speechOf } from './narration.ts'

test('notes are spoken without their Markdown, and clicks stand between words', () => {
  const speech = speechOf(
    'Say **this** [early](https://example.org): `nix run`.\n\n[click] Then that.\n\n[click:2] <https://a.example>',
  )
  expect(speech).toEqual({
    words: ['Say', 'this', 'early:', 'nix', 'run.', 'Then', 'that.', 'https://a.example'],
    clicks: [5, 7, 7],
  })
  expect(speechLength({ words: Array<string>(75).fill('word'), clicks: [] })).toBe(30)
})

test('a click is done where the notes say so, and evenly where they say it less often than the slide has clicks', () => {
  const speech = speechOf('one two three [click] four')
  expect(clickTimes(speech, 1, 8)).toEqual([6])
  expect(clickTimes(speech, 3, 8)).toEqual([2, 4, 6])
  expect(clickTimes(speechOf(''), 1, 4)).toEqual([2])
})

test('captions follow each other without a gap, none longer than two lines, with every word once', () => {
  const speech = speechOf(`${'A sentence that goes on. '.repeat(12)}${'word '.repeat(60)}`)
  const cues = cuesOf(speech, 3, 10, 50)
  expect(cues.map(({ text }) => text).join(' ')).toBe(speech.words.join(' '))
  expect(Math.max(...cues.map(({ text }) => text.length))).toBeLessThanOrEqual(84)
  expect(cues[0]?.from).toBe(10)
  expect(cues.at(-1)?.to).toBe(60)
  for (const [index, cue] of cues.slice(1).entries()) expect(cue.from).toBe(cues[index]?.to)
})
