import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import { Session } from '../terminal/session.ts'
import { parseCast } from '../../shared/recording/cast.ts'
import { SessionLogs } from './session-logs.ts'

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

/** A session that is logged. */
async function logged(
  options: { secrets?: string[]; room?: { file: number; all: number } } = {},
): Promise<SessionLogs> {
  const executor = new LocalExecutor({
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    registry: new ProcessRegistry(join(folder, 'processes')),
  })
  const all = await SessionLogs.open({ folder: logs, secrets: [], ...options })
  session = new Session({ name: 'test', cols: 80, rows: 24, executor, secrets: options.secrets ?? [] })
  all.follow(session)
  await session.start()
  return all
}

const files = async () => (await readdir(logs)).sort()
const read = async (name = '') => parseCast(await readFile(join(logs, name), 'utf8'))
const texts = async () => Promise.all((await files()).map((name) => readFile(join(logs, name), 'utf8')))
/** Waits until the log has come so far, and completes it. */
async function until(text: string, all: SessionLogs): Promise<void> {
  await vi.waitFor(async () => expect((await texts()).at(-1)).toContain(text), { timeout: 30_000 })
  await session.end()
  await all.finish()
}

test('everything that a terminal shows is logged, its steps named, secrets hidden, for the user alone', async () => {
  const half = (from: number, to?: number) => Buffer.from(secret.slice(from, to)).toString('base64')
  const all = await logged({ secrets: [secret] })
  await session.run(
    'greet',
    `echo one; base64 -d <<< ${half(0, 9)}; sleep 0.1; base64 -d <<< ${half(9)}; echo; printf 'gh%s\n' p_${'x'.repeat(30)}; echo over`,
  )
  await until('\\r\\nover\\r\\n', all)
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

test('a terminal in which nothing was run leaves no log', async () => {
  const all = await logged()
  await until('❯', all)
  expect(await files()).toEqual([])
})

test('a log that is full is followed by another, and of too many the oldest go', async () => {
  const room = { file: 30_000, all: 400_000 }
  const all = await logged({ room })
  for (let part = 1; part <= 16; part++) {
    await session.run('part', `clear; echo "part $((${part}))."; printf '%05000d\\n' $(seq 6)`)
    await vi.waitFor(async () => expect((await texts()).join('')).toContain(`part ${part}.`))
  }
  await until('part 16.', all)
  const kept = await texts()
  expect(kept.length).toBeGreaterThan(2)
  expect(kept.join('').length).toBeLessThan(room.all + room.file)
  expect(kept.join('')).not.toContain('part 1.')
  for (const name of await files()) expect((await read(name)).events.length).toBeGreaterThan(0)
})

test('50 MB at once are logged as the pictures that eyes are shown, and the end of it', async () => {
  const all = await logged()
  await session.run('flood', 'yes "a line of a flood that nobody can read" | head --bytes 50000000; echo; echo over')
  await until('\\r\\nover\\r\\n', all)
  const [text = ''] = await texts()
  expect(text.length).toBeLessThan(4e6)
  expect(text).toContain('a line of a flood')
})

test('a folder that goes away under way costs the log and nothing else', async () => {
  const all = await logged()
  await rm(logs, { recursive: true })
  expect((await session.run('greet', 'echo one')).exit).toBe(0)
  await session.end()
  await all.finish()
})
