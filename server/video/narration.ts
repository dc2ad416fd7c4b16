import type { Cue } from '../../shared/video/timeline.ts'

/** The speaker's notes as they are spoken. */
export interface Speech {
  words: string[]
  /** Before which word each `[click]` stands. */
  clicks: number[]
}

/** Words a minute: the pace of somebody who is to be understood. */
const PACE = 150
/** Characters of a caption: two lines of 42, as broadcasters have it. */
const CAPTION = 84

/** @param note of a slide, in Markdown, with Slidev's `[click]` marks */
export function speechOf(note: string): Speech {
  const words: string[] = []
  const clicks: number[] = []
  const plain = note
    .replace(/<!--[^]*?-->/g, '')
    .replace(/!?\[([^\]]*)\]\(([^)]*)\)/g, '$1')
    .replace(/<(https?:[^>]*)>/g, '$1')
    .replace(/(\*\*|__|`|^#+\s|^\s*[-*]\s)/gm, '')
  for (const part of plain
    .split(/\[click(?::(\d+))?\]/)
    .map((text, index) => (index % 2 === 0 ? text : Number(text ?? 1)))) {
    if (typeof part === 'number') for (let each = 0; each < part; each++) clicks.push(words.length)
    else words.push(...part.split(/\s+/).filter(Boolean))
  }
  return { words, clicks }
}

/** Seconds that it takes to say it. */
export function speechLength({ words }: Speech): number {
  return (words.length / PACE) * 60
}

/**
 * When each click of a slide is done: where the notes say so, or else spread evenly.
 *
 * @param count of the slide
 * @param length seconds of the speech
 * @returns seconds since the slide began
 */
export function clickTimes({ words, clicks }: Speech, count: number, length: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const at = clicks[index]
    return at === undefined || words.length === 0 || clicks.length < count
      ? ((index + 1) / (count + 1)) * length
      : (at / words.length) * length
  })
}

/** The captions of a slide's speech. @param from when it begins, in seconds of the film */
export function cuesOf({ words }: Speech, slide: number, from: number, length: number): Cue[] {
  const cues: Cue[] = []
  const at = (word: number) => from + (word / words.length) * length
  let first = 0
  for (let word = 0; word < words.length; word++) {
    const text = words.slice(first, word + 1).join(' ')
    const next = words[word + 1]
    const full = next === undefined || text.length + 1 + next.length > CAPTION
    // A sentence that has come far enough ends its caption.
    if (!full && !(/[.!?:]$/.test(text) && text.length > CAPTION / 2)) continue
    cues.push({ from: at(first), to: at(word + 1), slide, text })
    first = word + 1
  }
  return cues
}
