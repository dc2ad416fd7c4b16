import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseCast } from '../../shared/recording/cast.ts'
import { readDeck } from '../deck/deck.ts'
import { LocalExecutor } from '../executor/local.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { Recorder } from '../recording/recorder.ts'
import { Session } from '../terminal/session.ts'
import { StepRun } from './step-run.ts'

let folder: string
let executor: LocalExecutor
let session: Session
let events: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-run-'))
  executor = new LocalExecutor({
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    registry: new ProcessRegistry(join(folder, 'processes.json')),
  })
  session = new Session({ name: 'test', cols: 80, rows: 24, executor })
  await session.start()
  events = []
})
afterEach(async () => {
  await session.end()
  await rm(folder, { recursive: true })
})

/** Runs a command with a contract, both as written in a deck. */
async function run(command: string, contract: object = {}, recorder?: Recorder): Promise<StepRun> {
  const file = join(folder, 'slides.md')
  await writeFile(
    file,
    `---\nsteps: ${JSON.stringify({ it: contract })}\n---\n\n\`\`\`sh {step=it}\n${command}\n\`\`\`\n`,
  )
  const step = (await readDeck(file)).steps.get('it')
  if (!step) throw new Error(`${file} has no step "it"`)
  return new StepRun({
    step,
    command: step.command,
    session,
    executor,
    recorder,
    secrets: ['hunter2-very-secret'],
    onReady: () => events.push('ready'),
    onTimeout: () => events.push('timeout'),
  })
}
const result = async (...args: Parameters<typeof run>) => (await run(...args)).ended

test('a run has a problem if its exit status is not the expected one', async () => {
  expect(await result('true')).toMatchObject({ exit: 0, problems: [] })
  expect(await result('(exit 3)')).toMatchObject({ exit: 3, problems: [{ kind: 'exit-status', exit: 3, expected: 0 }] })
  expect(await result('(exit 3)', { expect: { exit: 3 } })).toMatchObject({ exit: 3, problems: [] })
  expect(await result('(exit 1)', { expect: { failure: true } })).toMatchObject({ exit: 1, problems: [] })
  expect((await result('true', { expect: { failure: true } })).problems).toEqual([{ kind: 'succeeded' }])
})

test('the expected output is searched for in the output of the command, not in the command itself', async () => {
  expect((await result('echo "a"b', { expect: { output: '^ab$' } })).problems).toEqual([])
  expect((await result('true # needle', { expect: { output: 'needle' } })).problems).toEqual([
    { kind: 'no-output', pattern: 'needle' },
  ])
  expect((await result('seq 1 200000; echo needle', { expect: { output: '^needle$' } })).problems).toEqual([])
})

test('a failing verify script is a problem with the output of the script', async () => {
  expect((await result('touch created', { verify: '[[ -e created ]]' })).problems).toEqual([])
  expect((await result('true', { verify: 'echo "file not found"; exit 4' })).problems).toEqual([
    { kind: 'verify', exit: 4, limit: 120, output: 'file not found' },
  ])
})

test('captures are read from the output or from a script, with their units', async () => {
  const { captures, problems } = await result('echo "size 41"; echo "size 42"', {
    capture: {
      size: { output: 'size (\\d+)', unit: 'bytes', label: 'Size of it' },
      lines: { script: 'echo building >&2; echo 7' },
    },
  })
  expect(problems).toEqual([])
  expect(captures).toEqual({
    size: { value: '42', unit: 'bytes', label: 'Size of it' },
    lines: { value: '7', unit: 'text' },
  })
})

test('a capture that is missing or not a number is a problem', async () => {
  expect((await result('true', { capture: { size: { output: 'size (\\d+)' } } })).problems).toEqual([
    { kind: 'capture-missing', capture: 'size' },
  ])
  expect(
    (await result('echo size 1.2G', { capture: { size: { output: 'size (\\S+)', unit: 'bytes' } } })).problems,
  ).toEqual([{ kind: 'capture-not-a-number', capture: 'size', value: '1.2G', unit: 'bytes' }])
  expect((await result('true', { capture: { size: { script: 'echo oh no >&2; exit 2' } } })).problems).toEqual([
    { kind: 'capture-script', capture: 'size', exit: 2, output: 'oh no' },
  ])
})

test('secrets are redacted in captures', async () => {
  const { captures } = await result('echo token=hunter2-very-secret', {
    capture: { token: { output: 'token=(.*)' }, script: { script: 'echo hunter2-very-secret' } },
  })
  expect(Object.values(captures).map(({ value }) => value)).toEqual(['*'.repeat(19), '*'.repeat(19)])
})

test('a step that printed its ready line has no problem when it is interrupted', async () => {
  const serving = await run('echo up; sleep 1000', { ready: { output: '^up$' }, capture: { what: { output: '(up)' } } })
  expect(await serving.kept).toMatchObject({
    exit: null,
    problems: [],
    ready: expect.any(Number) as number,
    captures: { what: { value: 'up' } },
  })
  expect(events).toEqual(['ready'])
  session.interrupt()
  expect(await serving.ended).toMatchObject({ exit: 130, problems: [] })
})

test('a step that ends before it is ready has a problem', async () => {
  expect((await result('true', { ready: { output: '^up$' } })).problems).toEqual([
    { kind: 'ended-before-ready', exit: 0 },
  ])
})

test('a step that exceeds its timeout is reported and continues until it is interrupted', async () => {
  const hanging = await run('sleep 1000', { timeout: 0.2 })
  await expect.poll(() => events, { timeout: 30_000 }).toEqual(['timeout'])
  expect(session.state).toMatchObject({ name: 'running-step' })
  session.interrupt()
  expect((await hanging.ended).problems).toEqual([
    { kind: 'exit-status', exit: 130, expected: 0 },
    { kind: 'timeout', seconds: 0.2 },
  ])
})

test('a recording contains the command, its redacted output and its exit status', async () => {
  const file = join(folder, 'it.cast')
  const secret = 'a-very-secret-token'
  const recorder = new Recorder({ file, secrets: [secret] })
  const { recorded } = await result(`printf a-very-; sleep 0.2; echo secret-token`, {}, recorder)
  expect(recorded).toMatchObject({ seconds: expect.any(Number) as number })
  const { events, header } = parseCast(await readFile(file, 'utf8'))
  const text = events.map(({ data }) => data).join('')
  expect(header.term).toMatchObject({ cols: 80, rows: 24 })
  expect(text).toContain('sleep 0.2')
  expect(text).toContain('*'.repeat(secret.length))
  expect(text).not.toContain(secret)
  expect(events.at(-1)).toMatchObject({ code: 'x', data: '0' })
})

test('a recording of 50 MB keeps the beginning and the final screen', { timeout: 60_000 }, async () => {
  const file = join(folder, 'large.cast')
  const recorder = new Recorder({ file, secrets: [], maxOutputBytes: 1_000_000 })
  const { recorded, problems } = await result(
    'yes "some words of output" | head -c 50000000; echo; echo THE END',
    { expect: { output: '^THE END$' } },
    recorder,
  )
  expect(problems).toEqual([])
  expect(recorded?.state).toBe('complete')
  const text = await readFile(file, 'utf8')
  expect(text.length).toBeLessThan(3_000_000)
  expect(parseCast(text).events.at(-2)?.data).toContain('THE END')
  expect(existsSync(file)).toBe(true)
})
