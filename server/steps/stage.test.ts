import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { describeMissingRequirement } from '../../shared/failures/requirement.ts'
import { describeRefusal } from '../../shared/failures/refusal.ts'
import { freePort } from '../test/free-port.ts'
import { serveTalk, type ServedTalk, type TestWindow } from '../test/talk.ts'

let port: number
/** On the PATH of the shells. */
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
sleep 7654
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
  lab: 'sleep 7654',
  network: 'echo far',
}
const run = (step: string, more?: object) => window.run(step, commands[step] ?? '', more)

async function running(command: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(
    pids.map(
      async (pid) =>
        `${pid} ${(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim()}`,
    ),
  )
  return lines.filter((line) => line.endsWith(` ${command}`))
}

test('a step that lacks a program, a variable or its profile is unavailable, says why, and is not typed', async () => {
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

test('a step whose host does not answer says so when it is run, not before', async () => {
  expect(await reasons('network')).toBeUndefined()
  run('network')
  expect((await window.message('refused')).refusal).toEqual({
    kind: 'unavailable',
    step: 'network',
    missing: [{ kind: 'network', host: 'understudy.invalid' }],
  })
})

test('a program that is installed during the talk makes its step available', async () => {
  expect(await reasons('program')).toHaveLength(1)
  await writeFile(join(programs, 'no-such-program'), '#!/bin/sh\n', { mode: 0o755 })
  run('program')
  await window.step('program', 'succeeded')
})

test('where the lab could not be prepared, steps that need programs say so and the others run', async () => {
  await talk.close()
  talk = await serveTalk(slides(), { problem: 'The disk is full. Free some space and start again.' })
  window = await talk.window()
  expect(await reasons('lab')).toEqual(['The disk is full. Free some space and start again.'])
  run('port')
  await window.step('port', 'succeeded')
})

test('a step whose port is taken is refused with the name of the process, and runs once it is free', async () => {
  let squatter: Server | undefined = createServer().listen(port, '127.0.0.1')
  await once(squatter, 'listening')
  try {
    run('port')
    const refused = await window.message('refused')
    expect(refused).toMatchObject({ refusal: { kind: 'port-in-use', port }, step: 'port' })
    expect(describeRefusal(refused.refusal)).toMatch(
      new RegExp(`^Port ${port} is taken by process ${process.pid} .*End it with: kill ${process.pid}`),
    )
    squatter.close()
    squatter = undefined
    run('port')
    await window.step('port', 'succeeded')
  } finally {
    squatter?.close()
  }
})

test('a step that costs something is typed only with the right word and the right input', async () => {
  window.send({ type: 'attach', terminal: 'costly' })
  await window.message('snapshot')
  const wrong: [object, string, RegExp][] = [
    [{}, 'unconfirmed', /This costs money. Type "rent" to continue/],
    [{ inputs: { host: '192.0.2.1' }, confirm: 'yes' }, 'unconfirmed', /Type "rent"/],
    [{ inputs: { host: '192.0.2.1' }, confirm: 'RENT' }, 'unconfirmed', /Type "rent"/],
    [{ confirm: 'rent' }, 'bad-input', /Fill in "Address" first/],
    [{ inputs: { host: '$(touch pwned)' }, confirm: 'rent' }, 'bad-input', /"Address" cannot be .* 192\.0\.2\.1/],
    [{ inputs: { host: '1\r touch pwned' }, confirm: 'rent' }, 'bad-input', /"Address" cannot be/],
    [{ inputs: { host: '1', other: '2' }, confirm: 'rent' }, 'bad-input', /has no input "other"/],
  ]
  for (const [more, kind, message] of wrong) {
    window.forget()
    run('costly', more)
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

test('"reset the stage" ends everything, clears the workdir, and every window goes on in a fresh shell', async () => {
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
    data: 'setsid nohup sleep 8765 >/dev/null 2>&1 & touch left-behind; echo le""ft\r',
  })
  await window.shows('port', 'left\r\n')
  await vi.waitFor(async () =>
    expect([...(await running('sleep 7654')), ...(await running('sleep 8765'))]).toHaveLength(2),
  )
  window.forget()
  other.forget()
  window.send({ type: 'reset-stage' })
  await Promise.all([window, other].map((each) => each.message('stage-reset')))
  expect([...(await running('sleep 7654')), ...(await running('sleep 8765'))]).toEqual([])
  expect(await readdir(talk.workdir)).toEqual(['.git'])
  await window.step('lab', 'idle')
  for (const each of [window, other]) await each.message('snapshot', ({ terminal }) => terminal === 'lab')
  run('port')
  await window.step('port', 'succeeded')
})

test('a reset that fails says so, and the terminals can be had again', async () => {
  await talk.close()
  let fail = true
  talk = await serveTalk(slides(), {}, async () => {
    if (fail) throw new Error('ENOSPC: no space left on device')
  })
  window = await talk.window()
  window.send({ type: 'reset-stage' })
  expect(describeRefusal((await window.message('refused')).refusal)).toContain('no space left on device')
  run('port')
  await window.step('port', 'succeeded')
  fail = false
  window.forget()
  window.send({ type: 'reset-stage' })
  await window.message('stage-reset')
})

test('two resets at once and a step at the same time do not leave anything behind', async () => {
  run('lab')
  await window.step('lab', 'running')
  window.send({ type: 'reset-stage' })
  window.send({ type: 'reset-stage' })
  run('lab')
  window.send({ type: 'attach', terminal: 'lab' })
  await window.message('stage-reset')
  await talk.stage.end()
  expect(await running('sleep 7654')).toEqual([])
})

test('nothing starts on a stage that has ended', async () => {
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

test('a shell that does not start is refused with the reason, and can be tried again', async () => {
  await rename(talk.workdir, `${talk.workdir}.away`)
  window.send({ type: 'attach', terminal: 'port' })
  expect(describeRefusal((await window.message('refused')).refusal)).toMatch(
    /The shell of terminal "port" did not start: .*workdir.*Reset the stage/,
  )
  await rename(`${talk.workdir}.away`, talk.workdir)
  run('port')
  await window.step('port', 'succeeded')
})
