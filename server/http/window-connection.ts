import type { WebSocket } from 'ws'
import type { Diagnosis } from '../../shared/diagnosis.ts'
import { encodeFrame } from '../../shared/protocol/frame.ts'
import type { ClientMessage, ServerMessage } from '../../shared/protocol/talk.ts'
import { type Access, seesSecrets } from '../../shared/roles.ts'
import { RefusedError } from '../steps/refused-error.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Classroom } from '../workshop/classroom.ts'
import type { Course } from '../workshop/course.ts'
import type { Room, RoomWindow } from './room.ts'

export interface WindowConnectionOptions {
  /** The windows that share this window's stage. */
  room: Room
  access: Access
  /** The class, if the server serves one. */
  classroom?: Classroom | undefined
  /** Checks what this machine has and lacks. */
  diagnose: () => Promise<Diagnosis>
  /** Tells the window that a request was refused. */
  onError: (about: ClientMessage, error: unknown) => void
}

/** A terminal that a window shows. */
interface View {
  terminal: Terminal
  handle: number
  /** The channel of its last snapshot. */
  channel: number | undefined
}

/**
 * One window at the server: its socket, its room, and the terminals that it shows. The handlers of messages act on it.
 */
export class WindowConnection implements RoomWindow {
  readonly room: Room
  readonly access: Access
  readonly diagnose: () => Promise<Diagnosis>
  private readonly options: WindowConnectionOptions
  private readonly socket: WebSocket
  private readonly views = new Map<string, View>()

  constructor(socket: WebSocket, options: WindowConnectionOptions) {
    this.socket = socket
    this.options = options
    this.room = options.room
    this.access = options.access
    this.diagnose = options.diagnose
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN
  }

  send(text: string): void {
    if (this.isOpen) this.socket.send(text)
  }

  tell(message: ServerMessage): void {
    this.send(this.room.encode(message))
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  /** @throws RefusedError outside of a class */
  get classroom(): Classroom {
    if (!this.options.classroom) throw new RefusedError({ kind: 'not-a-class' })
    return this.options.classroom
  }

  /** @throws RefusedError outside of a workshop */
  get course(): Course {
    if (!this.room.course) throw new RefusedError({ kind: 'not-a-workshop' })
    return this.room.course
  }

  /** @throws RefusedError if the deck has no such terminal */
  terminal(name: string): Terminal {
    const terminal = this.room.stage.terminals.get(name)
    if (!terminal) throw new RefusedError({ kind: 'unknown-terminal', terminal: name })
    return terminal
  }

  /**
   * Shows a terminal in the window, once.
   *
   * @throws RefusedError if the deck has no such terminal
   */
  attach(message: Extract<ClientMessage, { type: 'attach' }>): void {
    const { terminal: name, secrets = false } = message
    if (this.views.has(name)) return
    const terminal = this.terminal(name)
    const view: View = { terminal, handle: 0, channel: undefined }
    this.views.set(name, view)
    view.handle = terminal.attach({
      secrets: secrets && seesSecrets(this.access),
      // A window that may not run steps starts nothing; it sees the shell that another one starts.
      startsShell: this.access.permissions.includes('run'),
      onError: (error) => {
        this.detach(name)
        this.options.onError(message, error)
      },
      viewer: {
        snapshot: (channel, cols, rows, data) => {
          view.channel = channel
          this.tell({ type: 'snapshot', terminal: name, channel, cols, rows, data })
        },
        output: (channel, bytes) => {
          if (this.isOpen) this.socket.send(encodeFrame(channel, bytes))
        },
        buffered: () => this.socket.bufferedAmount,
      },
    })
  }

  detach(name: string): void {
    const view = this.views.get(name)
    this.views.delete(name)
    view?.terminal.detach(view.handle)
  }

  /** Acknowledges output of the window's own channels. A window cannot speak for what another one has parsed. */
  ack(channel: number, bytes: number): void {
    for (const view of this.views.values()) if (view.channel === channel) view.terminal.ack(view.handle, channel, bytes)
  }

  close(): void {
    for (const name of [...this.views.keys()]) this.detach(name)
  }
}
