import type { Chapter, Cue, Timeline } from '../../shared/video/timeline.ts'

/** The words of a film, for players and for people. */

/** Captions as a WebVTT file (w3.org/TR/webvtt1). */
export function webVtt(cues: Cue[]): string {
  return `WEBVTT\n\n${cues.map(({ from, to, text }) => `${clock(from)} --> ${clock(to)}\n${lines(text)}\n`).join('\n')}`
}

/** Title and chapters as ffmpeg reads them (FFMETADATA1), in thousandths of a second. */
export function ffmetadata({ title, chapters, length }: Pick<Timeline, 'title' | 'chapters' | 'length'>): string {
  const ends = chapters.slice(1).map(({ time }) => time)
  const blocks = chapters.map(
    (each, index) =>
      `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${ms(each.time)}\nEND=${ms(ends[index] ?? length)}\ntitle=${escaped(each.title)}`,
  )
  return `;FFMETADATA1\ntitle=${escaped(title)}\n${blocks.join('\n')}\n`
}

/** Everything that is said and run, with its times, as Markdown. The list of times is what video sites make chapters of. */
export function transcript(
  { title, chapters, captions }: Pick<Timeline, 'title' | 'chapters' | 'captions'>,
  commands: ReadonlyMap<string, string>,
): string {
  const shown = new Set(commands.values())
  const parts = chapters.map(({ time, title, slide, step }) => {
    const command = step === undefined ? undefined : commands.get(step)
    const said = step === undefined ? captions.filter((cue) => cue.slide === slide && !shown.has(cue.text)) : []
    const body = [
      ...(command === undefined ? [] : [`\`\`\`sh\n${command}\n\`\`\``]),
      ...(said.length > 0 ? [said.map(({ text }) => text).join(' ')] : []),
    ]
    return `## ${short(time)} ${title}\n${body.map((text) => `\n${text}\n`).join('')}`
  })
  return `# ${title}\n\n${chapters.map(line).join('\n')}\n\n${parts.join('\n')}`
}

const line = ({ time, title }: Chapter) => `- ${short(time)} ${title}`
const ms = (seconds: number) => Math.round(seconds * 1000)
const escaped = (text: string) => text.replace(/[=;#\\\n]/g, (character) => `\\${character}`)

/** Two lines where one would be too long for a screen; and nothing that WebVTT takes for a tag or an arrow. */
function lines(text: string): string {
  const middle = [...text.matchAll(/ /g)]
    .map(({ index }) => index)
    .sort((a, b) => Math.abs(a - text.length / 2) - Math.abs(b - text.length / 2))[0]
  const broken =
    text.length <= 42 || text.includes('\n') || middle === undefined
      ? text
      : `${text.slice(0, middle)}\n${text.slice(middle + 1)}`
  // An empty line would end the caption.
  return broken
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/\n{2,}/g, '\n')
}

function clock(seconds: number): string {
  const rest = ms(seconds)
  const part = (unit: number, of: number, digits: number) => String(Math.floor(rest / unit) % of).padStart(digits, '0')
  return `${part(3_600_000, 100, 2)}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}.${part(1, 1000, 3)}`
}

/** `1:05`, or `1:01:05`. */
function short(seconds: number): string {
  const whole = Math.floor(seconds)
  const minutes = Math.floor(whole / 60) % 60
  const hours = Math.floor(whole / 3600)
  return `${hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}` : minutes}:${String(whole % 60).padStart(2, '0')}`
}
