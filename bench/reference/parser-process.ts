import { closeSync, openSync, readSync } from 'node:fs'
import xterm from '@xterm/headless'
import { SCROLLBACK_LINES } from '../../server/terminal/screen.ts'

// A child process that only parses a file with a headless screen. Its message to the parent is the duration in seconds.
const [file = '', cols = '', rows = ''] = process.argv.slice(2)
const CHUNK_BYTES = 65_536
/** Large enough that the parser never waits for the next chunk. */
const MAX_PENDING_BYTES = 1 << 20

const terminal = new xterm.Terminal({
  cols: Number(cols),
  rows: Number(rows),
  scrollback: SCROLLBACK_LINES,
  allowProposedApi: true,
})
const input = openSync(file, 'r')
let pendingBytes = 0
let resume: (() => void) | undefined
const began = performance.now()
for (;;) {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  const length = readSync(input, chunk)
  if (length === 0) break
  pendingBytes += length
  terminal.write(chunk.subarray(0, length), () => {
    pendingBytes -= length
    if (pendingBytes <= MAX_PENDING_BYTES / 2) resume?.()
  })
  if (pendingBytes > MAX_PENDING_BYTES) await new Promise<void>((resolve) => (resume = resolve))
}
await new Promise<void>((resolve) => terminal.write('', resolve))
const seconds = (performance.now() - began) / 1000
closeSync(input)
process.send?.(seconds)
process.disconnect()
