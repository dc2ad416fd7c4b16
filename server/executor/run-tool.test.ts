import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findProcesses } from '../test/processes.ts'
import { ProcessRegistry } from './process-registry.ts'
import { runTool, type ToolOptions } from './run-tool.ts'

let folder: string
let lines: string[]
let controller: AbortController
let options: ToolOptions
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-tool-'))
  lines = []
  controller = new AbortController()
  options = {
    onLine: (line) => lines.push(line),
    signal: controller.signal,
    registry: new ProcessRegistry(join(folder, 'processes')),
  }
})
afterEach(() => rm(folder, { recursive: true }))

test('runTool reports the output lines, the exit status and the error lines', async () => {
  expect(await runTool('bash', ['-c', 'echo one; echo two; echo bad >&2; exit 3'], options)).toEqual({
    exit: 3,
    errors: ['bad'],
  })
  expect(lines).toEqual(['one', 'two'])
})

test('a tool that is not installed results in an error line', async () => {
  expect(await runTool('no-such-program', [], options)).toEqual({
    exit: undefined,
    errors: [expect.stringContaining('no-such-program')],
  })
})

test('aborting ends the tool and every process that it has started within 3 s', async () => {
  const tool = runTool(
    'bash',
    ['-c', `trap '' HUP; setsid nohup env -u UNDERSTUDY_SESSION sleep 3344 & echo started; sleep 4433`],
    options,
  )
  await vi.waitFor(() => expect(lines).toEqual(['started']))
  await vi.waitFor(async () => expect(await findProcesses(/^sleep (3344|4433)$/)).toHaveLength(2))
  const start = Date.now()
  controller.abort()
  await expect(tool).rejects.toThrow('abort')
  expect(Date.now() - start).toBeLessThan(3000)
  expect(await findProcesses(/^sleep (3344|4433)$/)).toEqual([])
})
