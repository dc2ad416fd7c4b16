import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, constants, openSync, write } from 'node:fs'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import { Duplex } from 'node:stream'
import * as pty from 'node-pty'
import { packageRoot } from '../paths.ts'
import type { Executor, ScriptEnd, Shell, ShellOptions } from './executor.ts'
import type { Ledger } from './ledger.ts'
import { endSession, hasTerminal, identify, MARKER, membersOf } from './process-tree.ts'

export interface LocalOptions {
  cwd: string
  /** The whole environment of the shells; nothing of the server's own is added. */
  env: Record<string, string>
  ledger: Ledger
}

/** Characters of a script's output that are kept: a value, or the last lines of what went wrong. */
const KEPT = 16_384
/** Milliseconds that the last output of a script may take to be read. */
const UNREAD = 2000
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
      throw new Error(`There is no folder ${this.options.cwd} any more. "Reset the stage" on the presenter page makes it anew.`)
    })
    const folder = await mkdtemp(join(tmpdir(), 'understudy-')).catch(explain)
    const start = join(folder, 'rc')
    const integration = join(packageRoot, 'server', 'session', 'shell-integration.bash')
    // Read once and gone: the secret is in no file, environment or argument once the shell runs.
    const startFile = `__understudy_secret=${secret}\nrm -r -- ${quote(folder)}\nsource ${quote(integration)}\n`
    await writeFile(start, startFile, { mode: 0o600 }).catch(async (error: NodeJS.ErrnoException) => {
      await rm(folder, { recursive: true, force: true }).catch(() => {})
      return explain(error)
    })
    let terminal: pty.IPty
    try {
      terminal = pty.spawn(bash, ['--noprofile', '--rcfile', start, '-i'], {
        name: 'xterm-256color',
        cols,
        rows,
        cwd: this.options.cwd,
        // Bytes as they come: a character may be split between two reads, and the screen puts it together.
        encoding: null,
        env: { LANG: 'C.UTF-8', ...this.options.env, TERM: 'xterm-256color', COLORTERM: 'truecolor', [MARKER]: marker },
      })
    } catch (error) {
      await rm(folder, { recursive: true, force: true }).catch(() => {})
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`No pseudo-terminal could be opened (${reason}): restart a terminal that is not needed, or close other programs that have some open.`)
    }
    const slave = holdSlave(terminal)
    const read = readToTheEnd(terminal, slave)
    const leader = identify(terminal.pid)
    // Not awaited: output that comes before the caller listens would be lost.
    if (leader) void this.options.ledger.note(marker, [...this.options.ledger.known(marker), leader])
    return {
      write: (data) => terminal.write(data),
      pause: () => terminal.pause(),
      resume: () => terminal.resume(),
      atRest: () => hasTerminal(terminal.pid),
      onOutput: (listener) =>
        void terminal.onData((data: unknown) => {
          // With `encoding: null` node-pty gives buffers, which its types do not say.
          const bytes = read(Buffer.isBuffer(data) ? data : Buffer.from(String(data)))
          if (bytes.length > 0) listener(bytes)
        }),
      onExit: (listener) =>
        void terminal.onExit(({ exitCode, signal }) => {
          if (slave !== undefined) closeSync(slave)
          void rm(folder, { recursive: true, force: true })
          listener({ exit: exitCode, signal: signal ?? 0 })
        }),
    }
  }

  async script(script: string, seconds: number, signal?: AbortSignal, onOutput?: (bytes: Buffer, from: 'stdout' | 'stderr') => void): Promise<ScriptEnd> {
    const marker = randomBytes(12).toString('hex')
    const bash = await this.which('bash')
    if (!bash) return { exit: null, value: '', output: 'There is no bash on the PATH. Install it: apt-get install bash' }
    const child = spawn(bash, ['-c', script], {
      cwd: this.options.cwd,
      env: { LANG: 'C.UTF-8', ...this.options.env, [MARKER]: marker },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let value = ''
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (value = (value + String(chunk)).slice(-KEPT)))
    for (const from of ['stdout', 'stderr'] as const)
      child[from].on('data', (chunk: Buffer) => {
        output = (output + String(chunk)).slice(-KEPT)
        onOutput?.(chunk, from)
      })
    const closed = new Promise((done) => child.once('close', done))
    const itself = identify(child.pid ?? 0)
    const known = itself ? [itself] : []
    void this.options.ledger.note(marker, known)
    const end = () => void endSession(marker, known)
    const late = setTimeout(end, seconds * 1000)
    signal?.addEventListener('abort', end, { once: true })
    // Its end, not that of its outputs: what it leaves in the background may hold them open.
    const exit = await new Promise<number | null>((done) => child.once('error', () => done(null)).once('exit', (status) => done(status)))
    clearTimeout(late)
    signal?.removeEventListener('abort', end)
    await endSession(marker, known)
    await this.options.ledger.note(marker, [])
    // Nothing holds its outputs open any more: what it has printed last is still to be read.
    if (exit !== null) await Promise.race([closed, new Promise((done) => setTimeout(done, UNREAD).unref())])
    return { exit, value: value.trim(), output: output.trim() }
  }

  async which(program: string): Promise<string | undefined> {
    const folders = isAbsolute(program) ? [''] : (this.options.env.PATH ?? '').split(delimiter).filter(Boolean)
    for (const folder of folders) {
      const file = join(folder, program)
      if (await access(file, constants.X_OK).then(() => true, () => false)) return file
    }
    return undefined
  }

  watch(marker: string, on: boolean): void {
    clearInterval(this.watches.get(marker))
    this.watches.delete(marker)
    const { ledger } = this.options
    const look = async () => {
      const members = await membersOf(marker, ledger.known(marker))
      if (members.length > 0) await ledger.note(marker, members)
    }
    // One look at the end too: what a command leaves in the background is remembered.
    void look()
    if (on) this.watches.set(marker, setInterval(() => void look(), WATCH).unref())
  }

  async end(marker: string): Promise<void> {
    clearInterval(this.watches.get(marker))
    this.watches.delete(marker)
    const { ledger } = this.options
    await endSession(marker, ledger.known(marker))
    await ledger.note(marker, [])
  }
}

