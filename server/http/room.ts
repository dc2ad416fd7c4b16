import type { ServerMessage } from '../../shared/protocol/talk.ts'
import type { Access, Permission, Role } from '../../shared/roles.ts'
import { RefusedError } from '../steps/refused-error.ts'
import type { Stage } from '../steps/stage.ts'
import { redactAll } from '../terminal/redaction.ts'
import type { Course } from '../workshop/course.ts'

export interface RoomOptions {
  stage: Stage
  /** The course of the learner whose stage it is, in a workshop. */
  course?: Course
  /** Values that no message may quote. */
  secrets?: readonly string[]
}

/** A window in a room, whatever its transport. */
export interface RoomWindow {
  readonly access: Access
  readonly isOpen: boolean
  /** @param text a message of the protocol, encoded */
  send: (text: string) => void
}

/**
 * The windows that share a stage: all of a talk's, or those of one learner. They see each other's actions, and nobody
 * else's.
 */
export class Room {
  readonly stage: Stage
  readonly course: Course | undefined
  /** The state that the windows share, by Slidev's channels. */
  readonly sync = new Map<string, Record<string, unknown>>()
  private readonly secrets: readonly string[]
  private readonly windows = new Set<RoomWindow>()
  /** The presenter's window that has turned the slides last. */
  private leading: RoomWindow | undefined
  private windowsListener: (() => void) | undefined

  constructor({ stage, course, secrets = [] }: RoomOptions) {
    this.stage = stage
    this.course = course
    this.secrets = secrets
    stage.board.on('status', (step, status) => this.broadcast({ type: 'step', step, status }))
    stage.board.on('measured', (step, measured) => this.broadcast({ type: 'measured', step, measured }))
    stage.terminals.on('state', (terminal, state) => this.broadcast({ type: 'terminal', terminal, state }))
    stage.terminals.on('replay', (terminal, replay) =>
      this.broadcast({ type: 'replay', terminal, ...(replay && { replay }) }),
    )
    stage.on('reset', () => this.broadcast({ type: 'stage-reset' }))
    // Other windows in the room see the stage; the course belongs to the learner.
    course?.on('message', (message) =>
      this.broadcast(message, undefined, (access) => access.permissions.includes('learn')),
    )
  }

  enter(window: RoomWindow): void {
    this.windows.add(window)
    this.windowsListener?.()
  }

  leave(window: RoomWindow): void {
    this.windows.delete(window)
    this.windowsListener?.()
  }

  /** @param listener called whenever a window enters or leaves */
  onWindows(listener: () => void): void {
    this.windowsListener = listener
  }

  /** The number of windows with a role. */
  count(role: Role): number {
    return [...this.windows].filter(({ access }) => access.role === role).length
  }

  /** Changes the permissions of the open windows of a role. */
  setPermissions(role: Role, permissions: readonly Permission[]): void {
    for (const window of this.windows) {
      if (window.access.role !== role) continue
      window.access.permissions = permissions
      if (window.isOpen) window.send(this.encode({ type: 'permissions', permissions: [...permissions] }))
    }
  }

  onSync(from: RoomWindow, channel: string, state: Record<string, unknown>): void {
    // Slidev has a handful of channels; a page that invents more is not ours.
    if (!this.sync.has(channel) && this.sync.size >= MAX_SYNC_CHANNELS) return
    this.sync.set(channel, state)
    if (from.access.role === 'presenter' || from.access.role === 'learner') this.leading = from
    this.broadcast({ type: 'sync', channel, state }, from)
  }

  /**
   * Turns the slides. One window does so and the others follow: if all did, they would turn twice.
   *
   * @throws RefusedError if no window can
   */
  turn(by: 1 | -1): void {
    if (!this.leading?.isOpen) this.leading = undefined
    if (!this.leading) throw new RefusedError({ kind: 'no-presenter-window' })
    this.leading.send(this.encode({ type: 'turn', by }))
  }

  /** @param except a window that has the message already */
  broadcast(message: ServerMessage, except?: RoomWindow, to: (access: Access) => boolean = () => true): void {
    const text = this.encode(message)
    for (const window of this.windows) if (window !== except && window.isOpen && to(window.access)) window.send(text)
  }

  /** A message as JSON, without secrets in the fields that quote the output of programs. */
  encode(message: ServerMessage): string {
    const { secrets } = this
    if (secrets.length === 0) return JSON.stringify(message)
    return JSON.stringify(message, (key, value: unknown) => (QUOTING.has(key) ? redactAll(value, secrets) : value))
  }
}

const MAX_SYNC_CHANNELS = 16

/** The fields of messages that quote the output of programs, or the user's input. */
const QUOTING = new Set(['problems', 'missing', 'failure', 'reason', 'refusal'])
