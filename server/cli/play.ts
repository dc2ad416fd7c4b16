import { commandLine } from '../../shared/command-line.ts'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Profile } from '../../shared/deck/contract.ts'
import { type Deck, readDeck } from '../deck/deck.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { deckPaths } from '../lib/paths.ts'
import { ticker } from '../lib/ticker.ts'
import { type Cast, parseCast } from '../../shared/recording/cast.ts'
import { Player } from '../../shared/recording/player.ts'
import { RecordingStore } from '../recording/store.ts'
import { staticDeckOf } from './build.ts'

export interface PlayOptions {
  /** The deck, absolute. */
  deck: string
  /** The id of a step, or the number of a log (1 is the newest). If absent, all are listed. */
  recording: string | undefined
  profile?: Profile
}

/**
 * Plays a recording in the user's terminal. Prints its whole output at once if standard output is not a terminal.
 *
 * @throws DeckError, or an Error if the recording does not exist
 */
export async function play({ deck: file, recording, profile }: PlayOptions): Promise<void> {
  const signal = interruptSignal()
  const deck = await readDeck(file)
  const logs = await logsOf(deck)
  if (recording === undefined) return console.log(await list(deck, logs, profile))
  const log = logs[Number(recording) - 1]
  const cast = deck.steps.has(recording)
    ? await recordingOf(deck, recording, profile)
    : log && (await readLog(log.file))
  if (!cast)
    throw new Error(
      deck.steps.has(recording)
        ? `Step "${recording}" has no recording yet. Record it with: ${commandLine('rehearse', recording)}`
        : `"${recording}" is neither a step of this deck nor the number of a log. List both with: ${commandLine('play')}`,
    )
  await show(cast, signal)
}

interface Log {
  file: string
  date: Date
  terminal: string
  bytes: number
}

/** The logs of the deck's terminals, newest first. */
async function logsOf(deck: Deck): Promise<Log[]> {
  const { sessions } = deckPaths(deck.file)
  const names = (await readdir(sessions).catch(() => [])).sort().reverse()
  const logs = names.flatMap((name) => {
    const [, day, hours, minutes, seconds, terminal] = /^(.{10})T(\d\d)-(\d\d)-(.*?)Z-(.+)\.cast$/.exec(name) ?? []
    return terminal === undefined
      ? []
      : [{ file: join(sessions, name), date: new Date(`${day}T${hours}:${minutes}:${seconds}Z`), terminal }]
  })
  return Promise.all(logs.map(async (log) => ({ ...log, bytes: (await stat(log.file)).size })))
}

async function list(deck: Deck, logs: Log[], profile?: Profile): Promise<string> {
  const recorded = (await staticDeckOf(deck, profile)).steps.filter(({ recording }) => recording)
  const width = Math.max(0, ...recorded.map(({ id }) => id.length), ...logs.map(({ terminal }) => terminal.length + 5))
  const day = (date: string | Date) =>
    new Date(date).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
  return [
    'Recordings of steps',
    ...recorded.map(
      ({ id, recording }) =>
        `  ${id.padEnd(width)}  ${day(recording?.date ?? '')}  ${recording?.profile}${recording?.stale ? `  stale: ${recording.stale}` : ''}`,
    ),
    ...(recorded.length === 0 ? [`  none; record them with: ${commandLine('rehearse')}`] : []),
    `\nLogs of terminals, in ${dirname(logs[0]?.file ?? join(deckPaths(deck.file).sessions, 'x'))}`,
    ...logs.map(
      ({ date, terminal, bytes }, index) =>
        `  ${String(index + 1).padStart(3)}  ${terminal.padEnd(width - 5)}  ${day(date)}  ${Math.ceil(bytes / 1000)} kB`,
    ),
    ...(logs.length === 0 ? ['  none; start a talk to save logs'] : []),
    `\nPlay one with: ${commandLine('play', '<step or number>')}`,
  ].join('\n')
}

async function recordingOf(deck: Deck, step: string, profile?: Profile): Promise<Cast | undefined> {
  const info = (await staticDeckOf(deck, profile)).steps.find(({ id }) => id === step)?.recording
  return info && (await new RecordingStore(join(dirname(deck.file), 'recordings')).read(info.profile, step))?.cast
}

/** Reads a log without its last line, which is incomplete if the server was killed. */
async function readLog(file: string): Promise<Cast> {
  const text = await readFile(file, 'utf8')
  return parseCast(text.slice(0, text.lastIndexOf('\n') + 1))
}

/**
 * Resets the modes that a recorded program may have left on: alternate screen, bracketed paste, mouse, colors, hidden
 * cursor.
 */
const RESET_MODES = '\u001b[?1049l\u001b[?2004l\u001b[?1000;1002;1003;1006l\u001b[0m\u001b[?25h\r\n'

async function show(cast: Cast, signal: AbortSignal): Promise<void> {
  const { stdin, stdout } = process
  const { cols, rows } = cast.header.term
  const ended = new Promise<void>((resolve) => {
    let paused = false
    const changed = () => {
      const { playing, time, duration } = player.playback
      if (!playing && (!paused || time >= duration)) resolve()
    }
    const player = new Player(cast, { output: (data) => void stdout.write(data), clear: () => {}, changed }, ticker)
    if (!stdout.isTTY) return player.skip()
    if (stdout.columns < cols || stdout.rows < rows)
      console.error(
        `This terminal (${stdout.columns} × ${stdout.rows}) is smaller than the recording (${cols} × ${rows}). Enlarge it to see all of the output.`,
      )
    console.error('Space: pause or continue. Enter: skip to the next pause. q: quit.\n')
    signal.addEventListener('abort', () => resolve(), { once: true })
    // Raw mode keeps the terminal's responses to queries in the recording from being echoed or passed to the shell.
    if (stdin.isTTY) stdin.setRawMode(true)
    stdin.on('data', (keys: Buffer) => {
      const key = String(keys)
      if (key === 'q' || key === '\u0003') return resolve()
      if (key !== ' ' && key !== '\r') return
      paused = key === '\r' || player.playback.playing
      if (key === '\r') player.step()
      else if (paused) player.pause()
      else player.play()
    })
    player.play()
  })
  await ended
  if (!stdout.isTTY) return
  stdout.write(RESET_MODES)
  if (stdin.isTTY) stdin.setRawMode(false)
}
