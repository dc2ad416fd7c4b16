import { EventEmitter } from 'node:events'
import { keyCode } from '../../shared/deck/contract.ts'
import { type Deck, fillIn, InputError, type Step } from '../deck/deck.ts'
import type { Executor } from '../executor/executor.ts'
import { describeHolder } from '../environment/ports.ts'
import { answersHttps, isPortFree } from '../lib/network-probes.ts'
import { prepareStep, type ProfileRuntime } from '../environment/profile.ts'
import type { Recorder } from '../recording/recorder.ts'
import type { Recordings } from '../recording/recordings.ts'
import { Replay } from '../terminal/replay.ts'
import type { SessionLogs } from '../recording/session-logs.ts'
import type {
  ClientMessage,
  Refusal,
  ReplayInfo,
  RunMeasures,
  StepInfo,
  StepStatus,
  TerminalInfo,
  TerminalState,
} from '../../shared/protocol/talk.ts'
import { type RunResult, StepRun } from './step-run.ts'
import { Session } from '../terminal/session.ts'

/** A request that the stage does not carry out. The message is for the user and says what to do next. */
export class RefusedError extends Error {
  override name = 'RefusedError'
  readonly reason: Refusal
  constructor(reason: Refusal, message: string) {
    super(message)
    this.reason = reason
  }
}

export interface RunRequest {
  step: string
  hash: string
  inputs: Record<string, string>
  confirm?: string | undefined
}

export interface StageOptions {
  deck: Deck
  profile: ProfileRuntime
  executor: Executor
  /** Makes the workdir anew, for "reset the stage". */
  resetWorkdir: () => Promise<void>
  /** Values that only who types may see. */
  secrets?: readonly string[]
  /** What the stage falls back on. */
  recordings?: Recordings
  /** What keeps all that its terminals show. */
  logs?: SessionLogs
}

/** What a viewer of a terminal watches: its session, or a replay in its place. */
export type Watchable = Pick<Session, 'attach' | 'detach' | 'ack'>

type StageEvents = {
  step: [id: string, status: StepStatus]
  /** A run has kept its contract, and has measured this. */
  measured: [id: string, measured: RunMeasures]
  terminal: [name: string, state: TerminalState]
  /** A step takes longer than its contract allows; it goes on. */
  late: [id: string]
  /** A replay took a terminal, goes on, or gave it back; `source` is true where the viewers have to watch something else from now on. */
  replay: [terminal: string, replay: ReplayInfo | undefined, source: boolean]
  reset: []
}

/** The terminals of the deck and what its steps do in them. Lives as long as the server; windows and decks come and go. */
export class Stage extends EventEmitter<StageEvents> {
  private deck: Deck
  private readonly options: StageOptions
  private readonly sessions = new Map<string, Session>()
  private readonly starting = new Map<string, Promise<void>>()
  private readonly statuses = new Map<string, StepStatus>()
  private readonly measures = new Map<string, RunMeasures>()
  /** Step that a terminal runs. */
  private readonly running = new Map<string, string>()
  /** Terminals whose step was interrupted by hand: that is no failure of the demo. */
  private readonly interrupted = new Set<string>()
  private readonly replays = new Map<
    string,
    { replay: Replay; facts: Pick<ReplayInfo, 'step' | 'profile' | 'date' | 'reason'> }
  >()
  private resetting: Promise<void> | undefined
  private ended = false

  constructor(options: StageOptions) {
    super()
    // Each window listens: fifty of them are no leak.
    this.setMaxListeners(0)
    this.options = options
    this.deck = options.deck
  }

  /** Finds out which steps this machine can run. To be called once before the first window opens, and after an edit. */
  async checkNeeds(): Promise<void> {
    await this.options.recordings?.load(this.deck)
    await Promise.all(
      [...this.deck.steps.values()].map(async (step) => {
        const before = this.statuses.get(step.id)
        if (before && before.state !== 'idle' && before.state !== 'unavailable') return
        const reasons = await this.missing(step)
        this.setStatus(step.id, reasons.length > 0 ? { state: 'unavailable', reasons } : { state: 'idle' })
      }),
    )
  }

  /** Takes an edited deck. Sessions go on; steps that are gone are forgotten once they are over. */
  async useDeck(deck: Deck): Promise<void> {
    this.deck = deck
    await this.checkNeeds()
  }

