import { Unicode11Addon } from '@xterm/addon-unicode11'
import { Terminal } from '@xterm/xterm'
import { shallowReactive } from 'vue'
import { CAST_PATH } from '../../shared/protocol/talk.ts'
import { parseCast } from '../../shared/recording/cast.ts'
import { connection } from '../connection.ts'
import { type Snapshot, snapshotOf } from './snapshot.ts'
import { staticCast } from '../transport/static.ts'

/** The last screen that this window has seen of each terminal. */
export const snapshots = shallowReactive(new Map<string, Snapshot>())

/** Milliseconds between two stills of a terminal that writes: previews need not be livelier. */
const EVERY = 1000

/**
 * Keeps the still of a terminal that this window shows.
 *
 * @returns what takes the last one; to be called before the terminal is disposed of
 */
export function keepSnapshot(name: string, terminal: Terminal): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const take = () => {
    timer = undefined
    const snapshot = snapshotOf(terminal)
    if (snapshot) snapshots.set(name, snapshot)
  }
  const listening = terminal.onWriteParsed(() => (timer ??= setTimeout(take, EVERY)))
  return () => {
    listening.dispose()
    clearTimeout(timer)
    take()
  }
}

const recorded = new Map<string, Promise<Snapshot | undefined>>()
/** One after the other: an overview asks for all of them at once. */
let last: Promise<unknown> = Promise.resolve()

/** The end of the recording of a step; undefined where there is none that can be read. */
export function recordedSnapshot(profile: string, step: string): Promise<Snapshot | undefined> {
  const known = recorded.get(step)
  if (known) return known
  const reading = last.then(() => readRecording(profile, step)).catch(() => undefined)
  last = reading
  recorded.set(step, reading)
  return reading
}

async function readRecording(profile: string, step: string): Promise<Snapshot | undefined> {
  const text = connection.link === 'static' ? await staticCast(profile, step) : await fetchCast(step)
  if (text === undefined) return undefined
  const { header, events } = parseCast(text)
  const terminal = new Terminal({ ...header.term, allowProposedApi: true, scrollback: 0 })
  terminal.loadAddon(new Unicode11Addon())
  terminal.unicode.activeVersion = '11'
  const output = events.flatMap(({ code, data }) => (code === 'o' ? [data] : [])).join('')
  await new Promise<void>((done) => terminal.write(output, done))
  const snapshot = snapshotOf(terminal)
  terminal.dispose()
  return snapshot
}

async function fetchCast(step: string): Promise<string | undefined> {
  const answer = await fetch(`${CAST_PATH}${step}.cast`)
  return answer.ok ? answer.text() : undefined
}
