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
  /** The id of a step, or the number of a log: 1 is the newest. Both are listed without it. */
  what: string | undefined
  profile?: Profile
}

/**
 * Plays a recording in the terminal in which it was asked for; where there is none, prints all of it at once.
 *
 * @throws DeckError, or an Error that says what can be played
 */
export async function play({ deck: file, what, profile }: PlayOptions): Promise<void> {
  const signal = interruptSignal()
  const deck = await readDeck(file)
  const logs = await logsOf(deck)
  if (what === undefined) return console.log(await list(deck, logs, profile))
  const log = logs[Number(what) - 1]
  const cast = deck.steps.has(what) ? await recordingOf(deck, what, profile) : log && (await readLog(log.file))
  if (!cast)
    throw new Error(
      deck.steps.has(what)
        ? `Step "${what}" has no recording yet: npm run rehearse -- ${what}`
        : `There is no step "${what}" in this deck, and no log of that number. npm run play lists what there is.`,
    )
  await show(cast, signal)
}

interface Log {
  file: string
  date: Date
  terminal: string
  bytes: number
}

/** The logs of the deck's terminals, the newest first. */
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
        `  ${id.padEnd(width)}  ${day(recording?.date ?? '')}  ${recording?.profile}${recording?.stale ? `  ${recording.stale} since` : ''}`,
    ),
    ...(recorded.length === 0 ? ['  none yet: npm run rehearse'] : []),
    `\nLogs of terminals, in ${dirname(logs[0]?.file ?? join(deckPaths(deck.file).sessions, 'x'))}`,
    ...logs.map(
      ({ date, terminal, bytes }, index) =>
        `  ${String(index + 1).padStart(3)}  ${terminal.padEnd(width - 5)}  ${day(date)}  ${Math.ceil(bytes / 1000)} kB`,
    ),
    ...(logs.length === 0 ? ['  none yet: each talk that you give leaves some'] : []),
    '\nPlay one: npm run play -- <step or number>',
  ].join('\n')
}

async function recordingOf(deck: Deck, step: string, profile?: Profile): Promise<Cast | undefined> {
  const info = (await staticDeckOf(deck, profile)).steps.find(({ id }) => id === step)?.recording
  return info && (await new RecordingStore(join(dirname(deck.file), 'recordings')).read(info.profile, step))?.cast
}

/** One whose server was killed ends in the middle of a line. */
async function readLog(file: string): Promise<Cast> {
  const text = await readFile(file, 'utf8')
  return parseCast(text.slice(0, text.lastIndexOf('\n') + 1))
}

/** A program may have left the other screen, colours, or the cursor hidden. */
const AFTER = '\u001b[?1049l\u001b[?2004l\u001b[?1000;1002;1003;1006l\u001b[0m\u001b[?25h\r\n'

async function show(cast: Cast, signal: AbortSignal): Promise<void> {
  const { stdin, stdout } = process
  const { cols, rows } = cast.header.term
  const done = new Promise<void>((end) => {
    let paused = false
    const changed = () => {
      const { playing, time, duration } = player.playback
      if (!playing && (!paused || time >= duration)) end()
    }
    const player = new Player(cast, { output: (data) => void stdout.write(data), clear: () => {}, changed }, ticker)
    if (!stdout.isTTY) return player.skip()
    if (stdout.columns < cols || stdout.rows < rows)
      console.error(
        `This terminal has ${stdout.columns} columns and ${stdout.rows} rows, and what follows ${cols} and ${rows}: make it larger to see all of it.`,
      )
    console.error('Space pauses, Enter goes on to the next pause, q ends.\n')
    signal.addEventListener('abort', () => end(), { once: true })
    // What the recording asks the terminal is answered as if it was typed: nobody else must read that.
    if (stdin.isTTY) stdin.setRawMode(true)
    stdin.on('data', (keys: Buffer) => {
      const key = String(keys)
      if (key === 'q' || key === '\u0003') return end()
      if (key !== ' ' && key !== '\r') return
      paused = key === '\r' || player.playback.playing
      if (key === '\r') player.step()
      else if (paused) player.pause()
      else player.play()
    })
    player.play()
  })
  await done
  if (!stdout.isTTY) return
  stdout.write(AFTER)
  if (stdin.isTTY) stdin.setRawMode(false)
}
