import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { ProcessRegistry } from './process-registry.ts'
import { identify, type ProcessId } from './process-tree.ts'

let folder: string
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'understudy-registry-')), 'processes')
})
afterEach(() => rm(join(folder, '..'), { recursive: true }))

/** A process without the marker of a session. */
async function sleeper(): Promise<ProcessId> {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  const id = identify(child.pid ?? 0)
  if (!id) throw new Error('sleep did not start')
  return id
}

async function onlyFile(): Promise<string> {
  const [name, ...others] = await readdir(folder)
  expect(others).toEqual([])
  return join(folder, name ?? '')
}

/** Makes the file look as if another process had written it. */
async function rewrite(change: (text: string) => string): Promise<void> {
  const file = await onlyFile()
  await writeFile(file, change(await readFile(file, 'utf8')))
}
const ownServer = () => JSON.stringify(identify(process.pid))
const serverIsGone = (text: string) => text.replace(ownServer(), '{"pid":1,"start":-1}')

/** Another server of the same deck: it runs a session and waits. */
async function otherServer(command: string): Promise<ChildProcess> {
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

/** Numbers of the processes whose command line is this. */
async function running(command: RegExp): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const lines = await Promise.all(
    pids.map(async (pid) =>
      (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim(),
    ),
  )
  return pids.filter((_, at) => command.test(lines[at] ?? ''))
}

test('what a server that is gone has left is ended; the file is readable by the user alone', async () => {
  const process = await sleeper()
  await new ProcessRegistry(folder).note('marker', [process])
  expect((await stat(await onlyFile())).mode & 0o777).toBe(0o600)
  await rewrite(serverIsGone)
  expect(await new ProcessRegistry(folder).cleanUp()).toEqual([process])
  expect(identify(process.pid)).toBeUndefined()
  expect(await readdir(folder)).toEqual([])
})

test('the sessions of a server that runs are left to it, and stay noted', async () => {
  const process = await sleeper()
  await new ProcessRegistry(folder).note('marker', [process])
  expect(await new ProcessRegistry(folder).cleanUp()).toEqual([])
  expect(identify(process.pid)).toEqual(process)
  expect(JSON.parse(await readFile(await onlyFile(), 'utf8'))).toMatchObject({ sessions: { marker: [process] } })
})

test('a process that only has the number of an earlier one is left alone', async () => {
  const process = await sleeper()
  await new ProcessRegistry(folder).note('marker', [{ ...process, start: process.start - 1 }])
  await rewrite(serverIsGone)
  expect(await new ProcessRegistry(folder).cleanUp()).toEqual([])
  expect(identify(process.pid)).toEqual(process)
})

test('a file from before the machine was started ends nothing, and goes', async () => {
  const process = await sleeper()
  await new ProcessRegistry(folder).note('marker', [process])
  await rewrite((text) => serverIsGone(text).replace(/"boot":"[^"]*"/, '"boot":"earlier"'))
  expect(await new ProcessRegistry(folder).cleanUp()).toEqual([])
  expect(identify(process.pid)).toEqual(process)
  expect(await readdir(folder)).toEqual([])
})

test('a damaged file, or one of another format, ends nothing and keeps nothing from being noted', async () => {
  await mkdir(folder, { recursive: true })
  const files = ['{', '', 'null', '[]', '{"boot":1}', '{"version":9,"servers":{"a":{"pid":1}}}', '\0\0']
  for (const [at, text] of files.entries()) await writeFile(join(folder, `${at}.json`), text)
  await mkdir(join(folder, 'folder.json'))
  const registry = new ProcessRegistry(folder)
  expect(await registry.cleanUp()).toEqual([])
  await registry.note('marker', [await sleeper()])
  expect(await readdir(folder)).toHaveLength(files.length + 2)
})

test('a place where nothing can be written does not end the talk', async () => {
  await writeFile(join(folder, '..', 'processes'), 'a file where the folder should be')
  const registry = new ProcessRegistry(folder)
  expect(await registry.cleanUp()).toEqual([])
  await registry.note('marker', [await sleeper()])
  expect(registry.known('marker')).toHaveLength(1)
})

test('of two servers of one deck, what the killed one left is ended, and what the other runs goes on', async () => {
  // A tree as QEMU's: a child in a session of its own, one that is a daemon, and one that has dropped its environment.
  const tree =
    "setsid sleep 91001 & (setsid nohup sleep 91002 >/dev/null 2>&1 &); env -i bash -c 'sleep 91003 & exec sleep 91004'"
  const killed = await otherServer(tree)
  const other = await otherServer('sleep 91005')
  await vi.waitFor(async () => expect(await running(/^sleep 9100[1-5]$/)).toHaveLength(5), { timeout: 20_000 })
  // Seen by the watch of the session, which looks every second.
  await vi.waitFor(
    async () =>
      expect(
        (await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')))).join(),
      ).toMatch(new RegExp((await running(/^sleep 91003$/)).join())),
    { timeout: 20_000 },
  )
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  expect(await new ProcessRegistry(folder).cleanUp()).not.toEqual([])
  expect(await running(/^sleep 9100[1-4]$/)).toEqual([])
  expect(await running(/^sleep 91005$/)).toHaveLength(1)
  other.kill('SIGKILL')
  await once(other, 'exit')
  await new ProcessRegistry(folder).cleanUp()
  expect(await running(/^sleep 91005$/)).toEqual([])
})
