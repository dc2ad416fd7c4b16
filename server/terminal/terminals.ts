import { EventEmitter } from 'node:events'
import type { ReplayInfo, TerminalInfo, TerminalState } from '../../shared/protocol/state.ts'
import { SessionError } from './session-error.ts'
import type { Session } from './session.ts'
import { Terminal } from './terminal.ts'

export interface Grid {
  cols: number
  rows: number
}

export interface TerminalsOptions {
  /** The names of the deck's terminals. */
  names: Iterable<string>
  /** The grid of new terminals. */
  grid: Grid
  createSession: (name: string, grid: Grid) => Session
}

type TerminalsEvents = {
  state: [name: string, state: TerminalState]
  /** A replay began or changed; undefined when it ended. */
  replay: [name: string, replay: ReplayInfo | undefined]
}

/** The deck's terminals by name. They live as long as the server; windows and edits of the deck come and go. */
export class Terminals extends EventEmitter<TerminalsEvents> {
  private readonly options: TerminalsOptions
  private names: Set<string>
  private grid: Grid
  private readonly terminals = new Map<string, Terminal>()
  private resetting: Promise<void> | undefined
  private ended = false

  constructor(options: TerminalsOptions) {
    super()
    // Every window listens.
    this.setMaxListeners(0)
    this.options = options
    this.names = new Set(options.names)
    this.grid = options.grid
  }

  /** Takes the names of an edited deck. Terminals that it no longer names stay while they have a session. */
  useNames(names: Iterable<string>, grid: Grid): void {
    this.names = new Set(names)
    this.grid = grid
  }

  /** @returns undefined if the deck has no terminal of this name */
  get(name: string): Terminal | undefined {
    const terminal = this.terminals.get(name)
    if (terminal ?? !this.names.has(name)) return terminal
    return this.create(name)
  }

  /** The terminal of a step, whose name the deck has. */
  of({ terminal }: { terminal: string }): Terminal {
    return this.terminals.get(terminal) ?? this.create(terminal)
  }

  /** What windows know of every terminal. */
  list(): TerminalInfo[] {
    const names = new Set(this.names)
    for (const { name, current } of this.terminals.values()) if (current) names.add(name)
    return [...names].map((name) => this.terminals.get(name)?.info ?? { name, ...this.grid, state: { state: 'new' } })
  }

  /**
   * Ends all sessions. Shells that are requested meanwhile start when `during` is done.
   *
   * @param during what needs a workdir without processes
   */
  async reset(during: () => Promise<void>): Promise<void> {
    this.resetting = this.endSessions().then(during)
    await this.resetting.finally(() => (this.resetting = undefined))
  }

  /** Starts the shells for the viewers that were attached before a reset. */
  resume(): void {
    for (const terminal of this.terminals.values()) terminal.resume()
  }

  /** Ends all sessions. No shell starts any more. */
  async end(): Promise<void> {
    this.ended = true
    await this.endSessions()
  }

  private async endSessions(): Promise<void> {
    await Promise.all([...this.terminals.values()].map((terminal) => terminal.reset()))
  }

  private create(name: string): Terminal {
    const terminal = new Terminal({
      name,
      grid: () => this.grid,
      createSession: () => this.options.createSession(name, this.grid),
      gate: () =>
        this.ended ? Promise.reject(new SessionError({ kind: 'talk-ended' })) : this.resetting?.catch(() => {}),
    })
    terminal.listen({
      onState: (state) => this.emit('state', name, state),
      onReplay: (replay) => this.emit('replay', name, replay),
    })
    this.terminals.set(name, terminal)
    return terminal
  }
}
