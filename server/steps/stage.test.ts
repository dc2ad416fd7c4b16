import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { describeMissingRequirement } from '../../shared/failures/requirement.ts'
import { describeRefusal } from '../../shared/failures/refusal.ts'
import { freePort } from '../test/free-port.ts'
import { findProcesses } from '../test/processes.ts'
import { serveTalk, type ServedTalk, type TestWindow } from '../test/talk.ts'

const WAIT = { timeout: 30_000, interval: 20 }

/**
 * Commands that run until they are stopped. Their arguments are unique on this machine, so that their processes can be
 * found.
 */
const endlessStep = `sleep ${1_000_000 + process.pid}`
const endlessDaemon = `sleep ${2_000_000 + process.pid}`

let port: number
/** A folder on the PATH of the shells. */
let programs: string
let talk: ServedTalk
let window: TestWindow

const slides = () => `---
title: A stage
steps:
  program: { needs: { programs: [no-such-program] } }
  variable: { needs: { env: [UNDERSTUDY_TEST_UNSET] } }
  profile: { needs: { profiles: [nixos], reason: The lab has no cloud. } }
  port: { needs: { ports: [${port}] } }
  costly:
    inputs: { host: { label: Address, pattern: '[0-9.]+', placeholder: 192.0.2.1 } }
    confirm: { warning: This costs money., type: rent }
  lab: { needs: { programs: [bash] } }
  network: { needs: { network: [understudy.invalid] } }
---

\`\`\`sh {step=program}
no-such-program
\`\`\`

\`\`\`sh {step=variable}
echo $UNDERSTUDY_TEST_UNSET
\`\`\`

\`\`\`sh {step=profile}
echo cloud
\`\`\`

\`\`\`sh {step=port terminal=port}
echo port
\`\`\`

\`\`\`sh {step=costly terminal=costly}
echo rented {{host}}
\`\`\`

\`\`\`sh {step=lab terminal=lab}
${endlessStep}
\`\`\`

\`\`\`sh {step=network}
echo far
\`\`\`
`

beforeEach(async () => {
  port = await freePort()
  programs = await mkdtemp(join(tmpdir(), 'understudy-programs-'))
  vi.stubEnv('PATH', `${programs}:${process.env.PATH}`)
  talk = await serveTalk(slides())
  window = await talk.window()
})
afterEach(async () => {
  await talk.close()
  vi.unstubAllEnvs()
  await rm(programs, { recursive: true })
})

/** The reasons why a step is unavailable, as shown by the window. */
const reasons = async (id: string) => {
  const status = (await window.message('hello')).steps.find((step) => step.id === id)?.status
  return status?.state === 'unavailable' ? status.missing.map(describeMissingRequirement) : undefined
}

const commands: Record<string, string> = {
  program: 'no-such-program',
  variable: 'echo $UNDERSTUDY_TEST_UNSET',
  profile: 'echo cloud',
  port: 'echo port',
  costly: 'echo rented {{host}}',
  lab: endlessStep,
  network: 'echo far',
}
const run = (step: string, more?: object) => window.run(step, commands[step] ?? '', more)

/** The endless commands that are running. */
const runningCommands = () => findProcesses(new RegExp(`^(${endlessStep}|${endlessDaemon})$`))

test('a step whose program, variable or profile is missing is refused with the reason', async () => {
  const expected = {
    program: 'The program no-such-program is not installed.',
    variable: 'The environment variable UNDERSTUDY_TEST_UNSET is not set. Export it before you start the talk.',
    profile: 'The lab has no cloud.',
  }
  for (const [id, reason] of Object.entries(expected)) {
    expect(await reasons(id)).toEqual([reason])
    window.forget()
    run(id)
    const refused = await window.message('refused')
    expect(refused).toMatchObject({ refusal: { kind: 'unavailable', step: id }, step: id })
    expect(describeRefusal(refused.refusal)).toBe(reason)
    expect(talk.stage.terminals.list().map(({ state }) => state.state)).toEqual(['new', 'new', 'new', 'new'])
    window.messages.push(await (await talk.window()).message('hello'))
  }
})

test('a step whose host is unreachable is refused when it is run', async () => {
  expect(await reasons('network')).toBeUndefined()
  run('network')
  expect((await window.message('refused')).refusal).toEqual({
    kind: 'unavailable',
    step: 'network',
    missing: [{ kind: 'network', host: 'understudy.invalid' }],
  })
})

test('a step becomes available when its program is installed during the talk', async () => {
  expect(await reasons('program')).toHaveLength(1)
  await writeFile(join(programs, 'no-such-program'), '#!/bin/sh\n', { mode: 0o755 })
  run('program')
  await window.step('program', 'succeeded')
})

test('only steps that need programs are unavailable if the lab could not be prepared', async () => {
  await talk.close()
  talk = await serveTalk(slides(), { problem: 'The disk is full. Free some space and start again.' })
  window = await talk.window()
  expect(await reasons('lab')).toEqual(['The disk is full. Free some space and start again.'])
  run('port')
  await window.step('port', 'succeeded')
})

test('a step whose port is in use is refused with the process that uses it, and runs once the port is free', async () => {
  let listener: Server | undefined = createServer().listen(port, '127.0.0.1')
  await once(listener, 'listening')
  try {
    run('port')
    const refused = await window.message('refused')
    expect(refused).toMatchObject({ refusal: { kind: 'port-in-use', port }, step: 'port' })
    expect(describeRefusal(refused.refusal)).toMatch(
      new RegExp(`^Port ${port} is in use by process ${process.pid} .*Stop it with: kill ${process.pid}`),
    )
    listener.close()
    listener = undefined
    run('port')
    await window.step('port', 'succeeded')
  } finally {
    listener?.close()
  }
})

