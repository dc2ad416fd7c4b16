import { randomBytes } from 'node:crypto'
import type { Executor, Shell } from '../executor/executor.ts'
import type { TerminalState } from '../../shared/protocol/talk.ts'
import { Broadcast, type Viewer } from './broadcast.ts'
import { MarkFilter, type Mark } from './shell-integration.ts'
import { RedactedBroadcast } from './redacted-broadcast.ts'

export interface SessionOptions {
  name: string
  cols: number
  rows: number
  executor: Executor
  /** Values that only who types may see. */
  secrets?: readonly string[]
}

const CLOSED = 'The terminal was closed.'

/** How a command ended. */
export interface CommandEnd {
  /** null where the shell was gone before it could say. */
  exit: number | null
  seconds: number
  reason?: string
}

/** Milliseconds within which a shell must come to its first prompt. */
const FIRST_PROMPT = 20_000

/** The key that empties the line and has the shell say so (bound in shell-integration.bash). No keyboard sends it. */
const CLEAR_LINE = '\u001b[9133~'
/** Milliseconds before it is pressed again, and how often: half a key sequence that was typed before swallows the first. */
const CLEAR_AGAIN = { after: 400, times: 10 } as const

/** Milliseconds after a Ctrl-C in which the shell comes to its prompt, and how often it is pressed again where it does not. */
const INTERRUPT_AGAIN = { after: 250, times: 5 } as const

/** A running terminal: the shell, its screen and its viewers. */
export class Session {
  readonly name: string
  readonly cols: number
  readonly rows: number
  /** In the environment of every process of the session. */
  readonly id = randomBytes(12).toString('hex')

  private current: TerminalState = { state: 'new' }
  private readonly listeners = new Set<(state: TerminalState) => void>()
  private readonly executor: Executor
  private shell: Shell | undefined
  private readonly broadcast: Broadcast
  /** The same without secrets; absent where there are none. */
  private readonly redacted: RedactedBroadcast | undefined
  /** The screens that are behind: the pseudo-terminal waits for the last of them. */
  private readonly behind = new Set<'screen' | 'masked'>()
  /** Whether the pseudo-terminal has to wait for the screen. */
  private paused = false
  /** Whether keys are within a bracketed paste. */
  private pasting = false
  private insisting: NodeJS.Timeout | undefined
  private restarting: Promise<void> | undefined
  private starting: Promise<void> | undefined
  private closed = false
  /** A step that waits for an empty line. */
  private clearing: { done: () => void; fail: (error: Error) => void } | undefined
  /**
   * Keys that come before the shell can take them: while it starts, it would not get them or would show them twice; while a step is typed
   * they are for its command, and before it begins they would change it, or reach it in readline's mode.
   */
  private held: string[] | undefined
  /** The command of a step that runs. */
  private command:
    | {
        step: string
        since: number
        begun: boolean
        exit?: number
        onOutput: (bytes: Uint8Array) => void
        done: (end: CommandEnd) => void
      }
    | undefined
  private firstPrompt: { done: () => void; fail: (error: Error) => void } | undefined

  constructor({ name, cols, rows, executor, secrets = [] }: SessionOptions) {
    this.name = name
    this.cols = cols
    this.rows = rows
    this.executor = executor
    this.broadcast = new Broadcast({
      cols,
      rows,
      onReply: (reply) => this.shell?.write(reply),
      onBehind: (behind) => this.wait('screen', behind),
    })
    if (secrets.length > 0)
      this.redacted = new RedactedBroadcast({ cols, rows, onBehind: (behind) => this.wait('masked', behind) }, secrets)
  }

  /** What viewers watch who may not see the secrets: the session itself where there are none. */
  get withoutSecrets(): Pick<Session, 'attach' | 'detach' | 'ack'> {
    return this.redacted ?? this
  }

  get state(): TerminalState {
    return this.current
  }

