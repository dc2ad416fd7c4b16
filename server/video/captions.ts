import type { Chapter, Cue, Timeline } from '../../shared/video/timeline.ts'

/** The text files of a video: captions, chapters and transcript. */

/** Captions longer than this are broken into two lines. */
const MAX_LINE_CHARACTERS = 42

/** @returns captions in WebVTT (w3.org/TR/webvtt1) */
export function webVtt(cues: Cue[]): string {
  const blocks = cues.map(({ from, to, text }) => `${timestamp(from)} --> ${timestamp(to)}\n${captionText(text)}\n`)
  return `WEBVTT\n\n${blocks.join('\n')}`
}

/** @returns title and chapters in ffmpeg's metadata format (FFMETADATA1) */
export function ffmetadata({ title, chapters, length }: Pick<Timeline, 'title' | 'chapters' | 'length'>): string {
  const blocks = chapters.map((chapter, index) => {
    const end = chapters[index + 1]?.time ?? length
    return `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${toMs(chapter.time)}\nEND=${toMs(end)}\ntitle=${escaped(chapter.title)}`
  })
  return `;FFMETADATA1\ntitle=${escaped(title)}\n${blocks.join('\n')}\n`
}

/**
 * Writes the narration and the commands with their times. Video sites turn its list of times into chapters.
 *
 * @param commands by step id
 * @returns Markdown
 */
export function transcript(
  { title, chapters, captions }: Pick<Timeline, 'title' | 'chapters' | 'captions'>,
  commands: ReadonlyMap<string, string>,
): string {
  const commandTexts = new Set(commands.values())
  const sections = chapters.map(({ time, title, slide, step }) => {
    const command = step === undefined ? undefined : commands.get(step)
    // The caption of a step's video is its command, which the code block already shows.
    const speech =
      step === undefined ? captions.filter((cue) => cue.slide === slide && !commandTexts.has(cue.text)) : []
    const paragraphs = [
      ...(command === undefined ? [] : [`\`\`\`sh\n${command}\n\`\`\``]),
      ...(speech.length > 0 ? [speech.map(({ text }) => text).join(' ')] : []),
    ]
    return `## ${shortTime(time)} ${title}\n${paragraphs.map((text) => `\n${text}\n`).join('')}`
  })
  return `# ${title}\n\n${chapters.map(listItem).join('\n')}\n\n${sections.join('\n')}`
}

const listItem = ({ time, title }: Chapter) => `- ${shortTime(time)} ${title}`
const toMs = (seconds: number) => Math.round(seconds * 1000)
const escaped = (text: string) => text.replace(/[=;#\\\n]/g, (character) => `\\${character}`)

/** Breaks a long caption near its middle and escapes it for WebVTT. */
function captionText(text: string): string {
  const middle = [...text.matchAll(/ /g)]
    .map(({ index }) => index)
    .sort((a, b) => Math.abs(a - text.length / 2) - Math.abs(b - text.length / 2))[0]
  const broken =
    text.length <= MAX_LINE_CHARACTERS || text.includes('\n') || middle === undefined
      ? text
      : `${text.slice(0, middle)}\n${text.slice(middle + 1)}`
  return (
    broken
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      // An empty line would end the caption.
      .replace(/\n{2,}/g, '\n')
  )
}

/** Formats a time for WebVTT, such as `01:01:01.500`. */
function timestamp(seconds: number): string {
  const ms = toMs(seconds)
  const part = (unitMs: number, modulus: number, digits: number) =>
    String(Math.floor(ms / unitMs) % modulus).padStart(digits, '0')
  return `${part(3_600_000, 100, 2)}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}.${part(1, 1000, 3)}`
}

/** Formats a time as `1:05` or `1:01:05`. */
function shortTime(seconds: number): string {
  const whole = Math.floor(seconds)
  const minutes = Math.floor(whole / 60) % 60
  const hours = Math.floor(whole / 3600)
  const twoDigits = (value: number) => String(value).padStart(2, '0')
  return `${hours > 0 ? `${hours}:${twoDigits(minutes)}` : minutes}:${twoDigits(whole % 60)}`
}
