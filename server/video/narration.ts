import type { Cue } from '../../shared/video/timeline.ts'

/** The text of a slide's speaker notes, as it is spoken. */
export interface Speech {
  words: string[]
  /** For each `[click]` mark, the index of the word that follows it. */
  clicks: number[]
}

/** A pace that listeners can follow easily. */
const WORDS_PER_MINUTE = 150
/** Two lines of 42 characters, the limit that broadcasters use. */
const MAX_CAPTION_CHARACTERS = 84

/** @param note a slide's notes in Markdown, with Slidev's `[click]` marks */
export function parseNotes(note: string): Speech {
  const words: string[] = []
  const clicks: number[] = []
  const plain = note
    .replace(/<!--[^]*?-->/g, '')
    .replace(/!?\[([^\]]*)\]\(([^)]*)\)/g, '$1')
    .replace(/<(https?:[^>]*)>/g, '$1')
    .replace(/(\*\*|__|`|^#+\s|^\s*[-*]\s)/gm, '')
  // The capture group makes split() alternate between text and click counts. A plain [click] gives undefined.
  const parts = plain.split(/\[click(?::(\d+))?\]/) as (string | undefined)[]
  for (const [index, part] of parts.entries()) {
    if (index % 2 === 0) words.push(...(part ?? '').split(/\s+/).filter(Boolean))
    else clicks.push(...Array<number>(Number(part ?? 1)).fill(words.length))
  }
  return { words, clicks }
}

/** @returns the duration of the speech, in seconds */
export function speechSeconds({ words }: Speech): number {
  return (words.length / WORDS_PER_MINUTE) * 60
}

/**
 * Schedules the clicks of a slide: at the `[click]` marks, or evenly if there are fewer marks than clicks.
 *
 * @param count number of clicks of the slide
 * @param length seconds of the speech
 * @returns times in seconds since the slide was shown
 */
export function clickTimes({ words, clicks }: Speech, count: number, length: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const word = clicks[index]
    return word === undefined || words.length === 0 || clicks.length < count
      ? ((index + 1) / (count + 1)) * length
      : (word / words.length) * length
  })
}

/**
 * Divides the speech of a slide into captions.
 *
 * @param start time at which the speech starts, in seconds since the first frame of the video
 * @param length seconds of the speech
 */
export function captionCues({ words }: Speech, slide: number, start: number, length: number): Cue[] {
  const cues: Cue[] = []
  const timeOf = (word: number) => start + (word / words.length) * length
  let first = 0
  for (let word = 0; word < words.length; word++) {
    const text = words.slice(first, word + 1).join(' ')
    const next = words[word + 1]
    const isFull = next === undefined || text.length + 1 + next.length > MAX_CAPTION_CHARACTERS
    // The end of a sentence ends a caption that is at least half full.
    const isSentenceEnd = /[.!?:]$/.test(text) && text.length > MAX_CAPTION_CHARACTERS / 2
    if (!isFull && !isSentenceEnd) continue
    cues.push({ from: timeOf(first), to: timeOf(word + 1), slide, text })
    first = word + 1
  }
  return cues
}
