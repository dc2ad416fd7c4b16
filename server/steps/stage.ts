import { EventEmitter } from 'node:events'
import type { FallbackReason } from '../../shared/failures/fallback.ts'
import { keyCode } from '../../shared/deck/contract.ts'
import type { StepInfo } from '../../shared/protocol/state.ts'
import type { Deck } from '../deck/deck.ts'
import type { Step } from '../deck/step.ts'
import type { ProfileRuntime } from '../environment/profile.ts'
import type { Executor } from '../executor/executor.ts'
import type { Recorder } from '../recording/recorder.ts'
import type { Recordings } from '../recording/recordings.ts'
import type { SessionLogs } from '../recording/session-logs.ts'
import { Session } from '../terminal/session.ts'
import { Terminals } from '../terminal/terminals.ts'
import { RefusedError } from './refused-error.ts'
import { Requirements } from './requirements.ts'
import { type RunRequest, runStep } from './run-step.ts'
import { StepBoard } from './step-board.ts'
import type { StepRun } from './step-run.ts'

export interface StageOptions {
  deck: Deck
  profile: ProfileRuntime
  executor: Executor
  /** Recreates the workdir for a reset. Called while no process runs in it. */
  resetWorkdir: () => Promise<void>
  /** Values that only viewers with the permission to type may see. */
  secrets?: readonly string[]
  /** The recordings to fall back on. */
  recordings?: Recordings
  /** Logs the output of all terminals. */
  logs?: SessionLogs
}

type StageEvents = {
  /** A step has exceeded its timeout. It continues. */
  late: [step: string]
  /** The stage was reset: all terminals are new and the workdir is clean. */
  reset: []
}

/**
 * The stage of a deck: its terminals (`terminals`), the status of its steps (`board`), and the requests that concern
 * both. It exists as long as the server.
 */
export class Stage extends EventEmitter<StageEvents> {
  readonly terminals: Terminals
  readonly board = new StepBoard()
  private readonly requirements: Requirements
  private readonly options: StageOptions
  private deck: Deck
  /** Steps whose run the user interrupted. */
  private readonly interrupted = new Set<string>()
  private resetting: Promise<void> | undefined
  private ended = false

  constructor(options: StageOptions) {
    super()
    // One listener per window.
    this.setMaxListeners(0)
    const { deck, executor, secrets, logs } = options
    this.options = options
    this.deck = deck
    this.requirements = new Requirements(options)
    this.terminals = new Terminals({
      names: terminalNames(deck),
      grid: deck.grid,
      createSession: (name, grid) => {
        const session = new Session({ name, ...grid, executor, ...(secrets && { secrets }) })
        logs?.follow(session)
        return session
      },
    })
  }

  /** Determines the steps that can run. Call it before the first window opens and after each edit. */
  async checkRequirements(): Promise<void> {
    await this.options.recordings?.load(this.deck)
    await Promise.all(
      [...this.deck.steps.values()].map(async (step) => {
        const { state } = this.board.status(step.id)
        if (state !== 'idle' && state !== 'unavailable') return
        const [first, ...others] = await this.requirements.missing(step)
        this.board.setStatus(step.id, first ? { state: 'unavailable', missing: [first, ...others] } : { state: 'idle' })
      }),
    )
  }

  /** Replaces the deck after an edit. Sessions and running steps continue. */
  async useDeck(deck: Deck): Promise<void> {
    this.deck = deck
    this.terminals.useNames(terminalNames(deck), deck.grid)
    await this.checkRequirements()
  }

  /** The state of every step, in the form of the protocol. */
  steps(): StepInfo[] {
    return this.board.list(this.deck, (step) => this.options.recordings?.info(step))
  }

  /**
   * Runs a step in its terminal; see runStep().
   *
   * @throws RefusedError
   */
  async run(request: RunRequest, record?: (command: string) => Recorder): Promise<StepRun> {
    this.interrupted.delete(request.step)
    const { profile, executor, secrets = [] } = this.options
    return runStep(
      {
        deck: this.deck,
        profile,
        executor,
        secrets,
        requirements: this.requirements,
        terminals: this.terminals,
        board: this.board,
        showReplay: (step, reason) => this.replay(step, reason),
        onTimeout: (step) => this.emit('late', step.id),
        wasInterrupted: (step) => this.interrupted.has(step.id),
      },
      request,
      record,
    )
  }

  /**
   * Sends the keys that interrupt the program in a terminal: Ctrl-C, unless the contract of its step specifies others.
   */
  interrupt(name: string): void {
    const terminal = this.terminals.get(name)
    const session = terminal?.current
    if (!session) return
    const step = this.deck.steps.get(terminal.step ?? '')
    if (step) this.interrupted.add(step.id)
    const keys = step?.contract.interrupt ?? ['ctrl-c']
    if (keys.length === 1 && keys[0] === 'ctrl-c') session.interrupt()
    else session.write(keys.map(keyCode).join(''))
  }

  /**
   * Shows the recording of a step in its terminal, from its beginning, in every window.
   *
   * @throws RefusedError if the step does not exist or has no recording
   */
  async showReplay(id: string): Promise<void> {
    if (!(await this.replay(this.step(id)))) throw new RefusedError({ kind: 'no-recording', step: id })
  }

  /** Shows the live terminal of a step again. */
  showLive(id: string): void {
    this.terminals.of(this.step(id)).showLive()
  }

  /** Stops everything in all terminals and recreates the workdir. */
  async reset(): Promise<void> {
    this.resetting ??= this.terminals
      .reset(async () => {
        await this.options.logs?.finish()
        await this.options.resetWorkdir()
        this.board.clear()
        await this.checkRequirements()
      })
      .finally(() => {
        this.resetting = undefined
        this.emit('reset')
        this.terminals.resume()
      })
    await this.resetting
  }

  /** Ends every process that the stage has started, and prevents new ones. */
  async end(): Promise<void> {
    this.ended = true
    await this.terminals.end()
    await this.options.logs?.finish()
  }

  private step(id: string): Step {
    const step = this.deck.steps.get(id)
    if (!step) throw new RefusedError({ kind: 'unknown-step', step: id })
    return step
  }

  /**
   * @param reason the reason for an automatic replay, which is not shown while the stage is reset or after it has
   * ended; undefined if a user requested the replay
   * @returns false if the step has no recording
   */
  private async replay(step: Step, reason?: FallbackReason): Promise<boolean> {
    const recording = await this.options.recordings?.read(step.id)
    if (!recording || (reason && (this.ended || this.resetting))) return false
    const { profile, date } = recording.metadata
    this.terminals
      .of(step)
      .showReplay({ step: step.id, cast: recording.cast, profile, date, ...(reason && { reason }) })
    return true
  }
}

function terminalNames({ steps }: Deck): Set<string> {
  return new Set([...steps.values()].map(({ terminal }) => terminal))
}
