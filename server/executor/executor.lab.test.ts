import { once } from 'node:events'
import { access, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { noContainers } from '../test/containers.ts'
import { freePort } from '../test/free-port.ts'
import { Random } from '../test/random.ts'
import { Container, findEngine } from './container.ts'
import type { Executor } from './executor.ts'
import { LocalExecutor } from './local.ts'
import { PrefixExecutor } from './prefix.ts'
import { ProcessRegistry } from './process-registry.ts'

/** The same tests for all executors. They cover the queries about the environment of the shells. */
const withoutContainers = await noContainers()

let folder: string
let container: Container | undefined
const executors: Partial<Record<string, Executor>> = {}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-executor-'))
  const registry = new ProcessRegistry(join(folder, 'processes'))
  const programs = join(folder, 'programs')
  await mkdir(join(programs, 'folder-on-the-path'), { recursive: true })
  await writeFile(join(folder, 'tool'), '#!/bin/sh\n', { mode: 0o755 })
  const env = { PATH: `${programs}:${process.env.PATH}`, GREETING: 'hello', EMPTY: '' }
  executors.local = new LocalExecutor({ cwd: folder, env, registry })
  executors.prefix = new PrefixExecutor({ prefix: () => ['sh', '-c'], cwd: folder, env, registry })
  if (withoutContainers) return
  const cwd = join(folder, 'ada', 'copy')
  await mkdir(cwd, { recursive: true })
  await mkdir(join(cwd, 'folder-on-the-path'))
  await copyFile(join(folder, 'tool'), join(cwd, 'tool'))
  const options = { name: 'ada', workshop: folder, folder: join(folder, 'ada'), cwd, readOnlyPaths: [], registry }
  container = new Container(await findEngine(), { ...options, env: { ...env, PATH: `${cwd}:/usr/bin:/bin` } })
  executors.container = container.executor
}, 60_000)
afterAll(async () => {
  await container?.end()
  await rm(folder, { recursive: true, force: true })
})

/** Listens on a port of this machine until the test ends. @returns undefined if the user may not listen on that port */
async function listen(port: number, host: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy()).listen(port, host)
  onTestFinished(() => void server.close())
  const listening = await Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ])
  return listening ? server : undefined
}

/** An address of this machine's loopback interface that no other test uses. */
function loopbackAddress(): string {
  const random = new Random(process.pid)
  return `127.${1 + random.below(250)}.${random.below(250)}.${1 + random.below(250)}`
}

describe.each(['local', 'prefix', ...(withoutContainers ? [] : ['container'])])('the %s executor', (name) => {
  const executor = (): Executor => {
    const found = executors[name]
    if (!found) throw new Error(`executor "${name}" was not created`)
    return found
  }

  test('finds programs on the PATH of the shells', async () => {
    expect(await executor().which('bash')).toMatch(/\/bash$/)
    expect(await executor().which('no-such-program')).toBeUndefined()
  })

  test('does not report a folder on the PATH as a program', async () => {
    expect(await executor().which('folder-on-the-path')).toBeUndefined()
  })

  test('finds a program by its path relative to the working directory', async () => {
    expect(await executor().which('./tool')).toMatch(/\/tool$/)
  })

  test('reports a variable that has a value', async () => {
    expect(await executor().hasVariable('GREETING')).toBe(true)
  })

  test('reports the variables that describe the terminal', async () => {
    expect(await executor().hasVariable('TERM')).toBe(true)
  })

  test('does not report a variable that is empty or unset', async () => {
    expect(await executor().hasVariable('EMPTY')).toBe(false)
    expect(await executor().hasVariable('UNDERSTUDY_TEST_UNSET')).toBe(false)
    expect(await executor().hasVariable('constructor')).toBe(false)
  })

  test('does not report a variable of the server that is not set in the environment of its shells', async () => {
    vi.stubEnv('UNDERSTUDY_TEST_SERVER_ONLY', 'set')
    onTestFinished(() => void vi.unstubAllEnvs())
    const localWithoutEnv = new LocalExecutor({
      cwd: folder,
      env: {},
      registry: new ProcessRegistry(join(folder, 'none')),
    })
    const tested = name === 'local' ? localWithoutEnv : executor()
    expect(await tested.hasVariable('UNDERSTUDY_TEST_SERVER_ONLY')).toBe(false)
  })

  test('does not run the name of a host as a command', async () => {
    const file = join(folder, `${name}-injected`)
    expect(await executor().reaches(`127.0.0.1/443"; touch '${file}'; $(touch "${file}")`)).toBe(false)
    await expect(access(file)).rejects.toThrow()
  })

  test('does not reach a host that refuses the connection', async () => {
    expect(await executor().reaches(loopbackAddress())).toBe(false)
  })

  test('reports a port without a listener as free', async () => {
    expect(await executor().isPortFree(await freePort())).toBe(true)
  })
})

describe.each(['local', 'prefix'])('the %s executor on this machine', (name) => {
  test('reaches a host that accepts connections on port 443', async ({ skip }) => {
    const host = loopbackAddress()
    if (!(await listen(443, host))) return skip('this user may not listen on port 443')
    expect(await executors[name]?.reaches(host)).toBe(true)
  })

  test.each(['127.0.0.1', '0.0.0.0', '::1'])('reports a port with a listener on %s as in use', async (host) => {
    const port = await freePort()
    if (await listen(port, host)) expect(await executors[name]?.isPortFree(port)).toBe(false)
  })
})

describe.skipIf(withoutContainers)('the container executor', () => {
  test('reports a port that is in use on this machine as free inside the container', async () => {
    const port = await freePort()
    await listen(port, '127.0.0.1')
    expect(await executors.container?.isPortFree(port)).toBe(true)
  })

  test('reports a port with a listener inside the container as in use', async () => {
    const abort = new AbortController()
    const port = 8081
    const listening = executors.container?.script(
      `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => ${port}, Listen => 5); sleep'`,
      60,
      abort.signal,
    )
    await vi.waitFor(async () => expect(await executors.container?.isPortFree(port)).toBe(false), { timeout: 20_000 })
    abort.abort()
    await listening
  })

  test('does not reach a host that only this machine reaches', async ({ skip }) => {
    const host = loopbackAddress()
    if (!(await listen(443, host))) return skip('this user may not listen on port 443')
    expect(await executors.container?.reaches(host)).toBe(false)
  })
})
