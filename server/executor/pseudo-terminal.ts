import { randomBytes } from 'node:crypto'
import { closeSync, constants, openSync, write } from 'node:fs'
import { Duplex } from 'node:stream'
import * as pty from 'node-pty'
import type { Shell } from './executor.ts'

/** A program, such as a shell, that runs in a pseudo-terminal. */
export interface TerminalProcess extends Omit<Shell, 'isForeground'> {
  pid: number
}

/**
 * Starts a program in a new pseudo-terminal.
 *
 * @param options.env the program's complete environment
 * @throws Error if no pseudo-terminal is available
 */
export function openTerminal(
  program: string,
  args: string[],
  { cwd, cols, rows, env }: { cwd: string; cols: number; rows: number; env: Record<string, string> },
): TerminalProcess {
  let terminal: pty.IPty
  try {
    // Without encoding, output arrives as bytes: a character may be split between two reads.
    terminal = pty.spawn(program, args, { name: 'xterm-256color', cols, rows, cwd, encoding: null, env })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(
      `Cannot open a pseudo-terminal (${reason}). Close other programs that use terminals, then restart this terminal.`,
    )
  }
  const follower = openFollower(terminal)
  const filter = drainBeforeClose(terminal, follower)
  return {
    pid: terminal.pid,
    write: (data) => terminal.write(data),
    pause: () => terminal.pause(),
    resume: () => terminal.resume(),
    onOutput: (listener) =>
      void terminal.onData((data: unknown) => {
        // With `encoding: null`, node-pty passes buffers, although its types declare strings.
        const bytes = filter(Buffer.isBuffer(data) ? data : Buffer.from(String(data)))
        if (bytes.length > 0) listener(bytes)
      }),
    onExit: (listener) =>
      void terminal.onExit(({ exitCode, signal }) => {
        if (follower !== undefined) closeSync(follower)
        listener({ exit: exitCode, signal: signal ?? 0 })
      }),
  }
}

/**
 * Opens the program's side of the pseudo-terminal, to keep it open until the program has exited. Otherwise the kernel
 * may discard unread output (node-pty issues 72 and 85).
 *
 * @returns a file descriptor; undefined if the terminal's name is unknown
 */
function openFollower(terminal: pty.IPty): number | undefined {
  // A private field of node-pty. Without it, only the guarantee about unread output is lost.
  const name: unknown = Reflect.get(terminal, '_pty')
  if (typeof name !== 'string') return undefined
  try {
    return openSync(name, constants.O_RDWR | constants.O_NOCTTY)
  } catch {
    return undefined
  }
}

/** Time limit for reading a terminal's remaining output after the exit of its program. */
const DRAIN_TIMEOUT_MS = 10_000

/**
 * Ensures that all output of a program is read before its terminal is closed. node-pty closes the terminal 200 ms after
 * the exit, even if output is unread because the server is busy or has paused reading. This function delays the
 * closing: it writes a random sentinel after the last output and waits until the sentinel has been read.
 *
 * @param follower file descriptor of the program's side of the terminal
 * @returns a filter that each chunk of output must pass through; it removes the sentinel
 */
function drainBeforeClose(terminal: pty.IPty, follower: number | undefined): (bytes: Buffer) => Buffer {
  const socket: unknown = Reflect.get(terminal, '_socket')
  if (follower === undefined || !(socket instanceof Duplex)) return (bytes) => bytes
  const sentinel = Buffer.from(randomBytes(16).toString('hex'))
  const destroy = socket.destroy.bind(socket)
  let timer: NodeJS.Timeout | undefined
  /** The end of the output so far, which may be the beginning of the sentinel. */
  let pending = Buffer.alloc(0)
  const close = () => {
    clearTimeout(timer)
    destroy()
  }
  socket.destroy = (error?: Error) => {
    if (error) return destroy(error)
    if (timer) return socket
    timer = setTimeout(close, DRAIN_TIMEOUT_MS)
    // Asynchronous, because the write blocks its thread while the terminal's buffer is full.
    write(follower, sentinel, (problem) => problem && close())
    return socket
  }
  return (bytes) => {
    if (!timer) return bytes
    const all = Buffer.concat([pending, bytes])
    const index = all.indexOf(sentinel)
    const end = index >= 0 ? index : Math.max(0, all.length - sentinel.length)
    pending = index >= 0 ? Buffer.alloc(0) : all.subarray(end)
    // Closed after the listener has received this chunk.
    if (index >= 0) setImmediate(close)
    return all.subarray(0, end)
  }
}
