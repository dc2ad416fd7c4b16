import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseCast } from '../../shared/recording/cast.ts'
import { Recorder } from './recorder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-recorder-'))
})
afterEach(() => rm(folder, { recursive: true }))

const secret = 'hcloud-token-of-the-speaker'

test('a recording consists of the screen, the output and the exit status', async () => {
  const file = join(folder, 'a.cast')
  const recorder = new Recorder({ file, command: 'ls', secrets: [] })
  recorder.snapshot(80, 24, '\u001b[1mworkdir\u001b[0m ')
  // The character é is split between two chunks.
  const bytes = Buffer.from('é\r\n')
  recorder.output(bytes.subarray(0, 1))
  recorder.output(bytes.subarray(1))
  expect(await recorder.finish(0)).toEqual({ state: 'complete', seconds: expect.any(Number) as number })
  const { header, events } = parseCast(await readFile(file, 'utf8'))
  expect(header).toMatchObject({ version: 3, term: { cols: 80, rows: 24 }, command: 'ls' })
  expect(events.map(({ code, data }) => [code, data])).toEqual([
    ['o', '\u001b[1mworkdir\u001b[0m '],
    ['o', 'é\r\n'],
    ['x', '0'],
  ])
})

test('secrets are redacted in the screen, the command, window titles, and across chunks', async () => {
  const file = join(folder, 'b.cast')
  const recorder = new Recorder({ file, command: `export T=${secret}`, secrets: [secret] })
  recorder.snapshot(80, 24, `before ${secret}`)
  recorder.output(Buffer.from(`half: ${secret.slice(0, 9)}`))
  recorder.output(Buffer.from(`${secret.slice(9)}\r\n\u001b]2;${secret}\u0007`))
  recorder.output(Buffer.from(secret.slice(0, -1)))
  await recorder.finish(null)
  const text = await readFile(file, 'utf8')
  expect(text).not.toContain(secret.slice(0, 9))
  expect(
    parseCast(text)
      .events.map(({ data }) => data)
      .join(''),
  ).toContain('half: ***')
})

test('output beyond the limit is replaced by the final screen', async () => {
  const file = join(folder, 'c.cast')
  const recorder = new Recorder({ file, secrets: [], maxOutputBytes: 100_000 })
  recorder.snapshot(80, 24, '')
  const chunk = Buffer.from('a line of output\r\n'.repeat(1000))
  for (let written = 0; written < 50e6; written += chunk.length) recorder.output(chunk)
  expect(recorder.truncated).toBe(true)
  await recorder.finish(0, 'the end')
  const text = await readFile(file, 'utf8')
  expect(text.length).toBeLessThan(300_000)
  expect(
    parseCast(text)
      .events.slice(-2)
      .map(({ data }) => data),
  ).toEqual(['\u001bcthe end', '0'])
})

test('a full disk makes the recording fail and leaves no file', async ({ skip }) => {
  const disk = join(folder, 'disk')
  await mkdir(disk)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status !== 0)
    skip('mounting a small disk requires root')
  try {
    const file = join(disk, 'd.cast')
    const recorder = new Recorder({ file, secrets: [] })
    recorder.snapshot(80, 24, '')
    for (let round = 0; round < 50; round++) {
      recorder.output(Buffer.alloc(10_000, 'x'))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await recorder.finish(0)).toMatchObject({ state: 'write-failed', error: { code: 'ENOSPC' } })
    expect(existsSync(file)).toBe(false)
  } finally {
    spawnSync('umount', [disk])
  }
})

test('a recording without a screen is empty and leaves no file', async () => {
  const file = join(folder, 'e.cast')
  expect(await new Recorder({ file, secrets: [] }).finish(null)).toEqual({ state: 'empty' })
  expect(existsSync(file)).toBe(false)
})
