import { Worker } from 'node:worker_threads'
import { rawTerminal } from './pty.ts'

/** Bytes that go to the screen together, and that may wait for it: as many as the server takes. */
const PIECE = 65_536
const AHEAD = 1 << 20

/**
 * The least that a server with a headless screen has to do, as a process: node-pty reads, a thread parses, and nobody looks. With two cores
 * the program that floods, the kernel, the reading and the parsing share them. Tells the seconds.
 */
const [command = '', cols = '', rows = ''] = process.argv.slice(2)
const screen = new Worker(new URL('./screen-thread.ts', import.meta.url), {
  workerData: { cols: Number(cols), rows: Number(rows) },
})
await new Promise((done) => screen.once('online', done))

const END = 'the-end-of-the-flood'
let pieces: Buffer[] = []
let gathered = 0
let waiting = 0
let tail = ''
let over = false
const began = performance.now()
const hand = () => {
  const piece = Buffer.concat(pieces)
  pieces = []
  gathered = 0
  waiting += piece.length
  // A copy of its own: what Buffer.concat gives may be of a pool that is shared.
  const bytes = new Uint8Array(piece)
  screen.postMessage(bytes, [bytes.buffer])
  if (waiting > AHEAD) terminal.pause()
}
const terminal = rawTerminal(
  `${command}; printf '%s%s' the-end -of-the-flood; sleep 10`,
  Number(cols),
  Number(rows),
  (bytes) => {
    pieces.push(bytes)
    gathered += bytes.length
    tail = (tail + bytes.subarray(-64).toString('latin1')).slice(-64)
    over ||= tail.includes(END)
    if (over || gathered >= PIECE) hand()
  },
)
screen.on('message', (parsed: number) => {
  waiting -= parsed
  if (waiting < AHEAD / 2) terminal.resume()
  if (!over || waiting > 0) return
  process.send?.((performance.now() - began) / 1000)
  terminal.kill('SIGKILL')
})
process.once('disconnect', () => process.exit())
