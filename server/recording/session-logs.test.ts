import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import { Session } from '../terminal/session.ts'
import { parseCast } from '../../shared/recording/cast.ts'
import { SessionLogs, type SessionLogsOptions } from './session-logs.ts'

const secret = 'hcloud-token-of-the-speaker'

let folder: string
let logs: string
let session: Session

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-logs-'))
  logs = join(folder, 'sessions')
})
afterEach(async () => {
  await session.end()
  await rm(folder, { recursive: true })
})

/** Starts a session that is logged. */
async function startLogged(
  options: Partial<Pick<SessionLogsOptions, 'secrets' | 'limits'>> = {},
): Promise<SessionLogs> {
  const executor = new LocalExecutor({
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
  const sessionLogs = await SessionLogs.open({ folder: logs, secrets: [], ...options })
  session = new Session({ name: 'test', cols: 80, rows: 24, executor, secrets: options.secrets ?? [] })
  sessionLogs.follow(session)
  await session.start()
  return sessionLogs
}

const files = async () => (await readdir(logs)).sort()
const read = async (name = '') => parseCast(await readFile(join(logs, name), 'utf8'))
const texts = async () => Promise.all((await files()).map((name) => readFile(join(logs, name), 'utf8')))
/** The line "over" of the output, not of the command. It may begin an event of its own. */
const OVER = /(\\r\\n|")over\\r\\n/

/** Waits until the newest log contains a text, then completes all logs. */
async function finishAfter(text: string | RegExp, sessionLogs: SessionLogs): Promise<void> {
  await vi.waitFor(async () => expect((await texts()).at(-1)).toMatch(text), { timeout: 30_000 })
  await session.end()
  await sessionLogs.finish()
}

test('a log contains the output with secrets redacted, marks the steps, and is readable only by its owner', async () => {
  const half = (from: number, to?: number) => Buffer.from(secret.slice(from, to)).toString('base64')
  const sessionLogs = await startLogged({ secrets: [secret] })
  await session.run(
    'greet',
    `echo one; base64 -d <<< ${half(0, 9)}; sleep 0.1; base64 -d <<< ${half(9)}; echo; printf 'gh%s\n' p_${'x'.repeat(30)}; echo over`,
  )
  await finishAfter(OVER, sessionLogs)
  const [name, ...more] = await files()
  expect(more).toEqual([])
  expect(name).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-.*Z-test\.cast$/)
  expect(((await stat(join(logs, name ?? ''))).mode & 0o777).toString(8)).toBe('600')
  expect(((await stat(logs)).mode & 0o777).toString(8)).toBe('700')
  const { header, events } = await read(name)
  expect(header).toMatchObject({ title: 'test', term: { cols: 80, rows: 24 } })
  expect(events.filter(({ code }) => code === 'm').map(({ data }) => data)).toEqual(['greet'])
  const text = events.map(({ data }) => data).join('')
  expect(text).toMatch(/one\r\n\*{27}\r\n\*{34}\r\nover/)
  expect(text).not.toContain(secret.slice(0, 9))
})

test('a terminal in which no command has run leaves no log', async () => {
  const sessionLogs = await startLogged()
  await finishAfter('❯', sessionLogs)
  expect(await files()).toEqual([])
})

test('a full log is continued in a new file, and the oldest files are removed', async () => {
  const limits = { fileBytes: 30_000, totalBytes: 400_000 }
  const sessionLogs = await startLogged({ limits })
  for (let part = 1; part <= 16; part++) {
    await session.run('part', `clear; echo "part $((${part}))."; printf '%05000d\\n' $(seq 6)`)
    await vi.waitFor(async () => expect((await texts()).join('')).toContain(`part ${part}.`))
  }
  await finishAfter('part 16.', sessionLogs)
  const remaining = await texts()
  expect(remaining.length).toBeGreaterThan(2)
  expect(remaining.join('').length).toBeLessThan(limits.totalBytes + limits.fileBytes)
  expect(remaining.join('')).not.toContain('part 1.')
  for (const name of await files()) expect((await read(name)).events.length).toBeGreaterThan(0)
})

test('an output burst of 50 MB is logged as screen snapshots, followed by its end', async () => {
  const sessionLogs = await startLogged()
  await session.run('burst', 'yes "a line of the output burst" | head --bytes 50000000; echo; echo over')
  await finishAfter(OVER, sessionLogs)
  const [text = ''] = await texts()
  // The number of snapshots depends on the time that the burst takes.
  expect(text.length).toBeLessThan(20e6)
  expect(text).toContain('a line of the output burst')
})

test('a session continues if the log folder is removed', async () => {
  const sessionLogs = await startLogged()
  await rm(logs, { recursive: true })
  expect((await session.run('greet', 'echo one')).exit).toBe(0)
  await session.end()
  await sessionLogs.finish()
})
