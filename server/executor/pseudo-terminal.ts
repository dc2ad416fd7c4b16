import { randomBytes } from 'node:crypto'
import { closeSync, constants, openSync, write } from 'node:fs'
import { Duplex } from 'node:stream'
import * as pty from 'node-pty'
import type { Shell } from './executor.ts'

/** A program in a pseudo-terminal, as a shell is one, and its process. */
export interface Opened extends Omit<Shell, 'atRest'> {
  pid: number
}

/**
 * Starts a program in a pseudo-terminal.
 *
 * @param env its whole environment
 * @throws Error where no pseudo-terminal is left
 */
export function openTerminal(
  program: string,
  args: string[],
  { cwd, cols, rows, env }: { cwd: string; cols: number; rows: number; env: Record<string, string> },
): Opened {
  let terminal: pty.IPty
  try {
    // Bytes as they come: a character may be split between two reads, and the screen puts it together.
    terminal = pty.spawn(program, args, { name: 'xterm-256color', cols, rows, cwd, encoding: null, env })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(
      `No pseudo-terminal could be opened (${reason}): restart a terminal that is not needed, or close other programs that have some open.`,
    )
  }
  const slave = holdSlave(terminal)
  const read = readToTheEnd(terminal, slave)
  return {
    pid: terminal.pid,
    write: (data) => terminal.write(data),
    pause: () => terminal.pause(),
    resume: () => terminal.resume(),
    onOutput: (listener) =>
      void terminal.onData((data: unknown) => {
        // With `encoding: null` node-pty gives buffers, which its types do not say.
        const bytes = read(Buffer.isBuffer(data) ? data : Buffer.from(String(data)))
        if (bytes.length > 0) listener(bytes)
      }),
    onExit: (listener) =>
      void terminal.onExit(({ exitCode, signal }) => {
        if (slave !== undefined) closeSync(slave)
        listener({ exit: exitCode, signal: signal ?? 0 })
      }),
  }
}

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
