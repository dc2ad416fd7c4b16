import { expect, test } from 'vitest'
import { captionCues, clickTimes, parseNotes, speechSeconds } from './narration.ts'

test('parseNotes removes Markdown and records the word after each [click] mark', () => {
  const speech = parseNotes(
    'Say **this** [early](https://example.org): `nix run`.\n\n[click] Then that.\n\n[click:2] <https://a.example>',
  )
  expect(speech).toEqual({
    words: ['Say', 'this', 'early:', 'nix', 'run.', 'Then', 'that.', 'https://a.example'],
    clicks: [5, 7, 7],
  })
})

test('75 words take 30 seconds', () => {
  expect(speechSeconds({ words: Array<string>(75).fill('word'), clicks: [] })).toBe(30)
})

test('a click happens at its [click] mark', () => {
  expect(clickTimes(parseNotes('one two three [click] four'), 1, 8)).toEqual([6])
})

test('clicks are spread evenly if the notes have fewer marks than the slide has clicks', () => {
  expect(clickTimes(parseNotes('one two three [click] four'), 3, 8)).toEqual([2, 4, 6])
  expect(clickTimes(parseNotes(''), 1, 4)).toEqual([2])
})

test('captions contain every word once, follow each other without gaps and fit on two lines', () => {
  const speech = parseNotes(`${'A sentence of five words. '.repeat(12)}${'word '.repeat(60)}`)
  const cues = captionCues(speech, 3, 10, 50)
  expect(cues.map(({ text }) => text).join(' ')).toBe(speech.words.join(' '))
  expect(Math.max(...cues.map(({ text }) => text.length))).toBeLessThanOrEqual(84)
  expect(cues[0]?.from).toBe(10)
  expect(cues.at(-1)?.to).toBe(60)
  for (const [index, cue] of cues.slice(1).entries()) expect(cue.from).toBe(cues[index]?.to)
})
