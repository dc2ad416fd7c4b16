import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { findProcesses } from '../test/processes.ts'
import { ProcessRegistry } from './process-registry.ts'
import { identify, type ProcessId } from './process-tree.ts'

let folder: string
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'understudy-registry-')), 'processes')
})
afterEach(() => rm(join(folder, '..'), { recursive: true }))

/** Starts a process without a session marker. */
async function startSleep(): Promise<ProcessId> {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  const id = identify(child.pid ?? 0)
  if (!id) throw new Error('sleep did not start')
  return id
}

/** The registry's only file. */
async function onlyFile(): Promise<string> {
  const [name, ...others] = await readdir(folder)
  expect(others).toEqual([])
  return join(folder, name ?? '')
}

async function rewriteFile(change: (text: string) => string): Promise<void> {
  const file = await onlyFile()
  await writeFile(file, change(await readFile(file, 'utf8')))
}
/** Replaces the server in a registry file with one that is not running. */
const asKilledServer = (text: string) => text.replace(JSON.stringify(identify(process.pid)), '{"pid":1,"start":-1}')

/** Starts another server of the same deck and runs a command in a session of it. */
async function startServer(command: string): Promise<ChildProcess> {
  const script = join(folder, '..', `server-${randomUUID()}.ts`)
  await writeFile(
    script,
    `
    import { ProcessRegistry } from '${import.meta.dirname}/process-registry.ts'
    import { LocalExecutor } from '${import.meta.dirname}/local.ts'
    import { Session } from '${import.meta.dirname}/../terminal/session.ts'
    const executor = new LocalExecutor({ cwd: '/', env: { PATH: process.env.PATH }, registry: new ProcessRegistry('${folder}') })
    const session = new Session({ name: 'x', cols: 80, rows: 24, executor })
    await session.start()
    session.run('step', ${JSON.stringify(command)})
    setInterval(() => {}, 1000)`,
  )
  const server = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../node_modules/jiti/lib/jiti-cli.mjs'), script],
    { stdio: 'ignore' },
  )
  onTestFinished(() => void server.kill('SIGKILL'))
  return server
}

test('the file is readable only by its owner', async () => {
  await new ProcessRegistry(folder).record('marker', [await startSleep()])
  expect((await stat(await onlyFile())).mode & 0o777).toBe(0o600)
})

test('endOrphans ends the processes of a killed server and removes its file', async () => {
  const process = await startSleep()
  await new ProcessRegistry(folder).record('marker', [process])
  await rewriteFile(asKilledServer)
  expect(await new ProcessRegistry(folder).endOrphans()).toEqual([process])
  expect(identify(process.pid)).toBeUndefined()
  expect(await readdir(folder)).toEqual([])
})

test('endOrphans keeps the processes and the file of a running server', async () => {
  const process = await startSleep()
  await new ProcessRegistry(folder).record('marker', [process])
  expect(await new ProcessRegistry(folder).endOrphans()).toEqual([])
  expect(identify(process.pid)).toEqual(process)
  expect(JSON.parse(await readFile(await onlyFile(), 'utf8'))).toMatchObject({ sessions: { marker: [process] } })
})

test('endOrphans spares a process that has the pid of an earlier one', async () => {
  const process = await startSleep()
  await new ProcessRegistry(folder).record('marker', [{ ...process, start: process.start - 1 }])
  await rewriteFile(asKilledServer)
  expect(await new ProcessRegistry(folder).endOrphans()).toEqual([])
  expect(identify(process.pid)).toEqual(process)
})

test('endOrphans removes a file from before the last boot without ending any process', async () => {
  const process = await startSleep()
  await new ProcessRegistry(folder).record('marker', [process])
  await rewriteFile((text) => asKilledServer(text).replace(/"boot":"[^"]*"/, '"boot":"earlier"'))
  expect(await new ProcessRegistry(folder).endOrphans()).toEqual([])
  expect(identify(process.pid)).toEqual(process)
  expect(await readdir(folder)).toEqual([])
})

test('invalid files are ignored and kept', async () => {
  await mkdir(folder, { recursive: true })
  const files = ['{', '', 'null', '[]', '{"boot":1}', '{"version":9,"servers":{"a":{"pid":1}}}', '\0\0']
  for (const [index, text] of files.entries()) await writeFile(join(folder, `${index}.json`), text)
  await mkdir(join(folder, 'folder.json'))
  const registry = new ProcessRegistry(folder)
  expect(await registry.endOrphans()).toEqual([])
  await registry.record('marker', [await startSleep()])
  expect(await readdir(folder)).toHaveLength(files.length + 2)
})

test('recording succeeds in memory if the folder cannot be created', async () => {
  await writeFile(join(folder, '..', 'processes'), 'a file where the folder should be')
  const registry = new ProcessRegistry(folder)
  expect(await registry.endOrphans()).toEqual([])
  await registry.record('marker', [await startSleep()])
  expect(registry.recordedProcesses('marker')).toHaveLength(1)
})

test('endOrphans ends the process tree of a killed server and keeps that of a running server', async () => {
  // A child in its own POSIX session, a daemon, and a process that has cleared its environment.
  const tree =
    "setsid sleep 91001 & (setsid nohup sleep 91002 >/dev/null 2>&1 &); env -i bash -c 'sleep 91003 & exec sleep 91004'"
  const killed = await startServer(tree)
  const other = await startServer('sleep 91005')
  await vi.waitFor(async () => expect(await findProcesses(/^sleep 9100[1-5]$/)).toHaveLength(5), { timeout: 20_000 })
  // Recorded by the periodic tracking of the session, once per second.
  const [unmarked] = await findProcesses(/^sleep 91003$/)
  await vi.waitFor(
    async () => {
      const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')))
      expect(texts.join('')).toContain(`"pid":${unmarked?.pid},`)
    },
    { timeout: 20_000 },
  )
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  expect(await new ProcessRegistry(folder).endOrphans()).not.toEqual([])
  expect(await findProcesses(/^sleep 9100[1-4]$/)).toEqual([])
  expect(await findProcesses(/^sleep 91005$/)).toHaveLength(1)
  other.kill('SIGKILL')
  await once(other, 'exit')
  await new ProcessRegistry(folder).endOrphans()
  expect(await findProcesses(/^sleep 91005$/)).toEqual([])
})
