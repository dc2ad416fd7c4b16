import { WebSocket } from 'ws'
import { z } from 'zod'
import { sleep, startChildProcess } from './child-process.ts'
import { type Figure, percentile, round } from './figure.ts'
import { spawnTerminal } from './reference/pty.ts'
import { startServerUnderTest } from './server-under-test.ts'
import { logIn, Viewer } from './viewer.ts'

/** A terminal that echoes its input. */
interface EchoingTerminal {
  type: (data: string) => void
  /** Resolves when the text appears in output that arrives after this call. */
  waitFor: (text: string) => Promise<void>
}

const KEYS = 'abcdefghijklmnopqrstuvwxyz'
/** Number of keys in a line. The line editor of the kernel accepts at most 4095. */
const KEYS_PER_LINE = 500
/** Time for `cat` to start reading. */
const SETTLE_MS = 300

/**
 * Measures the time from pressing a key to its echo through the server. References: node-pty alone, and a minimal
 * server.
 *
 * @param keys number of keys pressed in each terminal. The terminals take turns, so that other load on the machine
 * affects all of them.
 */
export async function measureKeyEcho(keys: number): Promise<Figure[]> {
  const server = await startServerUnderTest()
  const minimalServer = await startChildProcess('reference/minimal-server-process.ts', [], (message) =>
    z.object({ port: z.number() }).parse(message),
  )
  const { link, terminal } = server.ready
  const viewer = await Viewer.open({ ticket: await logIn(link), terminal })
  const ptyOutput = new OutputWatcher()
  const pty = spawnTerminal('exec bash --noprofile --norc', 88, 18, (bytes) =>
    ptyOutput.receive(bytes.toString('latin1')),
  )
  const socketOutput = new OutputWatcher()
  const socket = new WebSocket(`ws://127.0.0.1:${minimalServer.ready.port}`, { perMessageDeflate: false })
  await new Promise((resolve) => socket.once('open', resolve))
  socket.on('message', (data) => socketOutput.receive(String(data)))

  const terminals: Record<'pty' | 'minimal' | 'server', EchoingTerminal> = {
    pty: { type: (data) => pty.write(data), waitFor: (text) => ptyOutput.waitFor(text) },
    minimal: { type: (data) => socket.send(data), waitFor: (text) => socketOutput.waitFor(text) },
    server: viewer,
  }
  const times = { pty: [] as number[], minimal: [] as number[], server: [] as number[] }
  try {
    // `cat` reads the keys, so that the kernel echoes them without a program in between.
    for (const each of Object.values(terminals)) {
      const ready = each.waitFor('READY-42')
      each.type('echo READY-$((6 * 7)); cat > /dev/null\r')
      await ready
    }
    await sleep(SETTLE_MS)
    for (let key = 0; key < keys; key++) {
      for (const name of ['pty', 'minimal', 'server'] as const) {
        const text = KEYS[key % KEYS.length] ?? ''
        const echoed = terminals[name].waitFor(text)
        const began = performance.now()
        terminals[name].type(text)
        await echoed
        times[name].push(performance.now() - began)
        if (key % KEYS_PER_LINE === KEYS_PER_LINE - 1) {
          const nextLine = terminals[name].waitFor('\n')
          terminals[name].type('\r')
          await nextLine
        }
        await sleep(1 + Math.random() * 3)
      }
    }
  } finally {
    pty.kill('SIGKILL')
    socket.terminate()
    await viewer.close()
    await minimalServer.end()
    await server.end()
  }
  const figureAt = (name: string, rank: number): Figure => ({
    name,
    value: round(percentile(times.server, rank)),
    unit: 'ms',
    references: {
      'node-pty alone, ms': round(percentile(times.pty, rank)),
      'minimal server, ms': round(percentile(times.minimal, rank)),
    },
  })
  return [
    figureAt('key echo, median', 50),
    figureAt('key echo, 99th percentile', 99),
    {
      name: 'key echo, 99th percentile, above node-pty alone',
      value: round(percentile(times.server, 99) - percentile(times.pty, 99)),
      unit: 'ms',
      target: { atMost: 1 },
    },
  ]
}

/** Waits for a text in the output of a terminal. */
class OutputWatcher {
  private pending: { text: string; resolve: () => void } | undefined
  private output = ''

  receive(text: string): void {
    if (!this.pending) return
    this.output += text
    if (!this.output.includes(this.pending.text)) return
    this.pending.resolve()
    this.pending = undefined
  }

  waitFor(text: string): Promise<void> {
    this.output = ''
    return new Promise((resolve) => (this.pending = { text, resolve }))
  }
}
