import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { INSECURE_REMOTE } from './front-door.ts'
import { type ClientMessage, clientMessage, type Role, role as roles } from '../../shared/protocol/talk.ts'
import type { GuestRole } from './token.ts'
import { access, notAllowed, onlyLooking } from '../../shared/roles.ts'
import { GUESTS, serveTalk, type ServedTalk, type TestWindow } from '../test/talk.ts'

const slides = `---
title: Roles
---

\`\`\`sh {step=wait}
sleep 4321
\`\`\`

\`\`\`sh {step=other terminal=other}
touch it-ran
\`\`\`
`
const hash = (command: string) => createHash('sha256').update(command).digest('hex')

/** A message of every kind, and who may send it. Each would do something that can be seen. */
const messages: {
  [Type in ClientMessage['type']]: { message: Extract<ClientMessage, { type: Type }>; allowed: Role[] }
} = {
  attach: {
    message: { type: 'attach', terminal: 'wait' },
    allowed: ['presenter', 'learner', 'instructor', 'remote', 'audience'],
  },
  detach: {
    message: { type: 'detach', terminal: 'wait' },
    allowed: ['presenter', 'learner', 'instructor', 'remote', 'audience'],
  },
  ack: {
    message: { type: 'ack', channel: 1, bytes: 1 },
    allowed: ['presenter', 'learner', 'instructor', 'remote', 'audience'],
  },
  input: { message: { type: 'input', terminal: 'wait', data: 'touch typed\r' }, allowed: ['presenter', 'learner'] },
  restart: { message: { type: 'restart', terminal: 'wait' }, allowed: ['presenter', 'learner'] },
  'reset-stage': { message: { type: 'reset-stage' }, allowed: ['presenter', 'learner'] },
  run: {
    message: { type: 'run', step: 'other', hash: hash('touch it-ran'), inputs: {} },
    allowed: ['presenter', 'learner', 'remote'],
  },
  interrupt: { message: { type: 'interrupt', terminal: 'wait' }, allowed: ['presenter', 'learner', 'remote'] },
  replay: { message: { type: 'replay', step: 'other', on: true }, allowed: ['presenter', 'learner', 'remote'] },
  playback: {
    message: { type: 'playback', terminal: 'wait', action: 'skip' },
    allowed: ['presenter', 'learner', 'remote'],
  },
  diagnose: { message: { type: 'diagnose' }, allowed: ['presenter', 'learner', 'remote'] },
  turn: { message: { type: 'turn', by: 1 }, allowed: ['presenter', 'learner', 'remote'] },
  sync: { message: { type: 'sync', channel: 'page', state: { page: 7 } }, allowed: ['presenter', 'remote', 'learner'] },
  'begin-task': { message: { type: 'begin-task', task: 'port' }, allowed: ['learner'] },
  'check-task': { message: { type: 'check-task', task: 'port' }, allowed: ['learner'] },
  'stop-activity': { message: { type: 'stop-activity' }, allowed: ['learner'] },
  'open-hint': { message: { type: 'open-hint', task: 'port', hint: 1 }, allowed: ['learner'] },
  'show-solution': { message: { type: 'show-solution', task: 'port' }, allowed: ['learner'] },
  'apply-solution': { message: { type: 'apply-solution', task: 'port', solution: 'x' }, allowed: ['learner'] },
  'skip-task': { message: { type: 'skip-task', task: 'port' }, allowed: ['learner'] },
  'reset-task': { message: { type: 'reset-task', task: 'port' }, allowed: ['learner'] },
  'check-on-save': { message: { type: 'check-on-save', on: true }, allowed: ['learner'] },
  'open-file': { message: { type: 'open-file', path: 'flake.nix' }, allowed: ['learner'] },
  'save-file': { message: { type: 'save-file', path: 'flake.nix', text: '', base: null }, allowed: ['learner'] },
  'reset-file': { message: { type: 'reset-file', path: 'flake.nix' }, allowed: ['learner'] },
  'reset-copy': { message: { type: 'reset-copy', progress: true }, allowed: ['learner'] },
  'show-diff': { message: { type: 'show-diff' }, allowed: ['learner'] },
  'answer-join': { message: { type: 'answer-join', agree: true }, allowed: ['learner'] },
  'read-notes': { message: { type: 'read-notes' }, allowed: ['learner'] },
  'send-note': {
    message: { type: 'send-note', learner: 'ada', text: 'Look at line 3.' },
    allowed: ['presenter', 'instructor'],
  },
  'ask-join': { message: { type: 'ask-join', learner: 'ada' }, allowed: ['presenter', 'instructor'] },
  'leave-join': { message: { type: 'leave-join', learner: 'ada' }, allowed: ['presenter', 'instructor'] },
  'end-terminals': { message: { type: 'end-terminals', learner: 'ada' }, allowed: ['presenter', 'instructor'] },
  'reset-learner': { message: { type: 'reset-learner', learner: 'ada' }, allowed: ['presenter', 'instructor'] },
}
const all = Object.values(messages)
const forbidden = (role: Role) => all.filter(({ allowed }) => !allowed.includes(role)).map(({ message }) => message)

/** Anything but loopback's own name: its own entrance. */
const LAN = '127.0.0.2'