test('a step with a confirmation runs only with the required word and valid inputs', async () => {
  window.send({ type: 'attach', terminal: 'costly' })
  await window.message('snapshot')
  const rejected: [object, string, RegExp][] = [
    [{}, 'unconfirmed', /This costs money. Type "rent" to continue/],
    [{ inputs: { host: '192.0.2.1' }, confirm: 'yes' }, 'unconfirmed', /Type "rent"/],
    [{ inputs: { host: '192.0.2.1' }, confirm: 'RENT' }, 'unconfirmed', /Type "rent"/],
    [{ confirm: 'rent' }, 'bad-input', /Fill in "Address" first/],
    [
      { inputs: { host: '$(touch pwned)' }, confirm: 'rent' },
      'bad-input',
      /Invalid value .* for "Address"\. Example: 192\.0\.2\.1/,
    ],
    [{ inputs: { host: '1\r touch pwned' }, confirm: 'rent' }, 'bad-input', /Invalid value .* for "Address"/s],
    [{ inputs: { host: '1', other: '2' }, confirm: 'rent' }, 'bad-input', /has no input "other"/],
  ]
  for (const [fields, kind, message] of rejected) {
    window.forget()
    run('costly', fields)
    const { refusal } = await window.message('refused', ({ step }) => step === 'costly')
    expect(refusal.kind).toBe(kind)
    expect(describeRefusal(refusal)).toMatch(message)
  }
  expect(talk.stage.terminals.get('costly')?.state).toEqual({ state: 'prompt' })
  expect(talk.stage.steps().find(({ id }) => id === 'costly')?.status).toEqual({ state: 'idle' })
  expect(window.text('costly')).not.toContain('rented')
  run('costly', { inputs: { host: '192.0.2.7' }, confirm: 'rent' })
  await window.step('costly', 'succeeded')
  await window.shows('costly', '\rrented 192.0.2.7\r\n')
  expect(existsSync(join(talk.workdir, 'pwned'))).toBe(false)
})

test('resetting the stage ends all processes, clears the workdir and gives every window a new shell', async () => {
  const other = await talk.window()
  for (const each of [window, other]) {
    each.send({ type: 'attach', terminal: 'lab' })
    await each.message('snapshot')
  }
  run('lab')
  await window.step('lab', 'running')
  window.send({ type: 'input', terminal: 'port', data: 'x' })
  window.send({ type: 'attach', terminal: 'port' })
  await window.message('snapshot', ({ terminal }) => terminal === 'port')
  window.send({
    type: 'input',
    terminal: 'port',
    data: `setsid nohup ${endlessDaemon} >/dev/null 2>&1 & touch left-behind; echo le""ft\r`,
  })
  await window.shows('port', 'left\r\n')
  await vi.waitFor(async () => expect(await runningCommands()).toHaveLength(2), WAIT)
  window.forget()
  other.forget()
  window.send({ type: 'reset-stage' })
  await Promise.all([window, other].map((each) => each.message('stage-reset')))
  expect(await runningCommands()).toEqual([])
  expect(await readdir(talk.workdir)).toEqual(['.git'])
  await window.step('lab', 'idle')
  for (const each of [window, other]) await each.message('snapshot', ({ terminal }) => terminal === 'lab')
  run('port')
  await window.step('port', 'succeeded')
})

test('terminals can be used after a failed reset', async () => {
  await talk.close()
  let diskIsFull = true
  talk = await serveTalk(slides(), {}, async () => {
    if (diskIsFull) throw new Error('ENOSPC: no space left on device')
  })
  window = await talk.window()
  window.send({ type: 'reset-stage' })
  expect(describeRefusal((await window.message('refused')).refusal)).toContain('no space left on device')
  run('port')
  await window.step('port', 'succeeded')
  diskIsFull = false
  window.forget()
  window.send({ type: 'reset-stage' })
  await window.message('stage-reset')
})

test('two simultaneous resets and a run leave no process', async () => {
  run('lab')
  await window.step('lab', 'running')
  window.send({ type: 'reset-stage' })
  window.send({ type: 'reset-stage' })
  run('lab')
  window.send({ type: 'attach', terminal: 'lab' })
  await window.message('stage-reset')
  await talk.stage.end()
  expect(await runningCommands()).toEqual([])
})

test('no shell starts on a stage that has ended', async () => {
  const ended = talk.stage.end()
  run('lab')
  window.send({ type: 'attach', terminal: 'port' })
  await ended
  expect((await window.message('refused', ({ step }) => step === 'lab')).refusal).toMatchObject({
    kind: 'shell-failed',
    failure: { kind: 'talk-ended' },
  })
  expect((await window.message('refused', ({ terminal }) => terminal === 'port')).refusal).toMatchObject({
    kind: 'shell-failed',
    failure: { kind: 'talk-ended' },
  })
  expect(talk.stage.terminals.list().every(({ state }) => state.state === 'new')).toBe(true)
})

test('a shell that fails to start is reported with the reason, and starts once the reason is gone', async () => {
  await rename(talk.workdir, `${talk.workdir}.away`)
  window.send({ type: 'attach', terminal: 'port' })
  expect(describeRefusal((await window.message('refused')).refusal)).toMatch(
    /The shell of terminal "port" did not start: .*workdir.*Reset the stage/,
  )
  await rename(`${talk.workdir}.away`, talk.workdir)
  run('port')
  await window.step('port', 'succeeded')
})
