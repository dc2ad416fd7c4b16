import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import { Session } from './session.ts'

let folder: string
let executor: LocalExecutor

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-last-'))
  executor = new LocalExecutor({
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
})
afterEach(() => rm(folder, { recursive: true }))

/** Has a shell give its place to a command, and returns the end of what viewers were shown once it has exited. */
async function endOf(command: string): Promise<string> {
  const session = new Session({ name: 'last', cols: 80, rows: 24, executor })
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
    await vi.waitFor(() => expect(session.state.name).toBe('ended'), { timeout: 30_000, interval: 10 })
    // What was gathered goes out within a frame.
    await vi.waitFor(() => expect(shown).toMatch(/THE END$/)).catch(() => {})
    return shown
  } finally {
    await session.end()
  }
}

/** Runs that lost something, of a number of runs, a few at a time. */
async function losses(runs: number, command: string): Promise<string[]> {
  const ends: string[] = []
  for (let done = 0; done < runs; done += 5)
    ends.push(...(await Promise.all(Array.from({ length: 5 }, () => endOf(command)))))
  return ends.filter((end) => !end.endsWith('THE END'))
}

test('the last bytes before a program exits always arrive', async () => {
  expect(await losses(30, 'seq 1 5000; printf "THE END"')).toEqual([])
})

test('they arrive also where nothing was read until long after the program had exited', async () => {
  const ends = await Promise.all(
    Array.from({ length: 5 }, async (_, index) => {
      const marker = `paused${index}`
      const shell = await executor.shell({ marker, cols: 80, rows: 24, secret: 'secret' })
      let shown = ''
      shell.onOutput((bytes) => (shown = (shown + String(bytes)).slice(-100)))
      const exited = new Promise((done) => shell.onExit(done))
      await vi.waitFor(() => expect(shown).toContain('133;B'), { timeout: 30_000 })
      shell.pause()
      shell.write('exec sh -c \'seq 1 500; printf "THE END"\'\r')
      await new Promise((done) => setTimeout(done, 800))
      shell.resume()
      await exited
      await executor.endSession(marker)
      return shown
    }),
  )
  for (const end of ends) expect(end).toMatch(/500\r\nTHE END$/)
})
