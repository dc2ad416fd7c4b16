import { closeSync, openSync, readSync } from 'node:fs'
import xterm from '@xterm/headless'
import { SCROLLBACK } from '../../server/terminal/screen.ts'

/** What the headless screen alone makes of a file, as a process: the bytes in pieces of 64 KiB, and nothing else to do. Tells the seconds. */
const [file = '', cols = '', rows = ''] = process.argv.slice(2)
/** Bytes that wait for the parser at most: it never waits for the next piece. */
const AHEAD = 1 << 20

const terminal = new xterm.Terminal({
  cols: Number(cols),
  rows: Number(rows),
  scrollback: SCROLLBACK,
  allowProposedApi: true,
})
const input = openSync(file, 'r')
let waiting = 0
let goOn: (() => void) | undefined
const began = performance.now()
for (;;) {
  const piece = Buffer.allocUnsafe(65_536)
  const length = readSync(input, piece)
  if (length === 0) break
  waiting += length
  terminal.write(piece.subarray(0, length), () => {
    waiting -= length
    if (waiting <= AHEAD / 2) goOn?.()
  })
  if (waiting > AHEAD) await new Promise<void>((done) => (goOn = done))
}
await new Promise<void>((done) => terminal.write('', done))
const seconds = (performance.now() - began) / 1000
closeSync(input)
process.send?.(seconds)
process.disconnect()
