import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '../terminal/session.ts'
import { Recorder } from './recorder.ts'

/**
 * The logs of whole sessions: what every terminal of a talk has shown, as asciicasts in the user's cache. They watch a session as eyes do: of a
 * flood they get the pictures that the audience saw, so that they cost it next to nothing.
 */

/** Bytes that a log grows to before the session gets another one (8 MiB), and that the logs together have when one begins (64 MiB). */
const ROOM = { file: 8 << 20, all: 64 << 20 } as const

export interface SessionLogsOptions {
  /** Where they are kept, absolute. */
  folder: string
  /** Values that must not reach the disk. */
  secrets: readonly string[]
  /** In bytes; see ROOM. */
  room?: { file: number; all: number }
}

export class SessionLogs {
  private readonly options: Required<SessionLogsOptions>
  private readonly logs = new Set<SessionLog>()

  private constructor(options: SessionLogsOptions) {
    this.options = { room: ROOM, ...options }
  }

  /** @throws Error where the folder cannot be made */
  static async open(options: SessionLogsOptions): Promise<SessionLogs> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 })
    return new SessionLogs(options)
  }

  /** Logs a session from now on. */
  follow(session: Session): void {
    this.logs.add(new SessionLog(session, this.options))
  }

  /** Completes the logs of all sessions. */
  async finish(): Promise<void> {
    const logs = [...this.logs]
    this.logs.clear()
    await Promise.all(logs.map((log) => log.finish()))
  }
}

/** The log of one session: one file after the other. */
class SessionLog {
  private readonly session: Session
  private readonly options: Required<SessionLogsOptions>
  private recorder: Recorder
  private stopWatching: () => void = () => {}
  private readonly stopListening: () => void
  /** A terminal that was looked at, and in which nothing was run, leaves no log. */
  private worth = false
  private readonly completing: Promise<unknown>[] = []

  constructor(session: Session, options: Required<SessionLogsOptions>) {
    this.session = session
    this.options = options
    this.recorder = this.begin()
    this.stopListening = session.onState((state) => {
      if (state.name !== 'in-program' && state.name !== 'clearing-line') return
      this.worth = true
      if (state.name === 'clearing-line') this.recorder.marker(state.step)
    })
  }

  async finish(): Promise<void> {
    this.stopListening()
    this.complete()
    await Promise.all(this.completing)
  }

  private begin(): Recorder {
    const { folder, secrets, room } = this.options
    // Masked before it comes to the screen: no snapshot cuts a secret in two.
    const { name, redacted: source } = this.session
    const recorder = new Recorder({
      file: join(folder, `${new Date().toISOString().replaceAll(':', '-')}-${name}.cast`),
      title: name,
      secrets,
      limit: Infinity,
    })
    void makeRoom(folder, room.all - room.file).catch(() => {})
    let received = 0
    let first: number | undefined
    const watchSize = () => {
      // It opens with the lines above the screen, which may be many.
      first ??= recorder.size
      if (recorder.size - first > room.file && recorder === this.recorder) this.goOn()
    }
    const handle = source.attach({
      snapshot: (channel, cols, rows, data) => {
        received = 0
        recorder.snapshot(cols, rows, data)
        source.ack(channel, 0)
        watchSize()
      },
      output: (channel, bytes) => {
        received += bytes.length
        recorder.output(bytes)
        source.ack(channel, received)
        watchSize()
      },
    })
    this.stopWatching = () => source.detach(handle)
    return recorder
  }

  private goOn(): void {
    this.complete()
    this.recorder = this.begin()
  }

  private complete(): void {
    this.stopWatching()
    this.completing.push(this.worth ? this.recorder.finish(null) : this.recorder.discard())
  }
}

/** Removes the oldest logs until the others have no more than so many bytes. */
async function makeRoom(folder: string, room: number): Promise<void> {
  let bytes = 0
  // They are named by their date: the newest comes first.
  for (const name of (await readdir(folder)).sort().reverse()) {
    const file = join(folder, name)
    bytes += (await stat(file)).size
    if (bytes > room) await rm(file, { force: true })
  }
}
