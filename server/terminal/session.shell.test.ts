import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import unicode11 from '@xterm/addon-unicode11'
import xterm from '@xterm/headless'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import { Session } from './session.ts'

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

const atPrompt = () => vi.waitFor(() => expect(session.state).toEqual({ name: 'at-prompt' }))

/** At once when the shell shows its prompt: it has not read yet what was typed ahead. */
const firstPrompt = () =>
  new Promise<void>((done) => {
    const stop = session.onState(({ name }) => {
      if (name !== 'at-prompt') return
      stop()
      done()
    })
  })

/** Processes of the session that run. */
async function members(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')))
  return pids.filter((_, at) => environments[at]?.includes(`UNDERSTUDY_SESSION=${session.id}`))
}

test('a prompt of the user’s own does not hide how steps end', async () => {
  await session.start()
  expect((await session.run('prompt', "PS1='$ ' PS0=")).exit).toBe(0)
  expect((await session.run('after', '(exit 3)')).exit).toBe(3)
})

test('a command with a syntax error ends as failed', async () => {
  await session.start()
  expect((await session.run('syntax', 'echo )')).exit).toBe(2)
})

test('an exclamation mark is no question to the history', async () => {
  await session.start()
  expect((await session.run('greet', 'echo "hi !x"')).exit).toBe(0)
})

test('a line that was just entered is not taken for the step', async () => {
  await session.start()
  session.write('sleep 0.3; false\r')
  await expect(session.run('early', 'true')).rejects.toThrow('not at its prompt')
  await atPrompt()
  expect((await session.run('later', 'true')).exit).toBe(0)
})

test('Ctrl-C pressed again and again never loses the prompt', async () => {
  await session.start()
  for (let times = 0; times < 60; times++) {
    if (times % 3 === 0) void session.run('sleep', 'sleep 0.02')
    session.interrupt()
    await new Promise((done) => setTimeout(done, times % 10))
    session.interrupt()
    await vi.waitFor(() => expect(session.state).toEqual({ name: 'at-prompt' }), { interval: 1, timeout: 3000 })
  }
  expect((await session.run('after', '(exit 4)')).exit).toBe(4)
})

test('a step does not become part of an open quotation; Ctrl-C gives it up', async () => {
  await session.start()
  session.write('echo "half\r')
  await expect(session.run('quoted', 'true')).rejects.toThrow('not at its prompt')
  await vi.waitFor(() => expect(Buffer.from(output, 'latin1').toString()).toContain('…'))
  session.interrupt()
  await atPrompt()
  expect((await session.run('after', '(exit 4)')).exit).toBe(4)
})

test('a line that is typed ahead is not taken for the step, nor joined with it', async () => {
  await session.start()
  for (const [ahead, shows] of [
    ['false\r', 'false'],
    ['\r\rfalse\r', 'false'],
    ['sleep 0.2; false\r', 'sleep 0.2'],
    ['echo not entered', 'echo not entered'],
  ] as const) {
    session.write('sleep 0.3\r')
    session.write(ahead)
    await firstPrompt()
    const tries: (number | null)[] = []
    while (tries.length === 0)
      await session.run('step', '(exit 7)').then(
        ({ exit }) => tries.push(exit),
        () => atPrompt(),
      )
    expect(tries, ahead).toEqual([7])
    expect(output).toContain(shows)
  }
})

test('a quotation that was opened ahead does not swallow the step', async () => {
  await session.start()
  session.write('sleep 0.3\r')
  session.write('echo "half\r')
  await firstPrompt()
  await expect(session.run('step', 'touch swallowed')).rejects.toThrow(/came first|not at its prompt/)
  expect(session.state).toEqual({ name: 'in-program' })
  session.interrupt()
  await atPrompt()
  expect((await session.run('after', '(exit 4)')).exit).toBe(4)
  expect(await readdir(folder)).not.toContain('swallowed')
})

test('a Ctrl-C at the prompt does not reach the step that is run next', async () => {
  await session.start()
  session.interrupt()
  await atPrompt()
  // The shell itself waits here, as it does at its prompt.
  expect((await session.run('step', 'read -t 0.8 answer; (exit 4)')).exit).toBe(4)
})

