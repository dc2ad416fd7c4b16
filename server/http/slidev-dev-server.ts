import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { execa } from 'execa'
import { createProxyServer } from 'httpxy'
import { lastLines, slidevCommand } from '../deck/slidev.ts'
import type { DeckServer } from './front-door.ts'
import { DOOR_HEADER, DOOR_VARIABLE } from './token.ts'

/** Slidev's development server, reached through the front door only. Started again whenever it dies. */
export function developDeck(
  deckFile: string,
  port: number,
  log: (line: string) => void,
): DeckServer & { close: () => Promise<void> } {
  const target = `http://127.0.0.1:${port}`
  const secret = randomBytes(32).toString('base64url')
  const proxy = createProxyServer({ target, ws: true, headers: { [DOOR_HEADER]: secret } })
  let closed = false
  let child: ReturnType<typeof spawn>
  const spawn = () =>
    execa(
      process.execPath,
      [slidevCommand(deckFile), deckFile, '--port', String(port), '--bind', '127.0.0.1', '--open', 'false'],
      {
        cwd: dirname(deckFile),
        reject: false,
        stdin: 'ignore',
        all: true,
        buffer: false,
        env: { [DOOR_VARIABLE]: secret },
      },
    )
  const run = async () => {
    while (!closed) {
      child = spawn()
      let said = ''
      child.all.on('data', (chunk: Buffer) => (said = (said + String(chunk)).slice(-8192)))
      // Its own end, not that of its output: an editor that it has opened may hold that open.
      const exit = await new Promise<number | null>((done) => child.once('exit', done).once('error', () => done(null)))
      if (closed) return
      log(`Slidev ended with exit status ${exit}; it is started again. The terminals go on.\n${lastLines(said)}`)
      await new Promise((done) => setTimeout(done, RESTART_PAUSE))
    }
  }
  const running = run()
  return {
    request: (request, response) =>
      void proxy.web(request, response).catch(() => {
        if (!response.headersSent) response.writeHead(503, { 'Content-Type': 'text/html; charset=utf-8', Refresh: '1' })
        response.end('Slidev is starting …')
      }),
    upgrade: (request, socket, head) =>
      void proxy.ws(request, socket as import('node:net').Socket, { target }, head).catch(() => socket.destroy()),
    async close() {
      closed = true
      child.kill('SIGTERM')
      await running
    },
  }
}

/** Milliseconds before Slidev is started again: a deck that cannot be served must not keep a core busy. */
const RESTART_PAUSE = 1000