let talk: ServedTalk
let presenter: TestWindow
beforeAll(async () => {
  talk = await serveTalk(slides, {}, undefined, { address: LAN, insecureRemote: false })
  presenter = await talk.window()
  presenter.send({ type: 'attach', terminal: 'wait' })
  presenter.run('wait', 'sleep 4321')
  await presenter.step('wait', 'running')
})
afterAll(() => talk.close())

/** Nothing has changed: the step goes on, nothing was typed, run or turned. */
async function unchanged() {
  expect(talk.stage.current('wait')?.state).toEqual({ state: 'busy', step: 'wait' })
  expect(talk.stage.current('other')).toBeUndefined()
  const hello = await (await talk.window()).message('hello')
  expect(hello.sync).toEqual({})
  expect(hello.steps.map(({ status }) => status.state)).toEqual(['running', 'idle'])
  expect(existsSync(join(talk.workdir, 'it-ran'))).toBe(false)
  expect(presenter.text('wait')).not.toContain('touch typed')
}

test('the table of permissions says of every message who may send it', () => {
  expect(all.map(({ message }) => message.type).sort()).toEqual(
    clientMessage.options.map(({ shape }) => shape.type.value).sort(),
  )
  for (const role of roles.options)
    for (const { message, allowed } of all)
      expect(notAllowed(access(role), message) === undefined, `${role}: ${message.type}`).toBe(allowed.includes(role))
  for (const { message } of all)
    expect(notAllowed(onlyLooking(access('presenter'), 'why'), message) === undefined, message.type).toBe(
      messages.attach.message.type === message.type || ['detach', 'ack'].includes(message.type),
    )
})

test.each([
  ['audience', 'localhost', forbidden('audience')],
  ['audience', LAN, forbidden('audience')],
  ['remote', 'localhost', forbidden('remote')],
  ['remote', LAN, forbidden('audience')],
] as [GuestRole, string, ClientMessage[]][])(
  'the %s at %s is refused what its role may not do, and nothing of it is carried out',
  async (role, name, refused) => {
    const window = await talk.window(role, name)
    expect((await window.message('hello')).role).toBe(role)
    for (const message of refused) {
      window.forget()
      window.send(message)
      const answer = await window.message('refused')
      expect(answer, message.type).toMatchObject({ reason: 'not-allowed' })
      expect(answer.message).toContain(`role "${role}"`)
      if (role === 'remote' && name === LAN) expect(answer.message).toContain('plain HTTP')
    }
    // It may look all the same.
    window.send({ type: 'attach', terminal: 'wait' })
    await window.shows('wait', '4321')
    await unchanged()
    window.socket.terminate()
  },
)

test('a window that only looks starts no shell, and shows the terminal once somebody else has', async () => {
  const own = await serveTalk(slides)
  try {
    const audience = await own.window('audience')
    audience.send({ type: 'attach', terminal: 'wait' })
    // Answered in order: the terminal was asked for before this was refused.
    audience.send({ type: 'diagnose' })
    await audience.message('refused')
    expect(own.stage.current('wait')).toBeUndefined()
    const speaker = await own.window()
    speaker.send({ type: 'attach', terminal: 'wait' })
    speaker.run('wait', 'sleep 4321')
    await audience.shows('wait', 'sleep 4321')
  } finally {
    await own.close()
  }
})

test('a window that only looks is told its permissions, and nobody but the presenter gets the link of the remote', async () => {
  const hello = async (role: 'presenter' | GuestRole, name: string) => (await talk.window(role, name)).message('hello')
  const shared = {
    lanUrl: `http://${LAN}:${talk.port}`,
    audience: `http://${LAN}:${talk.port}/?token=${GUESTS.audience}`,
  }
  expect(await hello('audience', LAN)).toMatchObject({ permissions: ['view'], share: shared })
  const remote = await hello('remote', LAN)
  expect(remote).toMatchObject({ permissions: ['view'], reason: INSECURE_REMOTE, share: shared })
  expect(remote.share).not.toHaveProperty('remote')
  expect((await hello('presenter', 'localhost')).share.remote).toEqual({
    link: `http://${LAN}:${talk.port}/remote?token=${GUESTS.remote}`,
    reason: INSECURE_REMOTE,
  })
  const { permissions, reason } = await hello('remote', 'localhost')
  expect([permissions, reason]).toEqual([['view', 'run', 'navigate', 'replay'], undefined])
})

test('the remote turns the slides at one window of the presenter, runs a step and interrupts it', async () => {
  const remote = await talk.window('remote')
  remote.send({ type: 'turn', by: 1 })
  expect((await remote.message('refused')).message).toContain('Open the slides')
  const second = await talk.window()
  second.send({ type: 'sync', channel: 'page', state: { page: 1 } })
  await presenter.message('sync')
  remote.send({ type: 'turn', by: -1 })
  expect((await second.message('turn')).by).toBe(-1)
  expect(presenter.messages.some(({ type }) => type === 'turn')).toBe(false)
  remote.send({ type: 'interrupt', terminal: 'wait' })
  await presenter.step('wait', 'failed')
  remote.run('other', 'touch it-ran')
  await presenter.step('other', 'succeeded')
  expect(existsSync(join(talk.workdir, 'it-ran'))).toBe(true)
  remote.send({ type: 'sync', channel: 'page', state: { page: 2 } })
  await presenter.message('sync', ({ state }) => state.page === 2)
})
