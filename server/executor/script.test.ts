import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalExecutor } from './local.ts'
import { ProcessRegistry } from './process-registry.ts'

let folder: string
let executor: LocalExecutor

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-script-'))
  executor = new LocalExecutor({
    cwd: folder,
    env: { PATH: process.env.PATH ?? '' },
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
})
afterEach(() => rm(folder, { recursive: true }))

test('a character whose bytes arrive in two reads is decoded as one', async () => {
  // 🚀 is f0 9f 9a 80, é is c3 a9. The pauses separate the reads.
  const { stdout, output } = await executor.script(
    String.raw`printf 'a\xf0\x9f'; sleep 0.2; printf 'b\xc3' >&2; sleep 0.2; printf '\x9a\x80'; sleep 0.2; printf '\xa9' >&2`,
    10,
  )
  expect(stdout).toBe('a🚀')
  expect(output).toBe('ab🚀é')
})

test('an incomplete character at the end of the output becomes a replacement character', async () => {
  expect((await executor.script(String.raw`printf 'a\xc3'`, 10)).stdout).toBe('a\ufffd')
})

test('a script that exceeds its time limit has no exit status, and its processes are ended', async () => {
  const { exit, stdout } = await executor.script('echo started; sleep 1000', 0.5)
  expect([exit, stdout]).toEqual([null, 'started'])
})

test('only the end of a long output is kept', async () => {
  const { stdout } = await executor.script('yes | head --lines 100000; echo last', 10)
  expect(stdout.length).toBeLessThan(20_000)
  expect(stdout).toMatch(/y\nlast$/)
})
