import { randomBytes } from 'node:crypto'
import type { SessionFailure } from '../../shared/failures/session.ts'
import type { Executor, Shell } from '../executor/executor.ts'
import { Broadcast, type Source, type Viewer } from './broadcast.ts'
import { RedactedBroadcast } from './redacted-broadcast.ts'
import { SessionError, sessionFailureOf } from './session-error.ts'
import { holdsKeys, type SessionEffect, type SessionEvent, type SessionState, transition } from './session-state.ts'
import { type Mark, ShellIntegrationParser } from './shell-integration.ts'

export interface SessionOptions {
  /** The name of the terminal, for messages. */
  name: string
  cols: number
  rows: number
  executor: Executor
  /** Values that only viewers with the permission to type may see. */
  secrets?: readonly string[]
}

/** The result of a command that has ended. */
export interface CommandEnd {
  /** null if the shell ended before it could report the exit status; `failure` is then the reason. */
  exit: number | null
  seconds: number
  failure?: SessionFailure
}

const FIRST_PROMPT_TIMEOUT_MS = 20_000

/**
 * A key sequence that makes the shell clear its line and send a mark (bound in shell-integration.bash). No keyboard
 * sends it.
 */
const CLEAR_LINE_KEY = '\u001b[9133~'
/**
 * The key is sent again if the shell does not respond: an incomplete key sequence typed before it would absorb the
 * first one.
 */
const CLEAR_LINE = { intervalMs: 400, attempts: 10 } as const

/** Ctrl-C is sent again while the shell is idle and has not shown its prompt. */
const INTERRUPT = { intervalMs: 250, attempts: 5 } as const

const CTRL_C = '\u0003'
const PASTE_START = '\u001b[200~'
const PASTE_END = '\u001b[201~'

/** Control characters that a bracketed paste cannot contain: all except tab and newline. */
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u001f\u007f]/

/** A running step. */
interface StepExecution {
  command: string
  startedAt: number
  onOutput: (bytes: Uint8Array) => void
  resolve: (end: CommandEnd) => void
  reject: (error: SessionError) => void
}

/**
 * A shell in a pseudo-terminal with its screen: it types steps, holds keys back while the shell cannot accept them, and
 * reports its state. The states and their transitions are in session-state.ts.
 */
export class Session implements Source {
  readonly name: string
  readonly cols: number
  readonly rows: number
  /** Marks every process of the session in its environment. */
  readonly id = randomBytes(12).toString('hex')

  private current: SessionState = { name: 'new' }
  private readonly listeners = new Set<(state: SessionState) => void>()
  private readonly executor: Executor
  private shell: Shell | undefined
  private readonly broadcast: Broadcast
  /** The same output with secrets redacted; undefined if there are no secrets. */
  private readonly redactedBroadcast: RedactedBroadcast | undefined
  /** The screens that are behind the output. The pseudo-terminal is paused while this set is not empty. */
  private readonly behind = new Set<'screen' | 'redacted'>()
  private paused = false
  /** Whether the keys that arrive are part of a bracketed paste. */
  private pasting = false
  private readonly heldKeys: string[] = []
  private interruptTimer: NodeJS.Timeout | undefined
  private clearLineTimer: NodeJS.Timeout | undefined
  private starting: Promise<void> | undefined
  private restarting: Promise<void> | undefined
  private firstPrompt: PromiseWithResolvers | undefined
  private execution: StepExecution | undefined
  private closed = false

  constructor({ name, cols, rows, executor, secrets = [] }: SessionOptions) {
    this.name = name
    this.cols = cols
    this.rows = rows
    this.executor = executor
    this.broadcast = new Broadcast({
      cols,
      rows,
      onReply: (reply) => this.shell?.write(reply),
      onBehind: (behind) => this.setBehind('screen', behind),
    })
    if (secrets.length > 0)
      this.redactedBroadcast = new RedactedBroadcast(
        { cols, rows, onBehind: (behind) => this.setBehind('redacted', behind) },
        secrets,
      )
  }

  /** The output for viewers that must not see secrets: the session itself if there are no secrets. */
  get redacted(): Source {
    return this.redactedBroadcast ?? this
  }

  get state(): SessionState {
    return this.current
  }

