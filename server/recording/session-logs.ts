import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '../terminal/session.ts'
import { Recorder } from './recorder.ts'

/**
 * Logs the output of every terminal of a talk as asciicast files in the user's cache. The logs attach to sessions like
 * other viewers. During an output burst, they receive screen snapshots at the same rate as the audience, which limits
 * their size.
 */

export interface SessionLogsOptions {
  /** Absolute path of the folder for the log files. */
  folder: string
  /** Values that must not reach the disk. */
  secrets: readonly string[]
  limits?: LogLimits
}

export interface LogLimits {
  /** Size at which a session continues in a new file. */
  fileBytes: number
  /** Total size of the folder above which the oldest files are removed when a new one is created. */
  totalBytes: number
}
const DEFAULT_LIMITS: LogLimits = { fileBytes: 8 << 20, totalBytes: 64 << 20 }

export class SessionLogs {
  private readonly options: Required<SessionLogsOptions>
  private readonly logs = new Set<SessionLog>()

  private constructor(options: SessionLogsOptions) {
    this.options = { limits: DEFAULT_LIMITS, ...options }
  }

  /** @throws Error if the folder cannot be created */
  static async open(options: SessionLogsOptions): Promise<SessionLogs> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 })
    return new SessionLogs(options)
  }

  /** Starts logging a session. */
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

/** The log of one session: a sequence of files. */
class SessionLog {
  private readonly session: Session
  private readonly options: Required<SessionLogsOptions>
  private recorder: Recorder
  private detachViewer: () => void = () => {}
  private readonly removeStateListener: () => void
  /** Whether a command has run. Without one, no log is kept. */
  private hasCommands = false
  private readonly completing: Promise<unknown>[] = []

  constructor(session: Session, options: Required<SessionLogsOptions>) {
    this.session = session
    this.options = options
    this.recorder = this.startFile()
    this.removeStateListener = session.onState((state) => {
      if (state.name !== 'in-program' && state.name !== 'clearing-line') return
      this.hasCommands = true
      if (state.name === 'clearing-line') this.recorder.marker(state.step)
    })
  }

  async finish(): Promise<void> {
    this.removeStateListener()
    this.completeFile()
    await Promise.all(this.completing)
  }

  private startFile(): Recorder {
    const { folder, secrets, limits } = this.options
    // The redacted output is logged, so that no snapshot contains part of a secret.
    const { name, redacted: source } = this.session
    const recorder = new Recorder({
      file: join(folder, `${new Date().toISOString().replaceAll(':', '-')}-${name}.cast`),
      title: name,
      secrets,
      maxOutputBytes: Infinity,
    })
    void removeOldest(folder, limits.totalBytes - limits.fileBytes).catch(() => {})
    let received = 0
    let initialSize: number | undefined
    const limitSize = () => {
      // The first snapshot does not count, because it includes the scrollback, which alone may exceed the limit.
      initialSize ??= recorder.size
      if (recorder.size - initialSize > limits.fileBytes && recorder === this.recorder) this.startNextFile()
    }
    const handle = source.attach({
      snapshot: (channel, cols, rows, data) => {
        received = 0
        recorder.snapshot(cols, rows, data)
        source.ack(channel, 0)
        limitSize()
      },
      output: (channel, bytes) => {
        received += bytes.length
        recorder.output(bytes)
        source.ack(channel, received)
        limitSize()
      },
    })
    this.detachViewer = () => source.detach(handle)
    return recorder
  }

  private startNextFile(): void {
    this.completeFile()
    this.recorder = this.startFile()
  }

  private completeFile(): void {
    this.detachViewer()
    this.completing.push(this.hasCommands ? this.recorder.finish(null) : this.recorder.discard())
  }
}

/** Removes the oldest log files until the size of the others is within the limit. */
async function removeOldest(folder: string, maxBytes: number): Promise<void> {
  let bytes = 0
  // Names begin with the date: in reverse order, the newest file comes first.
  for (const name of (await readdir(folder)).sort().reverse()) {
    const file = join(folder, name)
    bytes += (await stat(file)).size
    if (bytes > maxBytes) await rm(file, { force: true })
  }
}
