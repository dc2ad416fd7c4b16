import { randomBytes } from 'node:crypto'
import { constants, rmSync } from 'node:fs'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import { answersHttps, isPortFree } from '../lib/network-probes.ts'
import { packageRoot } from '../lib/paths.ts'
import { shellWord } from '../lib/shell-quote.ts'
import { type Executor, type ScriptEnd, type Shell, type ShellOptions, TERMINAL_VARIABLES } from './executor.ts'
import type { ProcessRegistry } from './process-registry.ts'
import { endSession, hasTerminal, identify, MARKER, membersOf } from './process-tree.ts'
import { type Opened, openTerminal } from './pseudo-terminal.ts'
import { runScript } from './script.ts'

export interface LocalOptions {
  cwd: string
  /** The whole environment of the shells; nothing of the server's own is added. */
  env: Record<string, string>
  registry: ProcessRegistry
}

/** Milliseconds between two looks at what a command has started. */
const WATCH = 1000

/** Runs the shells on this machine, as the user of the server. */
export class LocalExecutor implements Executor {
  private readonly options: LocalOptions
  private readonly watches = new Map<string, NodeJS.Timeout>()

  constructor(options: LocalOptions) {
    this.options = options
  }

  async shell({ marker, cols, rows, secret }: ShellOptions): Promise<Shell> {
    const bash = await this.which('bash')
    if (!bash) throw new Error('There is no bash on the PATH. Install it: apt-get install bash')
    await access(this.options.cwd).catch(() => {
      throw new Error(
        `There is no folder ${this.options.cwd} any more. "Reset the stage" on the presenter page makes it anew.`,
      )
    })
    const folder = await mkdtemp(join(tmpdir(), 'understudy-')).catch(explain)
    const start = join(folder, 'rc')
    const integration = join(packageRoot, 'server', 'terminal', 'shell-integration.bash')
    // Read once and gone: the secret is in no file, environment or argument once the shell runs.
    const startFile = `__understudy_secret=${secret}\nrm -r -- ${shellWord(folder)}\nsource ${shellWord(integration)}\n`
    await writeFile(start, startFile, { mode: 0o600 }).catch(async (error: NodeJS.ErrnoException) => {
      await rm(folder, { recursive: true, force: true }).catch(() => {})
      return explain(error)
    })
    const env = { ...this.environment(), [MARKER]: marker }
    let terminal: Opened
    try {
      terminal = openTerminal(bash, ['--noprofile', '--rcfile', start, '-i'], {
        cwd: this.options.cwd,
        cols,
        rows,
        env,
      })
    } catch (error) {
      await rm(folder, { recursive: true, force: true }).catch(() => {})
      throw error
    }
    const leader = identify(terminal.pid)
    // Not awaited: output that comes before the caller listens would be lost.
    if (leader) void this.options.registry.note(marker, [...this.options.registry.known(marker), leader])
    return {
      ...terminal,
      atRest: () => hasTerminal(terminal.pid),
      onExit: (listener) =>
        terminal.onExit((end) => {
          // At once: a server that ends has no time for what comes later.
          rmSync(folder, { recursive: true, force: true })
          listener(end)
        }),
    }
  }

  async script(
    script: string,
    seconds: number,
    signal?: AbortSignal,
    onOutput?: (bytes: Buffer, from: 'stdout' | 'stderr') => void,
  ): Promise<ScriptEnd> {
    const bash = await this.which('bash')
    if (!bash)
      return { exit: null, value: '', output: 'There is no bash on the PATH. Install it: apt-get install bash' }
    const marker = randomBytes(12).toString('hex')
    const { cwd, env, registry } = this.options
    return runScript(bash, ['--norc', '-c', script], {
      cwd,
      env: { LANG: 'C.UTF-8', ...env, [MARKER]: marker },
      marker,
      registry,
      seconds,
      signal,
      onOutput,
    })
  }

  async which(program: string): Promise<string | undefined> {
    const folders = isAbsolute(program) ? [''] : (this.options.env.PATH ?? '').split(delimiter).filter(Boolean)
    for (const folder of folders) {
      const file = join(folder, program)
      if (
        await access(file, constants.X_OK).then(
          () => true,
          () => false,
        )
      )
        return file
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

  watch(marker: string, on: boolean): void {
    clearInterval(this.watches.get(marker))
    this.watches.delete(marker)
    const { registry } = this.options
    const look = async () => {
      const members = await membersOf(marker, registry.known(marker))
      if (members.length > 0) await registry.note(marker, members)
    }
    // One look at the end too: what a command leaves in the background is remembered.
    void look()
    if (on) this.watches.set(marker, setInterval(() => void look(), WATCH).unref())
  }

  async end(marker: string): Promise<void> {
    clearInterval(this.watches.get(marker))
    this.watches.delete(marker)
    const { registry } = this.options
    await endSession(marker, registry.known(marker))
    await registry.note(marker, [])
  }

  /** The environment variables of the shells, without those of a session. */
  private environment(): Record<string, string> {
    return { LANG: 'C.UTF-8', ...this.options.env, ...TERMINAL_VARIABLES }
  }
}

/** Says what a user can do about what the system lacks. */
function explain(error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    throw new Error(`The disk is full: there is no room in ${tmpdir()}. Free some space, then run the step again.`)
  if (error.code === 'EMFILE' || error.code === 'ENFILE')
    throw new Error('No more files can be opened. Close windows that are not needed, then run the step again.')
  throw error
}
