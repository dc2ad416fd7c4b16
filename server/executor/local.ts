import { randomBytes } from 'node:crypto'
import { constants, rmSync } from 'node:fs'
import { access, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { answersHttps, isPortFree } from '../lib/network-probes.ts'
import { packageRoot } from '../lib/paths.ts'
import { shellQuote } from '../lib/shell-quote.ts'
import {
  type Executor,
  type OutputListener,
  type ScriptResult,
  type Shell,
  type ShellOptions,
  TERMINAL_VARIABLES,
} from './executor.ts'
import type { ProcessRegistry } from './process-registry.ts'
import { endSession, findSessionProcesses, identify, isForeground, MARKER_VARIABLE } from './process-tree.ts'
import { openTerminal, type TerminalProcess } from './pseudo-terminal.ts'
import { runScript } from './script.ts'

export interface LocalOptions {
  /** Working directory of shells and scripts. */
  cwd: string
  /** The complete environment of the shells: no variable of the server is added. */
  env: Record<string, string>
  registry: ProcessRegistry
}

/** Interval at which the processes of a running command are recorded. */
const TRACKING_INTERVAL_MS = 1000

const NO_BASH = 'bash was not found on the PATH. Install it: apt-get install bash'

/** Runs shells and scripts on this machine, as the user who runs the server. */
export class LocalExecutor implements Executor {
  private readonly options: LocalOptions
  private readonly trackers = new Map<string, NodeJS.Timeout>()

  constructor(options: LocalOptions) {
    this.options = options
  }

  async shell({ marker, cols, rows, secret }: ShellOptions): Promise<Shell> {
    const bash = await this.which('bash')
    if (!bash) throw new Error(NO_BASH)
    await access(this.options.cwd).catch(() => {
      throw new Error(
        `The working directory ${this.options.cwd} no longer exists. To recreate it, choose "Reset the stage" on the presenter page.`,
      )
    })
    const folder = await mkdtemp(join(tmpdir(), 'understudy-')).catch(rethrowWithAdvice)
    const rcFile = join(folder, 'rc')
    const integration = join(packageRoot, 'server', 'terminal', 'shell-integration.bash')
    // The file deletes itself as it is read: once the shell runs, no file, environment or argument contains the secret.
    const rcText = `__understudy_secret=${secret}\nrm -r -- ${shellQuote(folder)}\nsource ${shellQuote(integration)}\n`
    await writeFile(rcFile, rcText, { mode: 0o600 }).catch(async (error: unknown) => {
      await rm(folder, { recursive: true, force: true }).catch(() => {})
      return rethrowWithAdvice(error)
    })
    let terminal: TerminalProcess
    try {
      terminal = openTerminal(bash, ['--noprofile', '--rcfile', rcFile, '-i'], {
        cwd: this.options.cwd,
        cols,
        rows,
        env: { ...this.environment(), [MARKER_VARIABLE]: marker },
      })
    } catch (error) {
      await rm(folder, { recursive: true, force: true }).catch(() => {})
      throw error
    }
    const leader = identify(terminal.pid)
    // Not awaited: output that arrives before the caller adds its listener would be lost.
    if (leader) void this.options.registry.record(marker, [...this.options.registry.recordedProcesses(marker), leader])
    return {
      ...terminal,
      isForeground: () => isForeground(terminal.pid),
      onExit: (listener) =>
        terminal.onExit((end) => {
          // Synchronous, because the server may be shutting down.
          rmSync(folder, { recursive: true, force: true })
          listener(end)
        }),
    }
  }

  async script(
    script: string,
    timeoutSeconds: number,
    signal?: AbortSignal,
    onOutput?: OutputListener,
  ): Promise<ScriptResult> {
    const bash = await this.which('bash')
    if (!bash) return { exit: null, stdout: '', output: NO_BASH }
    const marker = randomBytes(12).toString('hex')
    const { cwd, env, registry } = this.options
    return runScript(bash, ['--norc', '-c', script], {
      cwd,
      env: { LANG: 'C.UTF-8', ...env, [MARKER_VARIABLE]: marker },
      marker,
      registry,
      timeoutSeconds,
      signal,
      onOutput,
    })
  }

  async which(program: string): Promise<string | undefined> {
    const { cwd, env } = this.options
    // As in a shell, a name that contains a slash is a path.
    const folders = program.includes('/') ? [cwd] : (env.PATH ?? '').split(delimiter).filter(Boolean)
    for (const folder of folders) {
      const file = resolve(folder, program)
      if (await isExecutable(file)) return file
    }
    return undefined
  }

  hasVariable(name: string): Promise<boolean> {
    const environment = this.environment()
    return Promise.resolve(Object.hasOwn(environment, name) && environment[name] !== '')
  }

  reaches(host: string): Promise<boolean> {
    return answersHttps(host)
  }

  isPortFree(port: number): Promise<boolean> {
    return isPortFree(port)
  }

  trackProcesses(marker: string, on: boolean): void {
    this.stopTracking(marker)
    const { registry } = this.options
    const record = async () => {
      const processes = await findSessionProcesses(marker, registry.recordedProcesses(marker))
      if (processes.length > 0) await registry.record(marker, processes)
    }
    // Also recorded when tracking is switched off: the command may have left background processes.
    void record()
    if (on) this.trackers.set(marker, setInterval(() => void record(), TRACKING_INTERVAL_MS).unref())
  }

  async endSession(marker: string): Promise<void> {
    this.stopTracking(marker)
    const { registry } = this.options
    await endSession(marker, registry.recordedProcesses(marker))
    await registry.record(marker, [])
  }

  private stopTracking(marker: string): void {
    clearInterval(this.trackers.get(marker))
    this.trackers.delete(marker)
  }

  /** The environment variables of the shells, except the session marker. */
  private environment(): Record<string, string> {
    return { LANG: 'C.UTF-8', ...this.options.env, ...TERMINAL_VARIABLES }
  }
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}

/** Replaces errors about exhausted resources of the system with messages that contain the fix. */
function rethrowWithAdvice(error: unknown): never {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
    case 'EDQUOT':
      throw new Error(`The disk is full: cannot create files in ${tmpdir()}. Free some space, then run the step again.`)
    case 'EMFILE':
    case 'ENFILE':
      throw new Error('Too many open files. Close windows that you do not need, then run the step again.')
    default:
      throw error
  }
}
