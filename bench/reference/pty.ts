import * as pty from 'node-pty'

/** A pseudo-terminal read by node-pty and by nobody else. */
export function rawTerminal(command: string, cols: number, rows: number, onOutput: (bytes: Buffer) => void): pty.IPty {
  const terminal = pty.spawn('bash', ['--noprofile', '--norc', '-c', command], {
    cols,
    rows,
    encoding: null,
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color' },
  })
  terminal.onData((data: unknown) => onOutput(Buffer.isBuffer(data) ? data : Buffer.from(String(data))))
  return terminal
}

/** Seconds until everything that a command prints was read. */
export async function readingTime(command: string, cols: number, rows: number): Promise<number> {
  const began = performance.now()
  const marker = 'the-end-of-the-flood'
  let tail = ''
  return new Promise((done) => {
    // The sleep outlives what was printed: node-pty drops what is unread when the program exits.
    const terminal = rawTerminal(`${command}; printf '%s%s' the-end -of-the-flood; sleep 10`, cols, rows, (bytes) => {
      tail = (tail + bytes.subarray(-64).toString('latin1')).slice(-64)
      if (!tail.includes(marker)) return
      const seconds = (performance.now() - began) / 1000
      terminal.onExit(() => done(seconds))
      terminal.kill('SIGKILL')
    })
  })
}
