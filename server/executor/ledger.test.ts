import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { Ledger } from './ledger.ts'
import { identify, type ProcessId } from './process-tree.ts'

let file: string
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'understudy-ledger-')), 'processes.json')
})
afterEach(() => rm(join(file, '..'), { recursive: true }))

/** A process without the marker of a session. */
async function sleeper(): Promise<ProcessId> {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  const id = identify(child.pid ?? 0)
  if (!id) throw new Error('sleep did not start')
  return id
}

/** Makes the file look as if another process had written it. */
const rewrite = async (change: (text: string) => string) => writeFile(file, change(await readFile(file, 'utf8')))
const ownServer = () => JSON.stringify(identify(process.pid))

test('what a server that is gone has left is ended; the file is readable by the user alone', async () => {
  const process = await sleeper()
  await new Ledger(file).note('marker', [process])
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  await rewrite((text) => text.replace(ownServer(), '{"pid":1,"start":-1}'))
  expect(await new Ledger(file).cleanUp()).toEqual([process])
  expect(identify(process.pid)).toBeUndefined()
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ sessions: {} })
})

test('the sessions of a server that runs are left to it, and stay in the file', async () => {
  const process = await sleeper()
  await new Ledger(file).note('marker', [process])
  const second = new Ledger(file)
  expect(await second.cleanUp()).toEqual([])
  expect(identify(process.pid)).toEqual(process)
  await second.note('another', [process])
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ sessions: { marker: [process], another: [process] } })
})

test('a process that only has the number of an earlier one is left alone', async () => {
  const process = await sleeper()
  await new Ledger(file).note('marker', [{ ...process, start: process.start - 1 }])
  await rewrite((text) => text.replace(ownServer(), '{"pid":1,"start":-1}'))
  expect(await new Ledger(file).cleanUp()).toEqual([])
  expect(identify(process.pid)).toEqual(process)
})

test('a file from before the machine was started, or a damaged one, ends nothing', async () => {
  const process = await sleeper()
  await new Ledger(file).note('marker', [process])
  await rewrite((text) => text.replace(ownServer(), '{"pid":1,"start":-1}').replace(/"boot":"[^"]*"/, '"boot":"earlier"'))
  expect(await new Ledger(file).cleanUp()).toEqual([])
  await writeFile(file, '{')
  expect(await new Ledger(file).cleanUp()).toEqual([])
  expect(identify(process.pid)).toEqual(process)
})

test('two servers of one deck do not drop each other’s sessions from the file', async () => {
  const process = await sleeper()
  const first = new Ledger(file)
  await first.cleanUp()
  await first.note('first', [process])
  const second = new Ledger(file)
  await second.cleanUp()
  await second.note('second', [process])
  await first.note('first', [])
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ sessions: { second: [process] } })
})
