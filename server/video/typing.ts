import { createHash } from 'node:crypto'
import xterm from '@xterm/headless'
import { type Cast, compressIdle } from '../../shared/recording/cast.ts'

/** A recording, taken apart into what a hand types and what the machine answers. Times are in seconds. */
export interface Scene {
  cols: number
  rows: number
  /** The screen at the prompt. */
  before: string
  /** The command as it is typed, one key after the other, with the time of each since the first. Empty where the recording does not show it being typed. */
  keys: { time: number; text: string }[]
  /** What followed the last key, with the time since then: the first may be the echo of a command that was not typed. */
  output: { time: number; text: string }[]
  /** When the step was ready, since the last key. */
  ready: number | undefined
  /** Seconds from the last key to the end. */
  length: number
}

/** Seconds that nothing may happen. */
const IDLE = 1.5
/** What readline sends when a line is over: it takes pastes no more. (Bracketed paste, xterm's control sequences, mode 2004.) */
const ENTERED = '\u001b[?2004l'
/** A paste is echoed in inverse video first (readline's active region). */
const PASTE = '\u001b[7m'
/** Seconds from the last key to Enter. */
const ENTER = 0.45

/** @param seed the same rhythm whenever the same is typed: the id of the step */
export async function sceneOf(cast: Cast, seed: string): Promise<Scene> {
  const { header, events } = compressIdle(cast, IDLE)
  const { cols, rows } = header.term
  const shown = events.filter(({ code }) => code === 'o')
  const entered = shown.findIndex(({ data }) => data.includes(ENTERED))
  const echo = entered < 0 ? -1 : shown.slice(0, entered + 1).findLastIndex(({ data }) => data.includes(PASTE))
  const last = events.at(-1)?.time ?? 0
  const readyAt = events.find(({ code, data }) => code === 'm' && data === 'ready')?.time
  if (echo < 0) {
    const [first, ...rest] = shown
    return {
      cols,
      rows,
      before: first?.data ?? '',
      keys: [],
      output: rest.map(({ time, data }) => ({ time, text: data })),
      ready: readyAt,
      length: last,
    }
  }
  const before = shown
    .slice(0, echo)
    .map(({ data }) => data)
    .join('')
  const end = shown[entered]?.time ?? 0
  const line = shown
    .slice(echo, entered + 1)
    .map(({ data }) => data)
    .join('')
  const cut = line.indexOf(ENTERED)
  const typed = (header.command ?? '').replaceAll('\n', '\r\n')
  const same =
    typed !== '' &&
    (await screen(cols, rows, `${before}${typed}\r\n`)) === (await screen(cols, rows, before + line.slice(0, cut)))
  const output = shown.slice(entered + 1).map(({ time, data }) => ({ time: time - end, text: data }))
  return {
    cols,
    rows,
    before,
    keys: same ? rhythm(typed, seed) : [],
    // Typed by hand, the line ends by Enter; otherwise it is there at once, as it was pasted.
    output: [{ time: 0, text: same ? `\r\n${line.slice(cut)}` : line }, ...output],
    ready: readyAt === undefined ? undefined : readyAt - end,
    length: last - end,
  }
}

/** Seconds from the first key to the moment at which the command begins. */
export function typingLength({ keys }: Scene): number {
  return keys.length === 0 ? 0 : (keys.at(-1)?.time ?? 0) + ENTER
}

/**
 * The keys of a text, at the pace of somebody who knows what to type: some fourteen a second, slower where a word begins, and a breath where a line does.
 */
function rhythm(text: string, seed: string): Scene['keys'] {
  const random = randomOf(seed)
  let time = 0
  return [...text.matchAll(/\r\n|[^]/gu)].map(([key], index, all) => {
    const previous = all[index - 1]?.[0]
    if (previous !== undefined)
      time += (previous === '\r\n' ? 0.3 : /[\s#/.-]/.test(previous) ? 0.08 : 0.045) + random() * random() * 0.09
    return { time, text: key }
  })
}

/** Numbers from 0 to 1 that follow from a text (mulberry32). */
function randomOf(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE()
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What a terminal shows after some output: its lines and where the cursor is. */
async function screen(cols: number, rows: number, output: string): Promise<string> {
  const terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true })
  await new Promise<void>((done) => terminal.write(output, done))
  const { active } = terminal.buffer
  const lines = Array.from(
    { length: rows },
    (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
  )
  terminal.dispose()
  return [...lines, active.cursorX, active.cursorY].join('\n')
}