/** Says what a user can do about what the system lacks. */
function explain(error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') throw new Error(`The disk is full: there is no room in ${tmpdir()}. Free some space, then run the step again.`)
  if (error.code === 'EMFILE' || error.code === 'ENFILE') throw new Error('No more files can be opened. Close windows that are not needed, then run the step again.')
  throw error
}

const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`

/**
 * Keeps the other end of the pseudo-terminal open until the shell has exited: otherwise the kernel may drop output that was not
 * read yet (node-pty issues 72, 85).
 */
function holdSlave(terminal: pty.IPty): number | undefined {
  // node-pty has no public name for it; without it only the guarantee is lost.
  const name: unknown = Reflect.get(terminal, '_pty')
  if (typeof name !== 'string') return undefined
  try {
    return openSync(name, constants.O_RDWR | constants.O_NOCTTY)
  } catch {
    return undefined
  }
}

/** Milliseconds that the rest of a terminal's output may take to be read: nothing but a server that stands still takes so long. */
const REST = 10_000

/**
 * Has everything read that a program has printed before it ended: node-pty closes the terminal 200 ms after the exit, whether or not
 * that was read, as when the server is busy or lets the program wait. Here the closing waits until a word that is written behind the
 * last output has come through.
 *
 * @returns what each piece of output passes through
 */
function readToTheEnd(terminal: pty.IPty, slave: number | undefined): (bytes: Buffer) => Buffer {
  const socket: unknown = Reflect.get(terminal, '_socket')
  if (slave === undefined || !(socket instanceof Duplex)) return (bytes) => bytes
  const word = Buffer.from(randomBytes(16).toString('hex'))
  const destroy = socket.destroy.bind(socket)
  let late: NodeJS.Timeout | undefined
  let held = Buffer.alloc(0)
  const end = () => {
    clearTimeout(late)
    destroy()
  }
  socket.destroy = (error?: Error) => {
    if (error) return destroy(error)
    if (late) return socket
    late = setTimeout(end, REST)
    // By a thread: it waits while the terminal is full.
    write(slave, word, (problem) => problem && end())
    return socket
  }
  return (bytes) => {
    if (!late) return bytes
    const all = Buffer.concat([held, bytes])
    const at = all.indexOf(word)
    const until = at >= 0 ? at : Math.max(0, all.length - word.length)
    held = at >= 0 ? Buffer.alloc(0) : all.subarray(until)
    // Once this piece was taken.
    if (at >= 0) setImmediate(end)
    return all.subarray(0, until)
  }
}
