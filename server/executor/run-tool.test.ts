import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { runTool, type ToolOptions } from './run-tool.ts'

let folder: string
let lines: string[]
let abort: AbortController
let options: ToolOptions
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-tool-'))
  lines = []
  abort = new AbortController()
  options = {
    onLine: (line) => lines.push(line),
    signal: abort.signal,
    registry: new ProcessRegistry(join(folder, 'processes')),
  }
})
afterEach(() => rm(folder, { recursive: true }))

async function running(pattern: RegExp): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const commands = await Promise.all(
    pids.map(async (pid) =>
      (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim(),
    ),
  )
  return commands.filter((command) => pattern.test(command))
}

test('a tool tells its lines, its exit status and its errors', async () => {
  expect(await runTool('bash', ['-c', 'echo one; echo two; echo bad >&2; exit 3'], options)).toEqual({
    exit: 3,
    errors: ['bad'],
  })
  expect(lines).toEqual(['one', 'two'])
})

test('a tool that is not there is an error to be told, not an end', async () => {
  expect(await runTool('no-such-program', [], options)).toEqual({
    exit: undefined,
    errors: [expect.stringContaining('no-such-program')],
  })
})

test('a tool that is interrupted ends at once with all it has started', async () => {
  const tool = runTool(
    'bash',
    ['-c', `trap '' HUP; setsid nohup env -u UNDERSTUDY_SESSION sleep 3344 & echo on; sleep 4433`],
    options,
  )
  await vi.waitFor(() => expect(lines).toEqual(['on']))
  await vi.waitFor(async () => expect(await running(/^sleep (3344|4433)$/)).toHaveLength(2))
  const before = Date.now()
  abort.abort()
  await expect(tool).rejects.toThrow('abort')
  expect(Date.now() - before).toBeLessThan(3000)
  expect(await running(/^sleep (3344|4433)$/)).toEqual([])
})
