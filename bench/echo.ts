import { WebSocket } from 'ws'
import { z } from 'zod'
import { type Figure, percentile, round } from './figure.ts'
import { sleep, startPart } from './child-process.ts'
import { rawTerminal } from './reference/pty.ts'
import { startSubject } from './talk.ts'
import { enter, Viewer } from './viewer.ts'

/** Something that echoes keys: what is typed comes back. */
interface Echo {
  type: (data: string) => void
  /** Resolves with the next time that a text comes back. */
  shows: (text: string) => Promise<void>
}

const KEYS = 'abcdefghijklmnopqrstuvwxyz'
/** Keys of a line: a line in the kernel's own editor may have 4095. */
const LINE = 500

/**
 * How long a key takes until the terminal has echoed it, through the server, held against the pseudo-terminal itself and a plain server.
 *
 * @param keys that are pressed at each of them, in turns, so that all have the same noise
 */
export async function echo(keys: number): Promise<Figure[]> {
  const subject = await startSubject()
  const plain = await startPart('reference/echo-server.ts', [], (message) =>
    z.object({ port: z.number() }).parse(message),
  )
  const { link, terminal } = subject.ready
  const viewer = await Viewer.open({ ticket: await enter(link), terminal })
  const raw = new Listener()
  const pty = rawTerminal('exec bash --noprofile --norc', 88, 18, (bytes) => raw.heard(bytes.toString('latin1')))
  const naive = new Listener()
  const socket = new WebSocket(`ws://127.0.0.1:${plain.ready.port}`, { perMessageDeflate: false })
  await new Promise((done) => socket.once('open', done))
  socket.on('message', (data) => naive.heard(String(data)))

  const echoes: Record<'raw' | 'plain' | 'ours', Echo> = {
    raw: { type: (data) => pty.write(data), shows: (text) => raw.shows(text) },
    plain: { type: (data) => socket.send(data), shows: (text) => naive.shows(text) },
    ours: viewer,
  }
  const times = { raw: [] as number[], plain: [] as number[], ours: [] as number[] }
  try {
    // The kernel's own echo: no program in between.
    for (const each of Object.values(echoes)) {
      const ready = each.shows('READY-42')
      each.type('echo READY-$((6 * 7)); cat > /dev/null\r')
      await ready
    }
    await sleep(300)
    for (let key = 0; key < keys; key++) {
      for (const name of ['raw', 'plain', 'ours'] as const) {
        const text = KEYS[key % KEYS.length] ?? ''
        const shown = echoes[name].shows(text)
        const began = performance.now()
        echoes[name].type(text)
        await shown
        times[name].push(performance.now() - began)
        if (key % LINE === LINE - 1) {
          const next = echoes[name].shows('\n')
          echoes[name].type('\r')
          await next
        }
        await sleep(1 + Math.random() * 3)
      }
    }
  } finally {
    pty.kill('SIGKILL')
    socket.terminate()
    await viewer.close()
    await plain.end()
    await subject.end()
  }
  const at = (rank: number) => ({
    'raw pseudo-terminal, ms': round(percentile(times.raw, rank)),
    'plain server, ms': round(percentile(times.plain, rank)),
  })
  const value = (rank: number) => round(percentile(times.ours, rank))
  return [
    { name: 'key echo, median', value: value(50), unit: 'ms', references: at(50) },
    { name: 'key echo, 99th percentile', value: value(99), unit: 'ms', references: at(99) },
    {
      name: 'key echo, 99th percentile, over the raw pseudo-terminal',
      value: round(percentile(times.ours, 99) - percentile(times.raw, 99)),
      unit: 'ms',
      target: { atMost: 1 },
    },
  ]
}

/** Waits for a text in what comes. */
class Listener {
  private wanted: { text: string; done: () => void } | undefined
  private tail = ''

  heard(text: string): void {
    if (!this.wanted) return
    this.tail += text
    if (!this.tail.includes(this.wanted.text)) return
    this.wanted.done()
    this.wanted = undefined
  }

  shows(text: string): Promise<void> {
    this.tail = ''
    return new Promise((done) => (this.wanted = { text, done }))
  }
}
