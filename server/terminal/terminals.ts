import { EventEmitter } from 'node:events'
import { SHELL_TERMINAL } from '../../shared/deck/fence.ts'
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

/** The deck's terminals by name. They exist as long as the server, independent of windows and edits of the deck. */
export class Terminals extends EventEmitter<TerminalsEvents> {
  private readonly options: TerminalsOptions
  private names: Set<string>
  private grid: Grid
  private readonly terminals = new Map<string, Terminal>()
  private resetting: Promise<void> | undefined
  private ended = false

  constructor(options: TerminalsOptions) {
    super()
    // One listener per window.
    this.setMaxListeners(0)
    this.options = options
    this.names = new Set(options.names)
    this.grid = options.grid
  }

  /**
   * Updates the names after an edit of the deck. Terminals that the deck no longer names remain while they have a
   * session.
   */
  useNames(names: Iterable<string>, grid: Grid): void {
    this.names = new Set(names)
    this.grid = grid
  }

  /** @returns undefined if the deck has no terminal of this name; every deck has `SHELL_TERMINAL` */
  get(name: string): Terminal | undefined {
    const terminal = this.terminals.get(name)
    if (terminal ?? !(this.names.has(name) || name === SHELL_TERMINAL)) return terminal
    return this.create(name)
  }

  /** The terminal of a step, created if necessary. */
  of({ terminal }: { terminal: string }): Terminal {
    return this.terminals.get(terminal) ?? this.create(terminal)
  }

  /** The state of every terminal, in the form of the protocol. */
  list(): TerminalInfo[] {
    const names = new Set(this.names)
    for (const { name, current } of this.terminals.values()) if (current) names.add(name)
    return [...names].map((name) => this.terminals.get(name)?.info ?? { name, ...this.grid, state: { state: 'new' } })
  }

  /**
   * Ends all sessions. Shells that are requested in the meantime start when `during` has finished.
   *
   * @param during work that requires a workdir without running processes
   */
  async reset(during: () => Promise<void>): Promise<void> {
    this.resetting = this.endSessions().then(during)
    await this.resetting.finally(() => (this.resetting = undefined))
  }

  /** Starts the shells for the viewers that were attached before a reset. */
  resume(): void {
    for (const terminal of this.terminals.values()) terminal.resume()
  }

  /** Ends all sessions and prevents new ones. */
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
