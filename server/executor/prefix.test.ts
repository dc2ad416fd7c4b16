import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { Session } from '../terminal/session.ts'
import { findProcesses } from '../test/processes.ts'
import { PrefixExecutor } from './prefix.ts'
import { ProcessRegistry } from './process-registry.ts'

/** The prefix is `sh -c`: a shell on this machine is used instead of a remote one. */
let folder: string
let executor: PrefixExecutor
let session: Session

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-prefix-'))
  executor = newExecutor({ GREETING: "it's here" })
  session = new Session({ name: 'remote', cols: 80, rows: 24, executor })
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await session.end()
  await executor.close()
  await rm(folder, { recursive: true })
})

function newExecutor(env: Record<string, string>): PrefixExecutor {
  const registry = new ProcessRegistry(join(folder, 'processes'))
  return new PrefixExecutor({ prefix: () => ['sh', '-c'], cwd: folder, env, registry })
}

/** Runs a command in the session. @returns its exit status, and everything that it has printed */
async function runStep(command: string): Promise<{ exit: number | null; printed: string }> {
  const chunks: Uint8Array[] = []
  const { exit } = await session.run('step', command, (bytes) => chunks.push(bytes))
  return { exit, printed: Buffer.concat(chunks).toString() }
}

/** Serves HTTP on the loopback interface until the test ends. @returns the port */
async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('a step runs in the working directory with the environment and reports its exit status', async () => {
  await session.start()
  const { exit, printed } = await runStep('pwd; echo "$GREETING"; (exit 3)')
  expect(exit).toBe(3)
  expect(printed.replaceAll('\r', '')).toContain(`${folder}\nit's here\n`)
})

test('remote programs cannot read the secret of the shell integration', async () => {
  await session.start()
  const { printed } = await runStep('env; tr "\\0" "\\n" < /proc/$$/cmdline')
  expect(printed).toContain('UNDERSTUDY_SESSION')
  expect(printed).not.toMatch(/__understudy_secret|base64/)
})

test('a script that exceeds its time limit is ended with every remote process that it has started', async () => {
  const { exit } = await executor.script('setsid nohup sleep 43210 >/dev/null 2>&1 & env -i sleep 43211 & wait', 1)
  expect(exit).toBeNull()
  await vi.waitFor(async () => expect(await findProcesses(/^sleep 4321[01]$/)).toEqual([]), { timeout: 20_000 })
})

test('a script reports its exit status and its standard output', async () => {
  expect(await executor.script("echo 'a value'; exit 2", 10)).toMatchObject({ exit: 2, stdout: 'a value' })
})

test('ending a session ends its remote background processes', async () => {
  await session.start()
  await runStep('setsid nohup sleep 43212 >/dev/null 2>&1 & sleep 0.2')
  expect(await findProcesses(/^sleep 43212$/)).toHaveLength(1)
  await session.end()
  expect(await findProcesses(/^sleep 43212$/)).toEqual([])
})

test('a forwarded port serves several requests at the same time', async () => {
  const remotePort = await serve((request, response) => response.end(`requested ${request.url}`))
  const localPort = await executor.forward(remotePort)
  expect(localPort).not.toBe(remotePort)
  const bodies = await Promise.all(
    ['/a', '/b', '/c'].map(async (path) => (await fetch(`http://127.0.0.1:${localPort}${path}`)).text()),
  )
  expect(bodies).toEqual(['requested /a', 'requested /b', 'requested /c'])
})

test("output of the user's .bashrc appears neither in scripts nor in forwarded connections", async () => {
  await writeFile(join(folder, '.bashrc'), 'echo "from .bashrc"\n')
  vi.stubEnv('HOME', folder)
  // bash reads .bashrc, even with -c, if its input is a socket or if SSH_CLIENT indicates that sshd has started it.
  vi.stubEnv('SHLVL', undefined)
  const overSsh = newExecutor({ HOME: folder, SSH_CLIENT: '127.0.0.1 1 22' })
  onTestFinished(() => overSsh.close())
  const remotePort = await serve((request, response) => response.end('a page'))
  expect((await overSsh.script('echo a value', 10)).stdout).toBe('a value')
  const localPort = await overSsh.forward(remotePort)
  expect(await (await fetch(`http://127.0.0.1:${localPort}/`)).text()).toBe('a page')
})
