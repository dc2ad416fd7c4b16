import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test, vi } from 'vitest'
import { LocalExecutor } from '../executor/local.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import type { ScreenRequest } from './screen-worker.ts'
import { Session } from './session.ts'
import { Terminal } from './terminal.ts'

test('the screens of a session whose shell does not start are closed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-terminal-'))
  // The worker is private; spy on postMessage to see its requests.
  const postMessage = vi.spyOn(Worker.prototype, 'postMessage')
  onTestFinished(async () => {
    vi.restoreAllMocks()
    await rm(folder, { recursive: true })
  })
  const count = (type: ScreenRequest['type']) =>
    postMessage.mock.calls.filter(([message]) => (message as ScreenRequest).type === type).length
  // This PATH does not contain bash.
  const executor = new LocalExecutor({
    cwd: folder,
    env: { PATH: folder },
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
  const grid = { cols: 80, rows: 24 }
  const terminal = new Terminal({
    name: 'test',
    grid: () => grid,
    createSession: () => new Session({ name: 'test', ...grid, executor, secrets: ['a-secret'] }),
    gate: () => undefined,
  })
  await expect(terminal.open()).rejects.toThrow('bash')
  expect(count('open')).toBe(2)
  expect(count('close')).toBe(2)
})
