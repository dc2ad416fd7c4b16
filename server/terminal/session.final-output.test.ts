import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LocalExecutor } from '../executor/local.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { countSessionProcesses } from '../test/processes.ts'
import { Session } from './session.ts'

const WAIT = { timeout: 30_000, interval: 10 }

let folder: string
let executor: LocalExecutor

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-final-output-'))
  executor = new LocalExecutor({
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
})
afterEach(() => rm(folder, { recursive: true }))

/**
 * Replaces a session's shell with a command. Returns the last 100 bytes that a viewer received before the session
 * ended.
 */
async function lastBytesOf(command: string): Promise<string> {
  const session = new Session({ name: 'test', cols: 80, rows: 24, executor })
  try {
    await session.start()
    let shown = ''
    let bytes = 0
    session.attach({
      snapshot: () => (bytes = 0),
      output(channel, output) {
        bytes += output.length
        shown = (shown + Buffer.from(output).toString('latin1')).slice(-100)
        session.ack(channel, bytes)
      },
    })
    session.write(`exec sh -c '${command}'\r`)
    await vi.waitFor(() => expect(session.state.name).toBe('ended'), WAIT)
    // The coalescer may still hold output back. The caller reports missing output.
    await vi.waitFor(() => expect(shown).toMatch(/THE END$/), { timeout: 5000 }).catch(() => {})
    return shown
  } finally {
    await session.end()
  }
}

test('output that a program prints right before it exits reaches viewers', async () => {
  const incomplete: string[] = []
  for (let round = 0; round < 6; round++) {
    const command = 'seq 1 5000; printf "THE END"'
    const ends = await Promise.all(Array.from({ length: 5 }, () => lastBytesOf(command)))
    incomplete.push(...ends.filter((end) => !end.endsWith('THE END')))
  }
  expect(incomplete).toEqual([])
})

test('output that was not read before the program exited is read afterward', async () => {
  const ends = await Promise.all(
    Array.from({ length: 5 }, async (_, index) => {
      const marker = `paused${index}`
      const shell = await executor.shell({ marker, cols: 80, rows: 24, secret: 'secret' })
      let shown = ''
      shell.onOutput((bytes) => (shown = (shown + String(bytes)).slice(-100)))
      const exited = new Promise((resolve) => shell.onExit(resolve))
      await vi.waitFor(() => expect(shown).toContain('133;B'), WAIT)
      shell.pause()
      shell.write('exec sh -c \'seq 1 500; printf "THE END"\'\r')
      await vi.waitFor(async () => expect(await countSessionProcesses(marker)).toBe(0), WAIT)
      // node-pty closes the terminal 200 ms after the exit.
      await sleep(500)
      shell.resume()
      await exited
      await executor.endSession(marker)
      return shown
    }),
  )
  for (const end of ends) expect(end).toMatch(/500\r\nTHE END$/)
})
