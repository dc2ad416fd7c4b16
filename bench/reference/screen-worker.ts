import { parentPort, workerData } from 'node:worker_threads'
import xterm from '@xterm/headless'
import { SCROLLBACK_LINES } from '../../server/terminal/screen.ts'

// A worker thread with a headless screen. Parses the output in each message, and answers with the number of bytes.
const { cols, rows } = workerData as { cols: number; rows: number }
const terminal = new xterm.Terminal({ cols, rows, scrollback: SCROLLBACK_LINES, allowProposedApi: true })
parentPort?.on('message', (bytes: Uint8Array) => terminal.write(bytes, () => parentPort?.postMessage(bytes.length)))
