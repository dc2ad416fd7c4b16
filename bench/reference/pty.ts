import * as pty from 'node-pty'

/** Printed after the output of a command, in two halves so that the echoed command line does not contain it. */
export const END_MARKER = 'the-end-of-the-output'
/** The sleep keeps the shell running, because node-pty drops unread output when the shell exits. */
export const withEndMarker = (command: string): string => `${command}; printf '%s%s' the-end -of-the-output; sleep 10`

/** Spawns a shell command in a pseudo-terminal that only node-pty reads. */
export function spawnTerminal(
  command: string,
  cols: number,
  rows: number,
  onOutput: (bytes: Buffer) => void,
): pty.IPty {
  const terminal = pty.spawn('bash', ['--noprofile', '--norc', '-c', command], {
    cols,
    rows,
    encoding: null,
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color' },
  })
  terminal.onData((data: unknown) => onOutput(Buffer.isBuffer(data) ? data : Buffer.from(String(data))))
  return terminal
}

/** Recognizes the end marker in output that arrives in pieces. */
export function endMarkerDetector(): (bytes: Buffer) => boolean {
  let tail = ''
  return (bytes) => {
    tail = (tail + bytes.subarray(-64).toString('latin1')).slice(-64)
    return tail.includes(END_MARKER)
  }
}

/** @returns seconds until node-pty has read everything that a command prints */
export async function secondsToRead(command: string, cols: number, rows: number): Promise<number> {
  const began = performance.now()
  const isOver = endMarkerDetector()
  return new Promise((resolve) => {
    const terminal = spawnTerminal(withEndMarker(command), cols, rows, (bytes) => {
      if (!isOver(bytes)) return
      const seconds = (performance.now() - began) / 1000
      terminal.onExit(() => resolve(seconds))
      terminal.kill('SIGKILL')
    })
  })
}
