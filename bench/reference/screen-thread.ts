import { parentPort, workerData } from 'node:worker_threads'
import xterm from '@xterm/headless'
import { SCROLLBACK } from '../../server/terminal/screen.ts'

/** A headless screen in a thread, and nothing else: says how many bytes it has parsed. */
const { cols, rows } = workerData as { cols: number; rows: number }
const terminal = new xterm.Terminal({ cols, rows, scrollback: SCROLLBACK, allowProposedApi: true })
parentPort?.on('message', (bytes: Uint8Array) => terminal.write(bytes, () => parentPort?.postMessage(bytes.length)))
