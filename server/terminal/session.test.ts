import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import xterm from '@xterm/headless'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import type { Viewer } from './broadcast.ts'
import { Session } from './session.ts'

let folder: string
let session: Session
let registry: ProcessRegistry

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-session-'))
  registry = new ProcessRegistry(join(folder, 'processes'))
  const executor = new LocalExecutor({ cwd: folder, env: { PATH: process.env.PATH ?? '', HOME: folder }, registry })
  session = new Session({ name: 'test', cols: 80, rows: 24, executor })
  await session.start()
})
afterEach(async () => {
  await session.end()
  await rm(folder, { recursive: true })
})

/** A viewer as the browser has one: it paints what it is sent and acknowledges what it has parsed. */
class Window implements Viewer {
  terminal = new xterm.Terminal({ cols: 80, rows: 24, scrollback: 10_000, allowProposedApi: true })
  bytes = 0
  snapshots = 0
  snapshot(channel: number, _cols: number, _rows: number, data: string) {
    this.terminal.reset()
    this.bytes = 0
    this.snapshots++
    this.terminal.write(data)
    session.ack(channel, 0)
  }
  output(channel: number, bytes: Uint8Array) {
    this.bytes += bytes.length
    const upTo = this.bytes
    this.terminal.write(bytes, () => session.ack(channel, upTo))
  }
  text(): string {
    const { buffer } = this.terminal
    return Array.from(
      { length: buffer.active.length },
      (_, row) => buffer.active.getLine(row)?.translateToString(true) ?? '',
    )
      .join('\n')
      .trimEnd()
  }
}

const shows = (window: Window, text: string) =>
  vi.waitFor(() => expect(window.text()).toContain(text), { timeout: 20_000 })

async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return Promise.all(
    pids.map(async (pid) =>
      (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim(),
    ),
  )
}

test('keys that are typed before the shell is there reach its first line', async () => {
  const executor = new LocalExecutor({ cwd: folder, env: { PATH: process.env.PATH ?? '', HOME: folder }, registry })
  const fresh = new Session({ name: 'fresh', cols: 80, rows: 24, executor })
  try {
    const started = fresh.start()
    fresh.write('touch early\n')
    await started
    await vi.waitFor(async () => expect(await readdir(folder)).toContain('early'))
  } finally {
    await fresh.end()
  }
})

describe('a step', () => {
  test('ends with the exit status of its command', async () => {
    expect((await session.run('good', 'true')).exit).toBe(0)
    expect((await session.run('bad', '(exit 3)')).exit).toBe(3)
  })

  test('of several lines is one command, comments and continuations included', async () => {
    const window = new Window()
    session.attach(window)
    expect((await session.run('lines', '# say it\necho one \\\n  two; (exit 4)')).exit).toBe(4)
    await shows(window, '\none two\n')
  })

  test('is not spoilt by what was typed and not entered', async () => {
    session.write('rm -rf nonsense')
    expect((await session.run('clean', 'true')).exit).toBe(0)
  })

  test('cannot have its end forged by what it prints', async () => {
    expect((await session.run('forger', "printf '\\033]133;D;0;k=guess\\a\\033]133;D;0\\a'; (exit 5)")).exit).toBe(5)
  })

  test('is refused while another runs, and a waiting one is ended by Ctrl-C', async () => {
    const waiting = session.run('waiting', 'sleep 1000')
    await expect(session.run('other', 'true')).rejects.toThrow('not at its prompt')
    await vi.waitFor(async () => expect(await commandLines()).toContain('sleep 1000'))
    session.interrupt()
    expect((await waiting).exit).toBe(130)
  })

  test('ends without an exit status when its shell is killed, and the terminal says so', async () => {
    const killed = session.run('killed', 'kill -9 $$')
    expect(await killed).toMatchObject({ exit: null, failure: { kind: 'shell-killed', signal: 9 } })
    expect(session.state.name).toBe('ended')
    await session.restart()
    expect((await session.run('again', 'true')).exit).toBe(0)
  })

  test('does not see the environment of the server', async () => {
    process.env.UNDERSTUDY_TEST_SECRET = 'secret'
    const window = new Window()
    session.attach(window)
    await session.run('env', 'env | grep -c UNDERSTUDY; echo end')
    await shows(window, '\n1\nend')
  })
})

describe('a viewer', () => {
  test('that comes late sees what the others see', async () => {
    const early = new Window()
    session.attach(early)
    const running = session.run('list', 'for i in $(seq 300); do printf "\\033[3%dm%d\\n" $((i % 8)) $i; done')
    const late = new Window()
    session.attach(late)
    await running
    const last = new Window()
    session.attach(last)
    await shows(last, '\n300\n')
    await vi.waitFor(() => expect(early.text()).toBe(last.text()))
    await vi.waitFor(() => expect(late.text()).toBe(last.text()))
  })

  test('has the last byte of a flood', async () => {
    const window = new Window()
    session.attach(window)
    await session.run('flood', 'seq 1 200000; echo END')
    await shows(window, '200000\nEND')
  })

  test('that reads nothing during a flood is sent a bounded amount, and catches up by a snapshot', async () => {
    const window = new Window()
    let channel = 0
    let received = 0
    const acknowledge = { snapshot: window.snapshot.bind(window), output: window.output.bind(window) }
    session.attach({
      snapshot: (...args) => acknowledge.snapshot(...args),
      output: (from, bytes) => {
        channel = from
        received += bytes.length
      },
    })
    await session.run('flood', 'seq 1 500000; echo END')
    expect(received).toBeLessThan(1.2 * 2 ** 20)
    session.ack(channel, received)
    await shows(window, '500000\nEND')
  })
})

describe('nothing is left running', () => {
  const outliving = 'setsid nohup sleep 4321 >/dev/null 2>&1 & sleep 0.1'

  test('after a restart, not even what wanted to outlive the shell', async () => {
    await session.run('outlive', outliving)
    expect(await commandLines()).toContain('sleep 4321')
    await session.restart()
    expect(await commandLines()).not.toContain('sleep 4321')
  })
})
