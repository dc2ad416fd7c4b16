import type { Terminal } from '@xterm/xterm'
import { shallowReactive } from 'vue'
import { CAST_PATH } from '../../shared/protocol/talk.ts'
import { parseCast } from '../../shared/recording/cast.ts'
import { connection } from '../connection.ts'
import { loadTerminal } from './load-terminal.ts'
import { type Snapshot, snapshotOf } from './snapshot.ts'
import { staticCast } from '../transport/static.ts'

/** The last screen that this window has shown of each terminal. */
export const snapshots = shallowReactive(new Map<string, Snapshot>())

/** Interval between snapshots of a terminal with output. Frequent enough for previews. */
const SNAPSHOT_INTERVAL_MS = 1000

/**
 * Keeps the snapshot of a terminal up to date.
 *
 * @returns a function that captures a last snapshot and stops; call it before the terminal is disposed of
 */
export function keepSnapshot(name: string, terminal: Terminal): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const capture = () => {
    timer = undefined
    const snapshot = snapshotOf(terminal)
    if (snapshot) snapshots.set(name, snapshot)
  }
  const subscription = terminal.onWriteParsed(() => (timer ??= setTimeout(capture, SNAPSHOT_INTERVAL_MS)))
  return () => {
    subscription.dispose()
    clearTimeout(timer)
    capture()
  }
}

const recorded = new Map<string, Promise<Snapshot | undefined>>()
/** The last read that was started. An overview requests all recordings at once; they are read one after the other. */
let lastRead: Promise<unknown> = Promise.resolve()

/** The final screen of a step's recording; undefined if there is no recording or it cannot be read. */
export function recordedSnapshot(profile: string, step: string): Promise<Snapshot | undefined> {
  const known = recorded.get(step)
  if (known) return known
  const reading = lastRead.then(() => readRecording(profile, step)).catch(() => undefined)
  lastRead = reading
  recorded.set(step, reading)
  return reading
}

async function readRecording(profile: string, step: string): Promise<Snapshot | undefined> {
  const text = connection.link === 'static' ? await staticCast(profile, step) : await fetchCast(step)
  if (text === undefined) return undefined
  const { header, events } = parseCast(text)
  const { createParser } = await loadTerminal()
  const terminal = createParser(header.term)
  const output = events.flatMap(({ code, data }) => (code === 'o' ? [data] : [])).join('')
  await new Promise<void>((resolve) => terminal.write(output, resolve))
  const snapshot = snapshotOf(terminal)
  terminal.dispose()
  return snapshot
}

async function fetchCast(step: string): Promise<string | undefined> {
  const response = await fetch(`${CAST_PATH}${step}.cast`)
  return response.ok ? response.text() : undefined
}
