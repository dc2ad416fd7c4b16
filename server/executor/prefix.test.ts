import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Session } from '../terminal/session.ts'
import { ProcessRegistry } from './process-registry.ts'
import { PrefixExecutor } from './prefix.ts'

/** The simplest prefix of all: a shell of this machine, as ssh to it would be. */
let folder: string
let executor: PrefixExecutor
let session: Session

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-prefix-'))
  executor = new PrefixExecutor({
    prefix: () => ['sh', '-c'],
    cwd: folder,
    env: { GREETING: "it's here" },
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
  session = new Session({ name: 'there', cols: 80, rows: 24, executor })
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await session.end()
  await executor.close()
  await rm(folder, { recursive: true })
})

async function running(command: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line.replaceAll('\0', ' ').trim() === command).length
}

test('a step that runs elsewhere ends with the exit status of its command, in its folder, with the environment', async () => {
  await session.start()
  let printed = ''
  const end = await session.run(
    'step',
    'pwd; echo "$GREETING"; (exit 3)',
    (bytes) => (printed += Buffer.from(bytes).toString()),
  )
  expect(end.exit).toBe(3)
  expect(printed.replaceAll('\r', '')).toContain(`${folder}\nit's here\n`)
})

test('no program there can read the secret of the marks', async () => {
  await session.start()
  let printed = ''
  await session.run(
    'step',
    'env; tr "\\0" "\\n" < /proc/$$/cmdline',
    (bytes) => (printed += Buffer.from(bytes).toString()),
  )
  expect(printed).toContain('UNDERSTUDY_SESSION')
  expect(printed).not.toMatch(/__understudy_secret|base64/)
})

test('a script that takes too long is ended with everything that it has started there', async () => {
  const { exit } = await executor.script('setsid nohup sleep 43210 >/dev/null 2>&1 & env -i sleep 43211 & wait', 1)
  expect(exit).toBeNull()
  await vi.waitFor(async () => expect([await running('sleep 43210'), await running('sleep 43211')]).toEqual([0, 0]), {
    timeout: 20_000,
  })
  expect(await executor.script("echo 'a value'; exit 2", 10)).toMatchObject({ exit: 2, value: 'a value' })
})

test('the end of a session ends what it has left in the background there', async () => {
  await session.start()
  await session.run('step', 'setsid nohup sleep 43212 >/dev/null 2>&1 & sleep 0.2')
  expect(await running('sleep 43212')).toBe(1)
  await session.end()
  expect(await running('sleep 43212')).toBe(0)
})

test('a port there is reached here', async () => {
  const server = createServer((request, response) => response.end(`you asked for ${request.url}`)).listen(
    0,
    '127.0.0.1',
  )
  await new Promise((done) => server.once('listening', done))
  const there = (server.address() as AddressInfo).port
  try {
    const here = await executor.forward(there)
    expect(here).not.toBe(there)
    expect(await (await fetch(`http://127.0.0.1:${here}/page`)).text()).toBe('you asked for /page')
    const asked = await Promise.all(
      [1, 2, 3].map(async (number) => (await fetch(`http://127.0.0.1:${here}/${number}`)).text()),
    )
    expect(asked).toEqual(['you asked for /1', 'you asked for /2', 'you asked for /3'])
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test("what the user's own shell does when it starts is no part of a script or of a port", async () => {
  await writeFile(join(folder, '.bashrc'), 'echo "from the user\'s own shell"\n')
  vi.stubEnv('HOME', folder)
  // As at the other end of ssh, and where the input of a shell is a socket, bash reads this file although it is told a command.
  vi.stubEnv('SHLVL', undefined)
  const there = new PrefixExecutor({
    prefix: () => ['sh', '-c'],
    cwd: folder,
    env: { HOME: folder, SSH_CLIENT: '127.0.0.1 1 22' },
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
  const server = createServer((request, response) => response.end('a page')).listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  try {
    expect((await there.script('echo a value', 10)).value).toBe('a value')
    const here = await there.forward((server.address() as AddressInfo).port)
    expect(await (await fetch(`http://127.0.0.1:${here}/`)).text()).toBe('a page')
  } finally {
    server.closeAllConnections()
    server.close()
    await there.close()
  }
})

test('programs are found on the PATH there', async () => {
  expect(await executor.which('bash')).toMatch(/\/bash$/)
  expect(await executor.which('no-such-program')).toBeUndefined()
})