  /** @returns what stops the telling */
  onState(listener: (state: TerminalState) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /**
   * Starts the shell; resolves at its first prompt.
   *
   * @throws Error where the shell does not start, or ends before it
   */
  start(): Promise<void> {
    this.held = []
    this.starting = this.startShell().finally(() => (this.starting = undefined))
    return this.starting
  }

  private async startShell(): Promise<void> {
    const secret = randomBytes(16).toString('hex')
    const filter = new MarkFilter(secret)
    const shell = await this.executor.shell({ marker: this.id, cols: this.cols, rows: this.rows, secret })
    if (this.closed) {
      await this.executor.end(this.id)
      throw new Error(CLOSED)
    }
    this.shell = shell
    const ready = new Promise<void>((done, fail) => (this.firstPrompt = { done, fail }))
    const late = setTimeout(() => {
      void this.endShell(`The shell did not come to its prompt within ${FIRST_PROMPT / 1000} seconds.`)
    }, FIRST_PROMPT)
    shell.onOutput((bytes) => {
      if (this.shell !== shell) return
      for (const piece of filter.feed(bytes)) {
        if ('mark' in piece) this.onMark(piece.mark)
        else {
          if (this.command?.begun && this.command.exit === undefined) this.command.onOutput(piece.output)
          this.broadcast.write(piece.output)
          this.redacted?.write(piece.output)
        }
      }
    })
    shell.onExit(({ exit, signal }) => {
      if (this.shell !== shell) return
      this.shell = undefined
      this.resume()
      const reason = signal ? `The shell was ended by signal ${signal}.` : `The shell ended with exit status ${exit}.`
      this.settle(reason)
    })
    await ready.finally(() => clearTimeout(late))
  }

  /**
   * Shows the session to a viewer: a snapshot first, then everything that comes after it.
   *
   * @returns what `detach` takes
   */
  attach(viewer: Viewer): number {
    return this.broadcast.attach(viewer)
  }

  detach(handle: number): void {
    this.broadcast.detach(handle)
  }

  /** @param bytes parsed by the viewer since the snapshot of that channel */
  ack(channel: number, bytes: number): void {
    this.broadcast.ack(channel, bytes)
  }

  /** Keys, as the terminal in a browser sends them. */
  write(data: string): void {
    if (this.held) return void this.held.push(data)
    // A line that is entered, or given up, takes the shell from its prompt until it shows the next: were a step typed before,
    // it would get that line's exit status, or become part of a quotation that is still open.
    if (this.entersLine(data) && this.current.state === 'prompt') this.become({ state: 'busy' })
    this.shell?.write(data)
    if (data.includes('\u0003')) this.insist()
  }

  /** A Ctrl-C that comes while bash makes its prompt leaves it with an empty one, which has no marks: another one brings it back. */
  private insist(): void {
    clearInterval(this.insisting)
    let left: number = INTERRUPT_AGAIN.times
    this.insisting = setInterval(() => {
      if (left-- === 0) clearInterval(this.insisting)
      else if (this.shell?.atRest()) this.shell.write('\u0003')
    }, INTERRUPT_AGAIN.after)
  }

  private entersLine(data: string): boolean {
    let enters = false
    for (const [token] of data.matchAll(/\u001b\[20[01]~|[\r\n\u0003]/g)) {
      if (token.length > 1) this.pasting = token === '\u001b[200~'
      else if (!this.pasting || token === '\u0003') enters = true
    }
    return enters
  }

  /**
   * Types a command into the shell, as one paste, and waits for its end. What was typed by hand and not entered goes; a line that
   * was typed ahead and entered comes first, and the step is refused.
   *
   * @param step told in the state of the terminal
   * @param command lines; no control characters but tabs and newlines, which no paste holds together
   * @param onOutput what the command prints, without the prompt and the command itself
   * @throws Error where the shell is not at its prompt, or the command has control characters
   */
  async run(step: string, command: string, onOutput: (bytes: Uint8Array) => void = () => {}): Promise<CommandEnd> {
    if (this.current.state !== 'prompt') throw new Error(`Terminal "${this.name}" is not at its prompt.`)
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(command))
      throw new Error(`The command of step "${step}" has control characters, which cannot be typed.`)
    this.become({ state: 'busy', step })
    this.held = []
    await this.clearLine()
    return new Promise((done) => {
      this.command = { step, since: performance.now(), begun: false, onOutput, done }
      // A bracketed paste, so that the lines are one entry.
      this.shell?.write(`\u001b[200~${command}\u001b[201~\r`)
    })
  }

  /** Has the shell empty its line. What it answers comes after everything that was typed before. */
  private clearLine(): Promise<void> {
    const key = this.pasting ? `\u001b[201~${CLEAR_LINE}` : CLEAR_LINE
    this.pasting = false
    return new Promise<void>((done, fail) => {
      let pressed = 0
      const press = () => {
        if (pressed++ < CLEAR_AGAIN.times) this.shell?.write(key)
        else this.clearing?.fail(new Error(`The shell of terminal "${this.name}" does not answer. Restart it.`))
      }
      const timer = setInterval(press, CLEAR_AGAIN.after)
      const over = () => {
        clearInterval(timer)
        this.clearing = undefined
      }
      this.clearing = {
        done: () => (over(), done()),
        fail: (error) => {
          over()
          this.release()
          fail(error)
        },
      }
      press()
    })
  }

  private release(): void {
    const keys = this.held ?? []
    this.held = undefined
    for (const data of keys) this.write(data)
  }

  interrupt(): void {
    this.write('\u0003')
  }

  /** Ends everything in the terminal and starts a fresh shell; viewers stay. */
  restart(): Promise<void> {
    this.restarting ??= this.restartShell().finally(() => (this.restarting = undefined))
    return this.restarting
  }

  private async restartShell(): Promise<void> {
    // Who waits for the first prompt of this session has it, whichever shell shows it.
    await this.starting?.catch(() => {})
    await this.endShell('The shell was restarted.')
    if (this.closed) throw new Error(CLOSED)
    this.broadcast.clear()
    this.redacted?.clear()
    await this.start()
  }

  /** Ends every process of the session. */
  async end(): Promise<void> {
    this.closed = true
    await this.endShell(CLOSED)
    await this.restarting?.catch(() => {})
    await this.starting?.catch(() => {})
    this.broadcast.dispose()
    this.redacted?.dispose()
  }

  private async endShell(reason: string): Promise<void> {
    this.resume()
    this.shell = undefined
    await this.executor.end(this.id)
    this.settle(reason)
  }

  /** The shell is gone: tells everyone who waits for it. */
  private settle(reason: string): void {
    this.firstPrompt?.fail(new Error(reason))
    this.firstPrompt = undefined
    clearInterval(this.insisting)
    this.pasting = false
    this.held = undefined
    this.clearing?.fail(new Error(reason))
    this.finish(reason)
    this.become({ state: 'ended', reason })
  }

  private wait(which: 'screen' | 'masked', behind: boolean): void {
    if (behind) this.behind.add(which)
    else this.behind.delete(which)
    if (behind) this.pause()
    else if (this.behind.size === 0) this.resume()
  }

  private pause(): void {
    if (this.paused) return
    this.paused = true
    this.shell?.pause()
  }

  private resume(): void {
    if (!this.paused) return
    this.paused = false
    this.shell?.resume()
  }

  private onMark(mark: Mark): void {
    switch (mark.kind) {
      case 'L':
        return this.clearing?.done()
      case 'C':
      case 'S':
        if (this.clearing || this.current.state !== 'busy') this.become({ state: 'busy' })
        if (this.command) this.command.begun = true
        if (this.clearing)
          this.clearing.fail(
            new Error(
              `A line that was typed by hand in terminal "${this.name}" came first. Run the step again once it is over, or interrupt it.`,
            ),
          )
        else this.release()
        return
      case 'D':
        if (this.command) this.command.exit = mark.exit
        return
      case 'B':
        // The prompt is painted anew when the line was emptied, and while a step is typed.
        if (!this.firstPrompt && (this.held || this.command) && this.command?.exit === undefined) return
        this.become({ state: 'prompt' })
        // A command is over when the next one can be typed. One that never began has kept the keys.
        this.release()
        this.finish()
        this.firstPrompt?.done()
        this.firstPrompt = undefined
    }
  }

  /** @param reason why there is no exit status, where there is none */
  private finish(reason?: string): void {
    const command = this.command
    this.command = undefined
    command?.done({
      exit: command.exit ?? null,
      seconds: (performance.now() - command.since) / 1000,
      ...(reason !== undefined && { reason }),
    })
  }

  private become(state: TerminalState): void {
    // It has worked: pressed again it would hit what is run next.
    if (state.state === 'prompt') clearInterval(this.insisting)
    if (state.state === this.current.state && state.state === 'prompt') return
    this.current = state
    this.executor.watch(this.id, state.state === 'busy')
    for (const listener of this.listeners) listener(state)
  }
}
