import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import xterm from '@xterm/headless'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LocalExecutor } from '../executor/local.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { countSessionProcesses } from '../test/processes.ts'
import { newTerminal } from '../test/screen-state.ts'
import { Session } from './session.ts'

const WAIT = { timeout: 30_000, interval: 20 }

let folder: string
let session: Session
let output: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-shell-'))
  const executor = new LocalExecutor({
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
  session = new Session({ name: 'test', cols: 80, rows: 24, executor })
  output = ''
  session.attach({ snapshot: () => {}, output: (_, bytes) => (output += Buffer.from(bytes).toString('latin1')) })
})
afterEach(async () => {
  await session.end()
  await rm(folder, { recursive: true })
})

const atPrompt = () => vi.waitFor(() => expect(session.state).toEqual({ name: 'at-prompt' }), WAIT)

/** Resolves as soon as the shell shows its next prompt, before it has read the keys that were typed ahead. */
const nextPrompt = () =>
  new Promise<void>((resolve) => {
    const stop = session.onState(({ name }) => {
      if (name !== 'at-prompt') return
      stop()
      resolve()
    })
  })

test('the exit status of a step is reported after the user has changed the prompt', async () => {
  await session.start()
  expect((await session.run('prompt', "PS1='$ ' PS0=")).exit).toBe(0)
  expect((await session.run('after', '(exit 3)')).exit).toBe(3)
})

test('a command with a syntax error exits with 2', async () => {
  await session.start()
  expect((await session.run('syntax', 'echo )')).exit).toBe(2)
})

test('"!" does not trigger history expansion', async () => {
  await session.start()
  expect((await session.run('greet', 'echo "hi !x"')).exit).toBe(0)
})

test('a step is rejected while an entered line runs', async () => {
  await session.start()
  session.write('sleep 0.3; false\r')
  await expect(session.run('early', 'true')).rejects.toThrow('not at its prompt')
  await atPrompt()
  expect((await session.run('later', 'true')).exit).toBe(0)
})

test('the prompt always returns after repeated Ctrl-C', async () => {
  await session.start()
  for (let round = 0; round < 60; round++) {
    if (round % 3 === 0) void session.run('sleep', 'sleep 0.02')
    session.interrupt()
    // Different delays, to hit different stages of the shell's prompt.
    await sleep(round % 10)
    session.interrupt()
    await vi.waitFor(() => expect(session.state).toEqual({ name: 'at-prompt' }), { ...WAIT, interval: 1 })
  }
  expect((await session.run('after', '(exit 4)')).exit).toBe(4)
})

test('a step is rejected while a quotation is open, until Ctrl-C', async () => {
  await session.start()
  session.write('echo "half\r')
  await expect(session.run('quoted', 'true')).rejects.toThrow('not at its prompt')
  await vi.waitFor(() => expect(Buffer.from(output, 'latin1').toString()).toContain('…'), WAIT)
  session.interrupt()
  await atPrompt()
  expect((await session.run('after', '(exit 4)')).exit).toBe(4)
})

test('the exit status of a step is not that of a line typed ahead', async () => {
  await session.start()
  for (const [ahead, shown] of [
    ['false\r', 'false'],
    ['\r\rfalse\r', 'false'],
    ['sleep 0.2; false\r', 'sleep 0.2'],
    ['echo not entered', 'echo not entered'],
  ] as const) {
    session.write('sleep 0.3\r')
    session.write(ahead)
    await nextPrompt()
    // The step is rejected while a line that was typed ahead runs.
    let exit: number | null | undefined
    while (exit === undefined)
      await session.run('step', '(exit 7)').then(
        (end) => (exit = end.exit),
        () => atPrompt(),
      )
    expect(exit, ahead).toBe(7)
    expect(output).toContain(shown)
  }
})

test('a step is rejected if an open quotation was typed ahead', async () => {
  await session.start()
  session.write('sleep 0.3\r')
  session.write('echo "half\r')
  await nextPrompt()
  await expect(session.run('step', 'touch swallowed')).rejects.toThrow(/ran first|not at its prompt/)
  expect(session.state).toEqual({ name: 'in-program' })
  session.interrupt()
  await atPrompt()
  expect((await session.run('after', '(exit 4)')).exit).toBe(4)
  expect(await readdir(folder)).not.toContain('swallowed')
})

test('Ctrl-C at the prompt does not interrupt the next step', async () => {
  await session.start()
  session.interrupt()
  await atPrompt()
  // `read` is a builtin: while it waits, the shell itself owns the terminal, as it does at its prompt.
  expect((await session.run('step', 'read -t 0.8 answer; (exit 4)')).exit).toBe(4)
})

test('a step is not changed by an incomplete key sequence, a history search or a paste before it', async () => {
  await session.start()
  await session.run('remember', 'true remembered')
  for (const input of [
    '\u0018',
    '\u001b',
    '\u0016',
    '\u0012remem',
    '\u001b5',
    '\u001b[',
    'touch half-typed',
    'touch half-typed\u0018',
    '\u001b[200~touch one\ntouch two\u001b[201~',
  ]) {
    session.write(input)
    expect((await session.run('step', '(exit 6)')).exit, JSON.stringify(input)).toBe(6)
  }
  expect(await readdir(folder)).toEqual(['processes'])
})

