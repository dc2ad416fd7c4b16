import { Worker } from 'node:worker_threads'
import { endMarkerDetector, spawnTerminal, withEndMarker } from './pty.ts'

// A child process with the minimum work of a server with a headless screen: node-pty reads and a worker thread parses,
// without viewers. Two cores share the printing program, the kernel, reading and parsing. The message to the parent is
// the duration in seconds.
const [command = '', cols = '', rows = ''] = process.argv.slice(2)
/** Bytes in one message to the screen, and bytes that may wait to be parsed: the same as in the server. */
const CHUNK_BYTES = 65_536
const MAX_PENDING_BYTES = 1 << 20

const screen = new Worker(new URL('./screen-worker.ts', import.meta.url), {
  workerData: { cols: Number(cols), rows: Number(rows) },
})
await new Promise((resolve) => screen.once('online', resolve))

let pieces: Buffer[] = []
let collectedBytes = 0
let pendingBytes = 0
let isOver = false
const detectEnd = endMarkerDetector()
const began = performance.now()
const sendToScreen = () => {
  // A copy, because Buffer.concat may return part of a shared pool, which cannot be transferred.
  const bytes = new Uint8Array(Buffer.concat(pieces))
  pieces = []
  collectedBytes = 0
  pendingBytes += bytes.length
  screen.postMessage(bytes, [bytes.buffer])
  if (pendingBytes > MAX_PENDING_BYTES) terminal.pause()
}
const terminal = spawnTerminal(withEndMarker(command), Number(cols), Number(rows), (bytes) => {
  pieces.push(bytes)
  collectedBytes += bytes.length
  isOver ||= detectEnd(bytes)
  if (isOver || collectedBytes >= CHUNK_BYTES) sendToScreen()
})
screen.on('message', (parsedBytes: number) => {
  pendingBytes -= parsedBytes
  if (pendingBytes < MAX_PENDING_BYTES / 2) terminal.resume()
  if (!isOver || pendingBytes > 0) return
  process.send?.((performance.now() - began) / 1000)
  terminal.kill('SIGKILL')
})
process.once('disconnect', () => process.exit())