  /** @returns a function that removes the listener */
  onState(listener: (state: SessionState) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  attach(viewer: Viewer): number {
    return this.broadcast.attach(viewer)
  }

  detach(handle: number): void {
    this.broadcast.detach(handle)
  }

  ack(channel: number, bytes: number): void {
    this.broadcast.ack(channel, bytes)
  }

  /**
   * Starts the shell and waits for its first prompt.
   *
   * @throws SessionError if the shell ends or does not show a prompt in time
   * @throws Error of the executor if the shell cannot be started
   */
  start(): Promise<void> {
    this.dispatch({ type: 'shell-starting' })
    this.starting = this.startShell()
      .catch((error: unknown) => {
        if (this.current.name === 'starting') this.dispatch({ type: 'shell-ended', failure: sessionFailureOf(error) })
        throw error
      })
      .finally(() => (this.starting = undefined))
    return this.starting
  }

  private async startShell(): Promise<void> {
    const secret = randomBytes(16).toString('hex')
    const parser = new ShellIntegrationParser(secret)
    const shell = await this.executor.shell({ marker: this.id, cols: this.cols, rows: this.rows, secret })
    if (this.closed) {
      await this.executor.endSession(this.id)
      throw new SessionError({ kind: 'closed' })
    }
    this.shell = shell
    this.firstPrompt = promiseWithResolvers()
    const timeout = setTimeout(() => {
      void this.endShell({ kind: 'no-first-prompt', seconds: FIRST_PROMPT_TIMEOUT_MS / 1000 })
    }, FIRST_PROMPT_TIMEOUT_MS)
    shell.onOutput((bytes) => {
      if (this.shell !== shell) return
      for (const piece of parser.feed(bytes)) {
        if ('mark' in piece) this.onMark(piece.mark)
        else this.onOutput(piece.output)
      }
    })
    shell.onExit(({ exit, signal }) => {
      if (this.shell !== shell) return
      this.shell = undefined
      this.resumeShell()
      this.dispatch({
        type: 'shell-ended',
        failure: signal ? { kind: 'shell-killed', signal } : { kind: 'shell-exited', exit },
      })
    })
    await this.firstPrompt.promise.finally(() => clearTimeout(timeout))
  }

  /** Types keys, as the terminal in a browser sends them. */
  write(data: string): void {
    if (holdsKeys(this.current)) return void this.heldKeys.push(data)
    // Between an entered line and the next prompt, no step can run: it would get the exit status of that line, or
    // become part of an open quotation.
    if (this.entersLine(data)) this.dispatch({ type: 'line-entered' })
    this.shell?.write(data)
    if (data.includes(CTRL_C)) this.repeatInterrupt()
  }

  interrupt(): void {
    this.write(CTRL_C)
  }

  /**
   * A Ctrl-C that arrives while bash prepares its prompt suppresses the prompt and its marks. Another Ctrl-C makes bash
   * show them.
   */
  private repeatInterrupt(): void {
    clearInterval(this.interruptTimer)
    let attemptsLeft: number = INTERRUPT.attempts
    this.interruptTimer = setInterval(() => {
      if (attemptsLeft-- === 0) clearInterval(this.interruptTimer)
      else if (this.shell?.isForeground()) this.shell.write(CTRL_C)
    }, INTERRUPT.intervalMs)
  }

  private entersLine(data: string): boolean {
    let enters = false
    for (const [token] of data.matchAll(/\u001b\[20[01]~|[\r\n\u0003]/g)) {
      if (token.length > 1) this.pasting = token === PASTE_START
      else if (!this.pasting || token === CTRL_C) enters = true
    }
    return enters
  }

  /**
   * Types a command into the shell as one paste and waits for its end. Text on the line that was not entered is
   * discarded. If the user has entered a line that the shell has not run yet, that line runs and the step is rejected.
   *
   * @param step id of the step, which is part of the session's state while the step runs
   * @param command lines without control characters other than tab and newline
   * @param onOutput receives the command's output without the prompt and the command itself
   * @throws SessionError if the shell is not at its prompt or does not respond, or the command contains control
   * characters
   */
  async run(step: string, command: string, onOutput: (bytes: Uint8Array) => void = () => {}): Promise<CommandEnd> {
    if (this.current.name !== 'at-prompt') throw new SessionError({ kind: 'not-at-prompt', terminal: this.name })
    if (CONTROL_CHARACTERS.test(command)) throw new SessionError({ kind: 'control-characters', step })
    return new Promise((resolve, reject) => {
      this.execution = { command, startedAt: performance.now(), onOutput, resolve, reject }
      this.dispatch({ type: 'step-requested', step })
      this.clearLine()
    })
  }

  /** Makes the shell clear its line. The mark arrives after the shell has read everything that was typed before. */
  private clearLine(): void {
    const key = this.pasting ? PASTE_END + CLEAR_LINE_KEY : CLEAR_LINE_KEY
    this.pasting = false
    let attempts = 0
    const sendKey = () => {
      if (attempts++ < CLEAR_LINE.attempts) this.shell?.write(key)
      else this.dispatch({ type: 'clear-timed-out' })
    }
    this.clearLineTimer = setInterval(sendKey, CLEAR_LINE.intervalMs)
    sendKey()
  }

  /** Stops everything in the terminal and starts a fresh shell. Viewers remain attached. */
  restart(): Promise<void> {
    this.restarting ??= this.restartShell().finally(() => (this.restarting = undefined))
    return this.restarting
  }

  private async restartShell(): Promise<void> {
    // A start in progress is awaited first, so that its callers are settled.
    await this.starting?.catch(() => {})
    await this.endShell({ kind: 'restarted' })
    if (this.closed) throw new SessionError({ kind: 'closed' })
    this.broadcast.clear()
    this.redactedBroadcast?.clear()
    await this.start()
  }

  /** Ends the session and all of its processes. */
  async end(): Promise<void> {
    this.closed = true
    await this.endShell({ kind: 'closed' })
    await this.restarting?.catch(() => {})
    await this.starting?.catch(() => {})
    this.broadcast.dispose()
    this.redactedBroadcast?.dispose()
  }

  private async endShell(failure: SessionFailure): Promise<void> {
    this.resumeShell()
    this.shell = undefined
    await this.executor.endSession(this.id)
    this.dispatch({ type: 'shell-ended', failure })
  }

  private onOutput(bytes: Uint8Array): void {
    if (this.current.name === 'running-step') this.execution?.onOutput(bytes)
    this.broadcast.write(bytes)
    this.redactedBroadcast?.write(bytes)
  }

  private onMark(mark: Mark): void {
    switch (mark.kind) {
      case 'prompt-start':
        return
      case 'prompt-end':
        return this.dispatch({ type: 'prompt-shown' })
      case 'output-start':
      case 'continuation-prompt':
        return this.dispatch({ type: 'command-started' })
      case 'command-end':
        return this.dispatch({ type: 'command-exited', exit: mark.exit })
      case 'line-cleared':
        return this.dispatch({ type: 'line-cleared' })
    }
  }

  private dispatch(event: SessionEvent): void {
    const previous = this.current
    const { state, effects } = transition(previous, event)
    this.current = state
    if (state.name !== 'clearing-line') clearInterval(this.clearLineTimer)
    // The interrupt has succeeded, or there is nothing to interrupt. Another Ctrl-C would interrupt the next command.
    if (state.name === 'at-prompt' || state.name === 'ended') clearInterval(this.interruptTimer)
    if (state !== previous) {
      if (isBusy(state) !== isBusy(previous)) this.executor.trackProcesses(this.id, isBusy(state))
      for (const listener of this.listeners) listener(state)
    }
    for (const effect of effects) this.perform(effect, previous)
  }

  /** @param previous the state before the transition */
  private perform(effect: SessionEffect, previous: SessionState): void {
    switch (effect) {
      case 'release-keys':
        for (const data of this.heldKeys.splice(0)) this.write(data)
        return
      case 'discard-keys':
        this.pasting = false
        this.heldKeys.length = 0
        return
      case 'type-command':
        // A bracketed paste, so that the lines are one entry.
        this.shell?.write(`${PASTE_START}${this.execution?.command ?? ''}${PASTE_END}\r`)
        return
      case 'first-prompt':
        this.firstPrompt?.resolve()
        this.firstPrompt = undefined
        return
      case 'reject-step-unresponsive':
        return this.rejectStep({ kind: 'unresponsive', terminal: this.name })
      case 'reject-step-line-first':
        return this.rejectStep({ kind: 'line-came-first', terminal: this.name })
      case 'finish-step':
        return this.finishStep(previous)
      case 'reject-all':
        if (this.current.name !== 'ended') return
        this.firstPrompt?.reject(new SessionError(this.current.failure))
        this.firstPrompt = undefined
        this.rejectStep(this.current.failure)
    }
  }

  private rejectStep(failure: SessionFailure): void {
    const { execution } = this
    this.execution = undefined
    execution?.reject(new SessionError(failure))
  }

  /** Resolves the step that was typed. A step that was not typed yet is rejected by `reject-all` instead. */
  private finishStep(previous: SessionState): void {
    if (previous.name === 'clearing-line') return
    const { execution, current } = this
    this.execution = undefined
    execution?.resolve({
      exit: previous.name === 'step-exited' ? previous.exit : null,
      seconds: (performance.now() - execution.startedAt) / 1000,
      ...(current.name === 'ended' && { failure: current.failure }),
    })
  }

  private setBehind(screen: 'screen' | 'redacted', behind: boolean): void {
    if (behind) this.behind.add(screen)
    else this.behind.delete(screen)
    if (behind) this.pauseShell()
    else if (this.behind.size === 0) this.resumeShell()
  }

  private pauseShell(): void {
    if (this.paused) return
    this.paused = true
    this.shell?.pause()
  }

  private resumeShell(): void {
    if (!this.paused) return
    this.paused = false
    this.shell?.resume()
  }
}

/** Whether a command is running or about to run. */
function isBusy({ name }: SessionState): boolean {
  return name !== 'new' && name !== 'starting' && name !== 'at-prompt' && name !== 'ended'
}

interface PromiseWithResolvers {
  promise: Promise<void>
  resolve: () => void
  reject: (error: SessionError) => void
}

function promiseWithResolvers(): PromiseWithResolvers {
  let resolve: () => void = () => {}
  let reject: (error: SessionError) => void = () => {}
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