test('keys typed while a step is entered become its input', async () => {
  await session.start()
  session.write('tou')
  const running = session.run('step', 'read -r line; test "$line" = answer')
  session.write('ans')
  session.write('wer\r')
  expect((await running).exit).toBe(0)
})

test('Ctrl-C cancels a step with an open quotation', async () => {
  await session.start()
  const running = session.run('open', 'echo "half')
  session.interrupt()
  expect((await running).exit).toBe(130)
})

test('the screen shows each step after one prompt, without the text that was cleared', async () => {
  await session.start()
  const terminal = new xterm.Terminal({ cols: 80, rows: 24, allowProposedApi: true })
  session.attach({
    snapshot: (_channel, _cols, _rows, data) => terminal.write(data),
    output: (_, bytes) => terminal.write(bytes),
  })
  session.write(`echo ${'half-typed '.repeat(20)}`)
  await session.run('one', 'echo one')
  await session.run('two', 'echo two')
  const text = () =>
    Array.from({ length: 24 }, (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? '')
      .join('\n')
      .trimEnd()
  const prompt = '~ ❯'
  await vi.waitFor(() => expect(text()).toBe(`${prompt} echo one\none\n${prompt} echo two\ntwo\n${prompt}`), WAIT)
})

test('a step can read the exit status of the previous one', async () => {
  await session.start()
  await session.run('before', '(exit 5)')
  expect((await session.run('after', 'test $? = 5')).exit).toBe(0)
})

test('a paste that is not entered leaves the shell at its prompt', async () => {
  await session.start()
  session.write('\u001b[200~echo one\recho two\u001b[201~')
  expect(session.state.name).toBe('at-prompt')
  session.write('\u0003')
  await atPrompt()
})

test('a command with control characters is rejected', async () => {
  await session.start()
  await expect(session.run('escape', "echo 'x\u001b[201~\rtouch pwned'")).rejects.toThrow('control characters')
  expect(await readdir(folder)).not.toContain('pwned')
})

test('the secret of the marks does not appear under set -x, in the environment or in a file', async () => {
  await session.start()
  await session.run('trace', 'set -x; true')
  await session.run('look', 'env; cat /proc/$$/cmdline; ls -l /proc/$$/fd')
  expect(output).toContain('UNDERSTUDY_SESSION')
  expect(output.replaceAll(session.id, '')).not.toMatch(/[0-9a-f]{32}/)
})

test('two simultaneous restarts start one shell', async () => {
  await session.start()
  await Promise.all([session.restart(), session.restart()])
  expect((await session.run('after', 'true')).exit).toBe(0)
})

test('a restart while the shell starts completes', async () => {
  await Promise.all([session.start(), session.restart()])
  expect((await session.run('after', 'true')).exit).toBe(0)
})

test('ending a session during its start leaves no process', async () => {
  const started = session.start().catch((error: unknown) => error)
  await session.end()
  expect(await started).toBeInstanceOf(Error)
  expect(await countSessionProcesses(session.id)).toBe(0)
})

test('ending a session during a restart leaves no process', async () => {
  await session.start()
  const restarted = session.restart().catch((error: unknown) => error)
  await session.end()
  expect(await restarted).toBeInstanceOf(Error)
  expect(await countSessionProcesses(session.id)).toBe(0)
})

test('the start is rejected if bash is not installed', async () => {
  const executor = new LocalExecutor({
    cwd: folder,
    env: { PATH: folder },
    registry: new ProcessRegistry(join(folder, 'none.json')),
  })
  await expect(new Session({ name: 'none', cols: 80, rows: 24, executor }).start()).rejects.toThrow(
    'bash was not found',
  )
})

test('viewers that attach during an output burst with colors and wide characters show the same screen', async () => {
  await session.start()
  const screens: { terminal: xterm.Terminal; bytes: number }[] = []
  const attach = () => {
    const screen = { terminal: newTerminal(80, 24), bytes: 0 }
    screens.push(screen)
    session.attach({
      snapshot: (_channel, _cols, _rows, data) => {
        screen.bytes = 0
        screen.terminal.reset()
        screen.terminal.write(data)
      },
      output: (channel, bytes) => {
        screen.bytes += bytes.length
        const upTo = screen.bytes
        screen.terminal.write(bytes, () => session.ack(channel, upTo))
      },
    })
  }
  // A new viewer for every 12 kB of about 100 kB.
  let printed = 0
  await session.run(
    'burst',
    'for i in $(seq 4000); do printf "\\e[3%dm✓🙂\\e[1m %d\\e[0m\\n" $((i % 8)) $i; done',
    (bytes) => {
      printed += bytes.length
      while (printed > screens.length * 12_000) attach()
    },
  )
  attach()
  const text = ({ terminal: { buffer } }: (typeof screens)[number]) =>
    Array.from({ length: buffer.active.length }, (_, row) => buffer.active.getLine(row)?.translateToString(true) ?? '')
      .join('\n')
      .trimEnd()
  const last = screens.at(-1)
  await vi.waitFor(() => expect(last && text(last)).toContain('✓🙂 4000\n'), WAIT)
  expect(screens.length).toBeGreaterThan(8)
  for (const screen of screens) await vi.waitFor(() => expect(text(screen)).toBe(last && text(last)), WAIT)
})
