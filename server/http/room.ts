import { WebSocket } from 'ws'
import type { Permission, Role, ServerMessage } from '../../shared/protocol/talk.ts'
import { redact } from '../terminal/redaction.ts'
import type { Access } from '../../shared/roles.ts'
import { RefusedError, type Stage } from '../steps/stage.ts'
import type { Course } from '../workshop/course.ts'

export interface RoomOptions {
  stage: Stage
  /** In a workshop: of the learner whose stage it is. */
  course?: Course
  /** Values that no message may quote. */
  secrets?: readonly string[]
}

/** The windows that share a stage: all of a talk's, or those of one learner. What one does is seen in the others, and nowhere else. */
export class Room {
  readonly stage: Stage
  readonly course: Course | undefined
  /** What its windows keep in step, by Slidev's channels. */
  readonly sync = new Map<string, Record<string, unknown>>()
  private readonly secrets: readonly string[]
  private readonly windows = new Map<WebSocket, Access>()
  /** The window of who gives the talk that has told last where it is. */
  private leading: WebSocket | undefined

  constructor({ stage, course, secrets = [] }: RoomOptions) {
    this.stage = stage
    this.course = course
    this.secrets = secrets
    stage.on('step', (step, status) => this.broadcast({ type: 'step', step, status }))
    stage.on('measured', (step, measured) => this.broadcast({ type: 'measured', step, measured }))
    stage.on('replay', (terminal, replay) => this.broadcast({ type: 'replay', terminal, ...(replay && { replay }) }))
    stage.on('terminal', (terminal, state) => this.broadcast({ type: 'terminal', terminal, state }))
    // Whoever else is in the room looks at the stage; the course is the learner's.
    course?.on('message', (message) =>
      this.broadcast(message, undefined, (access) => access.permissions.includes('learn')),
    )
  }

  enter(window: WebSocket, access: Access): void {
    this.windows.set(window, access)
    window.on('close', () => {
      this.windows.delete(window)
      this.onComeOrGo?.()
    })
    this.onComeOrGo?.()
  }

  /** Called whenever a window comes or goes. */
  onWindows(listener: () => void): void {
    this.onComeOrGo = listener
  }
  private onComeOrGo: (() => void) | undefined

  /** How many windows there are of a kind. */
  count(kind: (access: Access) => boolean): number {
    return [...this.windows.values()].filter(kind).length
  }

  /** Gives the windows of a role other permissions than they came with. */
  setRights(role: Role, permissions: readonly Permission[]): void {
    for (const [window, access] of this.windows) {
      if (access.role !== role) continue
      access.permissions = permissions
      if (window.readyState === window.OPEN)
        window.send(this.encode({ type: 'permissions', permissions: [...permissions] }))
    }
  }

  onSync(from: WebSocket, { role }: Access, channel: string, state: Record<string, unknown>): void {
    // Slidev has a handful of channels; a page that invents more is not ours.
    if (!this.sync.has(channel) && this.sync.size >= 16) return
    this.sync.set(channel, state)
    if (role === 'presenter' || role === 'learner') this.leading = from
    this.broadcast({ type: 'sync', channel, state }, from)
  }

  /** One window turns the slides, and all others follow it: were all to turn, they would do so twice. */
  onTurn(by: 1 | -1): void {
    if (this.leading?.readyState !== WebSocket.OPEN) this.leading = undefined
    if (!this.leading)
      throw new RefusedError(
        'failed',
        "No window of the presenter's is open. Open the slides on the presenter's machine.",
      )
    this.leading.send(JSON.stringify({ type: 'turn', by } satisfies ServerMessage))
  }

  broadcast(message: ServerMessage, except?: WebSocket, to: (access: Access) => boolean = () => true): void {
    const text = this.encode(message)
    for (const [window, access] of this.windows)
      if (window !== except && window.readyState === window.OPEN && to(access)) window.send(text)
  }

  /** A message as it may be shown on a slide: what went wrong may quote the output of a script. */
  encode(message: ServerMessage): string {
    const { secrets } = this
    if (secrets.length === 0) return JSON.stringify(message)
    const hide = (value: unknown): unknown =>
      typeof value === 'string' ? redact(value, secrets) : Array.isArray(value) ? value.map(hide) : value
    return JSON.stringify(message, (key, value: unknown) => (QUOTING.has(key) ? hide(value) : value))
  }
}

/** The fields of messages that quote what programs say. */
const QUOTING = new Set(['problems', 'reasons', 'reason', 'message'])
