import { randomBytes } from 'node:crypto'
import { Socket } from 'node:net'
import { dirname } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { execa, type ResultPromise } from 'execa'
import { createProxyServer } from 'httpxy'
import { lastLines } from '../deck/build-errors.ts'
import { checkRoots } from '../deck/build.ts'
import { loadSlidev } from '../deck/slidev.ts'
import { STEP_LIST_VARIABLE } from '../deck/step-list.ts'
import type { DeckServer } from './front-door.ts'
import { DOOR_HEADER, DOOR_VARIABLE } from './token.ts'

/** Pause before Slidev is restarted: a deck that cannot be served must not keep a core busy. */
const RESTART_DELAY_MS = 1000
/** The end of Slidev's output that is kept, in characters, to explain why it ended. */
const MAX_OUTPUT_LENGTH = 8192

/** Runs Slidev's development server behind the front door, and restarts it when it ends. Terminals are not affected. */
class SlidevDevServer implements DeckServer {
  private readonly target: string
  private readonly secret = randomBytes(32).toString('base64url')
  private readonly proxy
  private readonly executable: string
  private readonly deckFile: string
  private readonly port: number
  private readonly log: (line: string) => void
  private readonly stepList: string | undefined
  private readonly running: Promise<void>
  private readonly closing = new AbortController()
  private child: ResultPromise<{ reject: false; stdin: 'ignore'; all: true; buffer: false }> | undefined

  constructor(
    executable: string,
    deckFile: string,
    port: number,
    log: (line: string) => void,
    stepList: string | undefined,
  ) {
    this.executable = executable
    this.deckFile = deckFile
    this.port = port
    this.log = log
    this.stepList = stepList
    this.target = `http://127.0.0.1:${port}`
    this.proxy = createProxyServer({ target: this.target, ws: true, headers: { [DOOR_HEADER]: this.secret } })
    this.running = this.run()
  }

  request: DeckServer['request'] = (request, response) => {
    this.proxy.web(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(503, { 'Content-Type': 'text/html; charset=utf-8', Refresh: '1' })
      response.end('Slidev is starting …')
    })
  }

  upgrade: NonNullable<DeckServer['upgrade']> = (request, socket, head) => {
    if (!(socket instanceof Socket)) return void socket.destroy()
    this.proxy.ws(request, socket, { target: this.target }, head).catch(() => socket.destroy())
  }

  async close(): Promise<void> {
    this.closing.abort()
    this.child?.kill('SIGTERM')
    await this.running
  }

  private async run(): Promise<void> {
    const { signal } = this.closing
    while (!signal.aborted) {
      const { end, output } = await this.runOnce()
      // The signal may have been aborted during the wait.
      if (this.closing.signal.aborted) return
      this.log(`Slidev ended (${end}) and is restarted. Terminals continue.\n${output}`)
      await new Promise((resolve) => setTimeout(resolve, RESTART_DELAY_MS))
    }
  }

  private async runOnce(): Promise<{ end: string; output: string }> {
    const args = [this.deckFile, '--port', String(this.port), '--bind', '127.0.0.1', '--open', 'false']
    const child = execa(process.execPath, [this.executable, ...args], {
      cwd: dirname(this.deckFile),
      reject: false,
      stdin: 'ignore',
      all: true,
      buffer: false,
      env: {
        [DOOR_VARIABLE]: this.secret,
        VITE_UNDERSTUDY_SERVER: '1',
        ...(this.stepList !== undefined && { [STEP_LIST_VARIABLE]: this.stepList }),
      },
    })
    this.child = child
    let output = ''
    const decoder = new StringDecoder('utf8')
    child.all.on('data', (chunk: Buffer) => (output = (output + decoder.write(chunk)).slice(-MAX_OUTPUT_LENGTH)))
    // Waits for the process, not for its output: an editor that it opened may keep that open.
    const end = await new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `exit status ${code}`))
      child.once('error', (error) => resolve(error.message))
    })
    return { end, output: lastLines(output) }
  }
}

/**
 * Starts Slidev's development server for a deck.
 *
 * @param deckFile absolute
 * @param port of 127.0.0.1 that is free
 * @param log called when Slidev has ended and is restarted
 * @param stepList path of the list with which Slidev compares the steps of its pages
 * @throws SlidevError or BuildError
 */
export async function developDeck(
  deckFile: string,
  port: number,
  log: (line: string) => void,
  stepList?: string,
): Promise<DeckServer & { close: () => Promise<void> }> {
  const { executable } = await loadSlidev(deckFile)
  await checkRoots(deckFile)
  return new SlidevDevServer(executable, deckFile, port, log, stepList)
}
