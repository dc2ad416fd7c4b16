import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import xterm from '@xterm/headless'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LocalExecutor } from '../executor/local.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { findProcesses } from '../test/processes.ts'
import type { Viewer } from './broadcast.ts'
import { Session } from './session.ts'

const WAIT = { timeout: 30_000, interval: 20 }

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

/** Behaves like a browser: parses what it receives and acknowledges it. */
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

const shows = (window: Window, text: string) => vi.waitFor(() => expect(window.text()).toContain(text), WAIT)

/**
 * A command that runs until it is stopped. Its argument is unique on this machine, so that its process can be found.
 */
const endlessCommand = `sleep ${1_000_000 + process.pid}`

const countEndless = async () => (await findProcesses(new RegExp(`^${endlessCommand}$`))).length

test('keys typed while the shell starts appear at its first prompt', async () => {
  const executor = new LocalExecutor({ cwd: folder, env: { PATH: process.env.PATH ?? '', HOME: folder }, registry })
  const fresh = new Session({ name: 'fresh', cols: 80, rows: 24, executor })
  try {
    const started = fresh.start()
    fresh.write('touch early\n')
    await started
    await vi.waitFor(async () => expect(await readdir(folder)).toContain('early'), WAIT)
  } finally {
    await fresh.end()
  }
})

describe('a step', () => {
  test('ends with the exit status of its command', async () => {
    expect((await session.run('good', 'true')).exit).toBe(0)
    expect((await session.run('bad', '(exit 3)')).exit).toBe(3)
  })

  test('with comments and continuation lines runs as one command', async () => {
    const window = new Window()
    session.attach(window)
    expect((await session.run('lines', '# say it\necho one \\\n  two; (exit 4)')).exit).toBe(4)
    await shows(window, '\none two\n')
  })

  test('runs alone if text was typed and not entered before', async () => {
    session.write('rm -rf nonsense')
    expect((await session.run('clean', 'true')).exit).toBe(0)
  })

  test('reports its exit status although it prints forged marks', async () => {
    expect((await session.run('forger', "printf '\\033]133;D;0;k=guess\\a\\033]133;D;0\\a'; (exit 5)")).exit).toBe(5)
  })

  test('is rejected while another step runs', async () => {
    const running = session.run('running', endlessCommand)
    await expect(session.run('other', 'true')).rejects.toThrow('not at its prompt')
    // Bash can lose a Ctrl-C that arrives between the start of a command and the start of its program.
    await vi.waitFor(async () => expect(await countEndless()).toBe(1), WAIT)
    session.interrupt()
    await running
  })

  test('exits with 130 after Ctrl-C', async () => {
    const running = session.run('running', endlessCommand)
    await vi.waitFor(async () => expect(await countEndless()).toBe(1), WAIT)
    session.interrupt()
    expect((await running).exit).toBe(130)
  })

  test('ends without an exit status if its shell is killed, and runs again after a restart', async () => {
    expect(await session.run('killed', 'kill -9 $$')).toMatchObject({
      exit: null,
      failure: { kind: 'shell-killed', signal: 9 },
    })
    expect(session.state.name).toBe('ended')
    await session.restart()
    expect((await session.run('again', 'true')).exit).toBe(0)
  })

  test('does not inherit the environment of the server', async () => {
    vi.stubEnv('UNDERSTUDY_TEST_SECRET', 'secret')
    const window = new Window()
    session.attach(window)
    // The session's own marker is the only match.
    await session.run('env', 'env | grep -c UNDERSTUDY; echo end')
    await shows(window, '\n1\nend')
    vi.unstubAllEnvs()
  })
})

describe('a viewer', () => {
  test('shows the same screen, whether it attaches before, during or after a command', async () => {
    const early = new Window()
    session.attach(early)
    const running = session.run('list', 'for i in $(seq 300); do printf "\\033[3%dm%d\\n" $((i % 8)) $i; done')
    const late = new Window()
    session.attach(late)
    await running
    const last = new Window()
    session.attach(last)
    await shows(last, '\n300\n')
    await vi.waitFor(() => expect(early.text()).toBe(last.text()), WAIT)
    await vi.waitFor(() => expect(late.text()).toBe(last.text()), WAIT)
  })

  test('shows the last byte of an output burst', async () => {
    const window = new Window()
    session.attach(window)
    await session.run('burst', 'seq 1 200000; echo END')
    await shows(window, '200000\nEND')
  })

  test('that acknowledges nothing receives a bounded amount of output, and a snapshot later', async () => {
    const window = new Window()
    let channel = 0
    let received = 0
    session.attach({
      snapshot: (...args) => window.snapshot(...args),
      output: (from, bytes) => {
        channel = from
        received += bytes.length
      },
    })
    await session.run('burst', 'seq 1 500000; echo END')
    expect(received).toBeLessThan(1.2 * 2 ** 20)
    session.ack(channel, received)
    await shows(window, '500000\nEND')
  })
})

test('a restart ends processes that were started to outlive the shell', async () => {
  await session.run('daemon', `setsid nohup ${endlessCommand} >/dev/null 2>&1 &`)
  await vi.waitFor(async () => expect(await countEndless()).toBe(1), WAIT)
  await session.restart()
  expect(await countEndless()).toBe(0)
})