test('half a key sequence, a search or a quoted key before the step does not change it', async () => {
  await session.start()
  await session.run('remember', 'true remembered')
  for (const half of [
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
    session.write(half)
    expect((await session.run('step', '(exit 6)')).exit, JSON.stringify(half)).toBe(6)
  }
  expect(await readdir(folder)).toEqual(['processes'])
})

test('keys that are pressed while a step is typed come after it', async () => {
  await session.start()
  session.write('tou')
  const running = session.run('step', 'read -r line; test "$line" = answer')
  session.write('ans')
  session.write('wer\r')
  expect((await running).exit).toBe(0)
})

test('a step with an open quotation is given up by Ctrl-C', async () => {
  await session.start()
  const running = session.run('open', 'echo "half')
  session.interrupt()
  expect((await running).exit).toBe(130)
})

test('the screen shows each step behind one prompt, and nothing of what was cleared', async () => {
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
  await vi.waitFor(() => expect(text()).toBe(`${prompt} echo one\none\n${prompt} echo two\ntwo\n${prompt}`))
})

test('a step sees how the one before it has ended', async () => {
  await session.start()
  await session.run('before', '(exit 5)')
  expect((await session.run('after', 'test $? = 5')).exit).toBe(0)
})

test('a pasted line that was not entered leaves the shell at its prompt', async () => {
  await session.start()
  session.write('\u001b[200~echo one\recho two\u001b[201~')
  expect(session.state.name).toBe('at-prompt')
  session.write('\u0003')
  await atPrompt()
})

test('a command cannot leave its paste', async () => {
  await session.start()
  await expect(session.run('escape', "echo 'x\u001b[201~\rtouch pwned'")).rejects.toThrow('control characters')
  expect(await readdir(folder)).not.toContain('pwned')
})

test('the secret of the marks is not shown by set -x, nor in the environment or a file', async () => {
  await session.start()
  await session.run('trace', 'set -x; true')
  await session.run('look', 'env; cat /proc/$$/cmdline; ls -l /proc/$$/fd')
  expect(output).toContain('UNDERSTUDY_SESSION')
  expect(output.replaceAll(session.id, '')).not.toMatch(/[0-9a-f]{32}/)
})

test('two restarts at once are one', async () => {
  await session.start()
  await Promise.all([session.restart(), session.restart()])
  expect((await session.run('after', 'true')).exit).toBe(0)
})

test('a restart while the shell starts lets both end well', async () => {
  await Promise.all([session.start(), session.restart()])
  expect((await session.run('after', 'true')).exit).toBe(0)
})

test('an end during a start leaves no process', async () => {
  const started = session.start().catch((error: unknown) => error)
  await session.end()
  expect(await started).toBeInstanceOf(Error)
  expect(await members()).toEqual([])
})

test('an end during a restart leaves no process', async () => {
  await session.start()
  const restarted = session.restart().catch((error: unknown) => error)
  await session.end()
  expect(await restarted).toBeInstanceOf(Error)
  expect(await members()).toEqual([])
})

test('says what is missing where there is no bash', async () => {
  const executor = new LocalExecutor({
    cwd: folder,
    env: { PATH: folder },
    registry: new ProcessRegistry(join(folder, 'none.json')),
  })
  await expect(new Session({ name: 'none', cols: 80, rows: 24, executor }).start()).rejects.toThrow('bash was not found')
})

test('a viewer that joins in the middle of a flood of colours and symbols sees what is there', async () => {
  await session.start()
  const paint = (data: string | Uint8Array, on: xterm.Terminal) => new Promise<void>((done) => on.write(data, done))
  const screens: { terminal: xterm.Terminal; bytes: number; channel: number }[] = []
  const join = () => {
    const screen = {
      terminal: new xterm.Terminal({ cols: 80, rows: 24, scrollback: 10_000, allowProposedApi: true }),
      bytes: 0,
      channel: 0,
    }
    // As the server's screen and the browser's: all must agree on how wide a character is.
    screen.terminal.loadAddon(new unicode11.Unicode11Addon())
    screen.terminal.unicode.activeVersion = '11'
    screens.push(screen)
    session.attach({
      snapshot: (channel, _cols, _rows, data) => {
        Object.assign(screen, { channel, bytes: 0 })
        screen.terminal.reset()
        void paint(data, screen.terminal)
      },
      output: (channel, bytes) => {
        screen.bytes += bytes.length
        const upTo = screen.bytes
        void paint(bytes, screen.terminal).then(() => session.ack(channel, upTo))
      },
    })
  }
  // One each 12 kB of the hundred, however fast they come.
  let printed = 0
  await session.run(
    'flood',
    'for i in $(seq 4000); do printf "\\e[3%dm✓🙂\\e[1m %d\\e[0m\\n" $((i % 8)) $i; done',
    (bytes) => {
      printed += bytes.length
      while (printed > screens.length * 12_000) join()
    },
  )
  join()
  const text = ({ terminal: { buffer } }: (typeof screens)[number]) =>
    Array.from({ length: buffer.active.length }, (_, row) => buffer.active.getLine(row)?.translateToString(true) ?? '')
      .join('\n')
      .trimEnd()
  const last = screens.at(-1)
  await vi.waitFor(() => expect(last && text(last)).toContain('✓🙂 4000\n'))
  expect(screens.length).toBeGreaterThan(8)
  for (const screen of screens) await vi.waitFor(() => expect(text(screen)).toBe(last && text(last)))
})
