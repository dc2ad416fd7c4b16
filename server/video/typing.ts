import { createHash } from 'node:crypto'
import xterm from '@xterm/headless'
import { type Cast, compressIdle } from '../../shared/recording/cast.ts'

/**
 * A step's recording, split at the moment when its command was entered. Recordings paste the command at once; a video
 * types it key by key instead. Times are in seconds.
 */
export interface TypedRecording {
  cols: number
  rows: number
  /** The screen contents up to the prompt. */
  prompt: string
  /** The keys of the command, with their times since the first. Empty if typing cannot replace the recorded echo. */
  keys: { time: number; text: string }[]
  /**
   * The output after Enter, with its time since then. If `keys` is empty, the first entry may be the recorded echo of
   * the command.
   */
  output: { time: number; text: string }[]
  /** Time at which the step became ready, since Enter. Undefined if it did not become ready. */
  ready: number | undefined
  /** Seconds from Enter to the end of the recording. */
  length: number
}

/** Longer pauses in the output are shortened to this length. */
const MAX_IDLE_SECONDS = 1.5
/** The pause between the last key and Enter. */
const ENTER_DELAY_SECONDS = 0.45
/** Disables bracketed paste (xterm mode 2004). Readline sends it when a line has been entered. */
const LINE_ENTERED = '\u001b[?2004l'
/** Starts inverse video. Readline echoes a paste in it first (its active region). */
const PASTE_ECHO = '\u001b[7m'

/**
 * Splits a recording and simulates the typing of its command.
 *
 * @param seed determines the rhythm: the same seed and command result in the same times
 */
export async function simulateTyping(cast: Cast, seed: string): Promise<TypedRecording> {
  const { header, events } = compressIdle(cast, MAX_IDLE_SECONDS)
  const { cols, rows } = header.term
  const outputs = events.filter(({ code }) => code === 'o')
  const entered = outputs.findIndex(({ data }) => data.includes(LINE_ENTERED))
  const echo = entered < 0 ? -1 : outputs.slice(0, entered + 1).findLastIndex(({ data }) => data.includes(PASTE_ECHO))
  const end = events.at(-1)?.time ?? 0
  const readyTime = events.find(({ code, data }) => code === 'm' && data === 'ready')?.time
  if (echo < 0) {
    const [first, ...rest] = outputs
    return {
      cols,
      rows,
      prompt: first?.data ?? '',
      keys: [],
      output: rest.map(({ time, data }) => ({ time, text: data })),
      ready: readyTime,
      length: end,
    }
  }
  const text = (from: number, to: number) =>
    outputs
      .slice(from, to)
      .map(({ data }) => data)
      .join('')
  const prompt = text(0, echo)
  const line = text(echo, entered + 1)
  const enterTime = outputs[entered]?.time ?? 0
  const lineEnd = line.indexOf(LINE_ENTERED)
  const command = (header.command ?? '').replaceAll('\n', '\r\n')
  // Typing may replace the echo only if both leave the same screen.
  const canType =
    command !== '' &&
    (await screenText(cols, rows, `${prompt}${command}\r\n`)) ===
      (await screenText(cols, rows, prompt + line.slice(0, lineEnd)))
  const output = outputs.slice(entered + 1).map(({ time, data }) => ({ time: time - enterTime, text: data }))
  return {
    cols,
    rows,
    prompt,
    keys: canType ? keystrokes(command, seed) : [],
    output: [{ time: 0, text: canType ? `\r\n${line.slice(lineEnd)}` : line }, ...output],
    ready: readyTime === undefined ? undefined : readyTime - enterTime,
    length: end - enterTime,
  }
}

/** @returns seconds from the first key to Enter; 0 if nothing is typed */
export function typingSeconds({ keys }: TypedRecording): number {
  return keys.length === 0 ? 0 : (keys.at(-1)?.time ?? 0) + ENTER_DELAY_SECONDS
}

/** Types a text like a fluent typist: about 14 keys a second, slower at the start of a word and of a line. */
function keystrokes(text: string, seed: string): TypedRecording['keys'] {
  const random = seededRandom(seed)
  let time = 0
  return [...text.matchAll(/\r\n|[^]/gu)].map(([key], index, all) => {
    const previous = all[index - 1]?.[0]
    if (previous !== undefined)
      time += (previous === '\r\n' ? 0.3 : /[\s#/.-]/.test(previous) ? 0.08 : 0.045) + random() * random() * 0.09
    return { time, text: key }
  })
}

/** Returns a generator of pseudo-random numbers from 0 to 1 (mulberry32). */
function seededRandom(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE()
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Returns the lines and the cursor position of a terminal after some output. */
async function screenText(cols: number, rows: number, output: string): Promise<string> {
  const terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true })
  await new Promise<void>((resolve) => terminal.write(output, resolve))
  const { active } = terminal.buffer
  const lines = Array.from(
    { length: rows },
    (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
  )
  terminal.dispose()
  return [...lines, active.cursorX, active.cursorY].join('\n')
}
