import { Unicode11Addon } from '@xterm/addon-unicode11'
import { Terminal } from '@xterm/xterm'
import { shallowReactive } from 'vue'
import { CAST_PATH } from '../../shared/protocol/talk.ts'
import { parseCast } from '../../shared/recording/cast.ts'
import { connection } from '../connection.ts'
import { type Still, stillOf } from './snapshot.ts'
import { staticCast } from '../transport/static.ts'

/** The last screen that this window has seen of each terminal. */
export const stills = shallowReactive(new Map<string, Still>())

/** Milliseconds between two stills of a terminal that writes: previews need not be livelier. */
const EVERY = 1000

/**
 * Keeps the still of a terminal that this window shows.
 *
 * @returns what takes the last one; to be called before the terminal is disposed of
 */
export function keepStill(name: string, terminal: Terminal): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const take = () => {
    timer = undefined
    const still = stillOf(terminal)
    if (still) stills.set(name, still)
  }
  const listening = terminal.onWriteParsed(() => (timer ??= setTimeout(take, EVERY)))
  return () => {
    listening.dispose()
    clearTimeout(timer)
    take()
  }
}

const recorded = new Map<string, Promise<Still | undefined>>()
/** One after the other: an overview asks for all of them at once. */
let last: Promise<unknown> = Promise.resolve()

/** The end of the recording of a step; undefined where there is none that can be read. */
export function recordedStill(profile: string, step: string): Promise<Still | undefined> {
  const known = recorded.get(step)
  if (known) return known
  const reading = last.then(() => readRecording(profile, step)).catch(() => undefined)
  last = reading
  recorded.set(step, reading)
  return reading
}

async function readRecording(profile: string, step: string): Promise<Still | undefined> {
  const text = connection.link === 'static' ? await staticCast(profile, step) : await fetchCast(step)
  if (text === undefined) return undefined
  const { header, events } = parseCast(text)
  const terminal = new Terminal({ ...header.term, allowProposedApi: true, scrollback: 0 })
  terminal.loadAddon(new Unicode11Addon())
  terminal.unicode.activeVersion = '11'
  const output = events.flatMap(({ code, data }) => (code === 'o' ? [data] : [])).join('')
  await new Promise<void>((done) => terminal.write(output, done))
  const still = stillOf(terminal)
  terminal.dispose()
  return still
}

async function fetchCast(step: string): Promise<string | undefined> {
  const answer = await fetch(`${CAST_PATH}${step}.cast`)
  return answer.ok ? answer.text() : undefined
}