  steps(): StepInfo[] {
    return [...this.deck.steps.values()].map((step) => ({
      id: step.id,
      slide: step.slide,
      terminal: step.terminal,
      hash: step.hash,
      inputs: step.contract.inputs,
      ...(step.contract.confirm && { confirm: step.contract.confirm }),
      ...(step.contract.ready && 'http' in step.contract.ready && { page: step.contract.ready.http }),
      ...this.recordingOf(step.id),
      ...this.measuresOf(step.id),
      status: this.statuses.get(step.id) ?? { state: 'idle' },
    }))
  }

  terminals(): TerminalInfo[] {
    return [...this.terminalNames()].map((name) => {
      const session = this.sessions.get(name)
      return {
        name,
        cols: session?.cols ?? this.deck.grid.cols,
        rows: session?.rows ?? this.deck.grid.rows,
        state: session?.state ?? { state: 'new' },
        ...this.replayOf(name),
      }
    })
  }

  /**
   * The session of a terminal, with its shell started.
   *
   * @throws RefusedError for a terminal that is not the deck's, or a shell that does not start
   */
  async session(name: string): Promise<Session> {
    // Only where need be: what a window types right behind its wish to see a terminal finds the session.
    if (this.resetting) await this.resetting.catch(() => {})
    if (this.ended) throw new RefusedError('failed', 'The talk has ended. Start it again.')
    let session = this.sessions.get(name)
    if (!session) {
      if (!this.terminalNames().has(name))
        throw new RefusedError('unknown-terminal', `This deck has no terminal "${name}". Reload the page.`)
      session = new Session({
        name,
        ...this.deck.grid,
        executor: this.options.executor,
        ...(this.options.secrets && { secrets: this.options.secrets }),
      })
      session.onState((state) => this.emit('terminal', name, state))
      this.options.logs?.follow(session)
      this.sessions.set(name, session)
      this.starting.set(name, session.start())
    }
    try {
      await this.starting.get(name)
    } catch (error) {
      // After a reset the name is another session's.
      if (this.sessions.get(name) === session) this.sessions.delete(name)
      throw new RefusedError(
        'failed',
        `The shell of terminal "${name}" did not start: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
    return session
  }

  /** Whether the deck has a terminal of this name. */
  isTerminal(name: string): boolean {
    return this.terminalNames().has(name)
  }

  /** The session of a terminal that has one already. */
  current(name: string): Session | undefined {
    return this.sessions.get(name)
  }

  /**
   * Runs a step in its terminal. Returns once it runs; how it goes on is told by `step` events, and by the run itself.
   *
   * @param record makes what records it, once nothing speaks against running it
   * @throws RefusedError
   */
  async run(request: RunRequest, record?: (command: string) => Recorder): Promise<StepRun> {
    const step = this.deck.steps.get(request.step)
    if (!step) throw new RefusedError('unknown-step', `This deck has no step "${request.step}". Reload the page.`)
    if (step.hash !== request.hash)
      throw new RefusedError(
        'stale',
        `The command of "${step.id}" on this page is not the one in the deck any more. Reload the page.`,
      )

    const reasons = [...(await this.missing(step)), ...(await unreachable(step))]
    if (reasons.length > 0) {
      this.setStatus(step.id, { state: 'unavailable', reasons })
      if (step.contract.fallback.includes('missing') && (await this.showReplay(step.id, reasons.join(' '))))
        throw new RefusedError('replayed', reasons.join(' '))
      throw new RefusedError('unavailable', reasons.join(' '))
    }
    // What was missing has come meanwhile.
    if (this.statuses.get(step.id)?.state === 'unavailable') this.setStatus(step.id, { state: 'idle' })
    if (step.contract.confirm && request.confirm?.trim() !== step.contract.confirm.type)
      throw new RefusedError(
        'unconfirmed',
        `${step.contract.confirm.warning} Type "${step.contract.confirm.type}" to go on.`,
      )
    const command = this.filledIn(step, request.inputs)

    const session = await this.session(step.terminal)
    if (session.state.state === 'ended') await session.restart()
    this.refuseIfBusy(step, session)
    // Elsewhere they are nobody else's.
    for (const port of this.options.executor.forward ? [] : step.contract.needs.ports)
      if (!(await isPortFree(port))) throw new RefusedError('busy', await this.describePort(port))
    await prepareStep(this.options.profile, this.options.executor)
    // The waits above let another window come first.
    this.refuseIfBusy(step, session)
    this.showLive(step.terminal)
    return this.follow(step, session, command, record?.(command))
  }

  /** Sends the keys that end what runs in a terminal: Ctrl-C, or what the contract of the running step says. */
  interrupt(name: string): void {
    const session = this.sessions.get(name)
    if (!session) return
    const step = this.deck.steps.get(this.running.get(name) ?? '')
    if (step) this.interrupted.add(name)
    const keys = step?.contract.interrupt ?? ['ctrl-c']
    if (keys.length === 1 && keys[0] === 'ctrl-c') session.interrupt()
    else session.write(keys.map(keyCode).join(''))
  }

  /** Ends everything in a terminal and gives it a fresh shell. */
  async restart(name: string): Promise<void> {
    const session = this.sessions.get(name)
    if (session) await session.restart()
    else await this.session(name)
  }

  /** Ends everything in every terminal and makes the workdir anew. */
  async reset(): Promise<void> {
    this.resetting ??= (async () => {
      await this.endSessions()
      await this.options.resetWorkdir()
      this.statuses.clear()
      await this.checkNeeds()
    })().finally(() => {
      this.resetting = undefined
      this.emit('reset')
    })
    await this.resetting
  }

  /** Ends every process that the stage has started; nothing starts any more. */
  async end(): Promise<void> {
    this.ended = true
    await this.endSessions()
  }

  private async endSessions(): Promise<void> {
    for (const terminal of [...this.replays.keys()]) this.showLive(terminal)
    const sessions = [...this.sessions.values()]
    this.sessions.clear()
    this.starting.clear()
    await Promise.all(sessions.map((session) => session.end()))
    await this.options.logs?.finish()
  }

  private follow(step: Step, session: Session, command: string, recorder?: Recorder): StepRun {
    const since = Date.now()
    this.running.set(step.terminal, step.id)
    this.setStatus(step.id, { state: 'running', since })
    const run = new StepRun({
      step,
      command,
      session,
      executor: this.options.executor,
      recorder,
      secrets: this.options.secrets ?? [],
      onReady: (after, url) =>
        this.setStatus(step.id, { state: 'ready', since, ...(url !== undefined && { url }), after }),
      onTimeout: () => {
        this.emit('late', step.id)
        this.fallBack(step, 'timeout', `It takes longer than ${step.contract.timeout} s.`)
      },
    })
    void run.kept.then(
      (result) => result.problems.length === 0 && this.keepMeasures(step.id, result),
      () => {},
    )
    this.interrupted.delete(step.terminal)
    const end = (status: StepStatus) => {
      this.running.delete(step.terminal)
      this.setStatus(step.id, status)
      if (status.state === 'failed' || status.state === 'ended')
        if (!this.interrupted.has(step.terminal))
          this.fallBack(step, 'failure', status.state === 'failed' ? status.problems.join(' ') : status.reason)
    }
    run.ended.then(
      ({ exit, seconds, problems: [first, ...more] }) => {
        if (exit === null) end({ state: 'ended', reason: first ?? 'Its shell is gone.' })
        else if (first === undefined) end({ state: 'succeeded', exit, seconds })
        else end({ state: 'failed', exit, seconds, problems: [first, ...more] })
      },
      (error: unknown) => end({ state: 'ended', reason: error instanceof Error ? error.message : String(error) }),
    )
    return run
  }

  /**
   * Shows the recording of a step in its terminal, from its beginning, in every window. What runs there goes on.
   *
   * @param because why, where nobody asked for it
   * @returns whether there is a recording
   */
  async showReplay(id: string, reason?: string): Promise<boolean> {
    const step = this.deck.steps.get(id)
    if (!step) throw new RefusedError('unknown-step', `This deck has no step "${id}". Reload the page.`)
    const recording = await this.options.recordings?.read(id)
    if (!recording) return false
    const { terminal } = step
    this.replays.get(terminal)?.replay.dispose()
    const replay = new Replay(recording.cast)
    const { profile, date } = recording.metadata
    this.replays.set(terminal, {
      replay,
      facts: { step: id, profile, date, ...(reason !== undefined && { reason }) },
    })
    replay.onPlayback(() => this.emit('replay', terminal, this.replayOf(terminal).replay, false))
    this.emit('replay', terminal, this.replayOf(terminal).replay, true)
    replay.play()
    return true
  }

  /** Gives a terminal back to what really runs in it. */
  showLive(terminal: string): void {
    const shown = this.replays.get(terminal)
    if (!shown) return
    this.replays.delete(terminal)
    this.emit('replay', terminal, undefined, true)
    shown.replay.dispose()
  }

  /** Does with the replay of a terminal what a window asks for. */
  playback({ terminal, action }: Extract<ClientMessage, { type: 'playback' }>): void {
    const replay = this.replays.get(terminal)?.replay
    if (action === 'faster') replay?.setSpeed(replay.playback.speed * 2)
    else if (action === 'slower') replay?.setSpeed(replay.playback.speed / 2)
    else replay?.[action]()
  }

  /** Whether a terminal shows a replay. */
  replaying(terminal: string): boolean {
    return this.replays.has(terminal)
  }

  /**
   * What a viewer of a terminal watches now. A recording has no secrets.
   *
   * @throws RefusedError as `session`
   */
  async watchable(terminal: string, { secrets }: { secrets: boolean }): Promise<Watchable> {
    const { replay } = this.replays.get(terminal) ?? {}
    if (replay) return replay
    const session = await this.session(terminal)
    return secrets ? session : session.withoutSecrets
  }

  private fallBack(step: Step, on: 'failure' | 'timeout', reason: string): void {
    if (step.contract.fallback.includes(on) && !this.ended && !this.resetting)
      void this.showReplay(step.id, reason).catch(() => {})
  }

  private replayOf(terminal: string): { replay?: ReplayInfo } {
    const shown = this.replays.get(terminal)
    if (!shown) return {}
    const { readyAt } = shown.replay
    return { replay: { ...shown.facts, ...shown.replay.playback, ...(readyAt !== undefined && { ready: readyAt }) } }
  }

  private recordingOf(step: string): Pick<StepInfo, 'recording'> {
    const recording = this.options.recordings?.info(step)
    return recording ? { recording } : {}
  }

  private keepMeasures(step: string, { seconds, ready, captures }: RunResult): void {
    const measured = { date: new Date().toISOString(), seconds, ...(ready !== undefined && { ready }), captures }
    this.measures.set(step, measured)
    this.emit('measured', step, measured)
  }

  private measuresOf(step: string): Pick<StepInfo, 'measured'> {
    const measured = this.measures.get(step)
    return measured ? { measured } : {}
  }

  private filledIn(step: Step, inputs: Record<string, string>): string {
    try {
      return fillIn(step, inputs)
    } catch (error) {
      if (error instanceof InputError) throw new RefusedError('bad-input', error.message)
      throw error
    }
  }

  private refuseIfBusy(step: Step, session: Session): void {
    if (session.state.state !== 'busy' && !this.running.has(step.terminal)) return
    const other = this.running.get(step.terminal)
    throw new RefusedError(
      'busy',
      `Terminal "${step.terminal}" is busy${other ? ` with step "${other}"` : ''}. Interrupt it first, or wait.`,
    )
  }

  private async describePort(port: number): Promise<string> {
    for (const step of this.running.values())
      if (this.deck.steps.get(step)?.contract.needs.ports.includes(port))
        return `Port ${port} is in use by step "${step}". Interrupt that first.`
    return describeHolder(port)
  }

  /** Why a step cannot run here; empty where it can. */
  private async missing(step: Step): Promise<string[]> {
    const { needs } = step.contract
    const { profile, executor } = this.options
    const reasons: string[] = []
    if (needs.profiles && !needs.profiles.includes(profile.name))
      reasons.push(needs.reason ?? `Runs in the profile ${needs.profiles.join(' or ')} only; this is ${profile.name}.`)
    for (const program of needs.programs)
      if (!(await executor.which(program))) reasons.push(`The program ${program} is not installed.`)
    for (const name of needs.env)
      if (!process.env[name])
        reasons.push(`The environment variable ${name} is not set: export it before you start the talk.`)
    if (profile.problem && needs.programs.length > 0) reasons.push(profile.problem)
    return reasons
  }

  private setStatus(id: string, status: StepStatus): void {
    this.statuses.set(id, status)
    this.emit('step', id, status)
  }

  private terminalNames(): Set<string> {
    return new Set([...[...this.deck.steps.values()].map((step) => step.terminal), ...this.sessions.keys()])
  }
}

/** Hosts that a step asks and that do not answer. Asked only when it is to run: a talk does not wait for them when it starts. */
async function unreachable(step: Step): Promise<string[]> {
  const { network } = step.contract.needs
  const answers = await Promise.all(network.map((host) => answersHttps(host)))
  return network.filter((_, index) => !answers[index]).map((host) => `${host} does not answer: is there a network?`)
}
