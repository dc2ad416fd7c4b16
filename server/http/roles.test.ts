import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { INSECURE_REMOTE } from './front-door.ts'
import { messageTable, rowOf } from './message-table.ts'
import { describeRefusal } from '../../shared/failures/refusal.ts'
import type { ClientMessage } from '../../shared/protocol/talk.ts'
import { access, permission, type Role, role as roles } from '../../shared/roles.ts'
import type { GuestRole } from './token.ts'
import { sampleMessage } from '../test/sample-message.ts'
import { GUESTS, serveTalk, type ServedTalk, type TestWindow } from '../test/talk.ts'

const slides = `---
title: Roles
---

\`\`\`sh {step=wait}
sleep 4321
\`\`\`

\`\`\`sh {step=other terminal=other}
touch was-run
\`\`\`
`
/** A valid message of every type. Each would have a visible effect. */
const messages = Object.values(messageTable).map(({ schema }) =>
  sampleMessage(schema, 'terminal' in schema.shape ? { terminal: 'wait' } : {}),
)
const forbidden = (role: Role) =>
  messages.filter((message) => !access(role).permissions.includes(rowOf(message).permission))

/** Represents an address on the local network: another one than that of loopback's listener. */
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

/** Checks that the step is still running and that nothing was typed, run or navigated. */
async function expectNoChange() {
  expect(talk.stage.terminals.get('wait')?.state).toEqual({ state: 'busy', step: 'wait' })
  expect(talk.stage.terminals.get('other')?.current).toBeUndefined()
  const hello = await (await talk.window()).message('hello')
  expect(hello.sync).toEqual({})
  expect(hello.steps.map(({ status }) => status.state)).toEqual(['running', 'idle'])
  expect(existsSync(join(talk.workdir, 'was-run'))).toBe(false)
  expect(presenter.text('wait')).not.toContain('touch typed')
}

test('every message requires the listed permission', () => {
  const byPermission = Object.fromEntries(
    permission.options.map((permission) => [
      permission,
      messages.filter((message) => rowOf(message).permission === permission).map(({ type }) => type),
    ]),
  )
  expect(byPermission).toEqual({
    view: ['attach', 'detach', 'ack'],
    type: ['input', 'restart', 'reset-stage'],
    run: ['run', 'interrupt', 'diagnose'],
    navigate: ['turn', 'sync'],
    replay: ['replay', 'playback'],
    learn: [
      'begin-task',
      'check-task',
      'stop-activity',
      'open-hint',
      'show-solution',
      'apply-solution',
      'skip-task',
      'reset-task',
      'check-on-save',
      'open-file',
      'save-file',
      'reset-file',
      'reset-workspace',
      'show-diff',
      'answer-join',
      'read-notes',
    ],
    teach: ['send-note', 'ask-join', 'leave-join', 'end-terminals', 'reset-learner'],
  })
})

test('every role has the listed permissions', () => {
  expect(Object.fromEntries(roles.options.map((role) => [role, access(role).permissions]))).toEqual({
    presenter: ['view', 'type', 'run', 'navigate', 'replay', 'teach'],
    learner: ['view', 'type', 'run', 'navigate', 'replay', 'learn'],
    instructor: ['view', 'teach'],
    audience: ['view'],
    remote: ['view', 'run', 'navigate', 'replay'],
  })
})

test.each([
  ['audience', 'localhost', forbidden('audience')],
  ['audience', LAN, forbidden('audience')],
  ['remote', 'localhost', forbidden('remote')],
  ['remote', LAN, forbidden('audience')],
] as [GuestRole, string, ClientMessage[]][])(
  'messages that the role %s at %s does not permit are refused and have no effect',
  async (role, hostName, forbiddenMessages) => {
    const window = await talk.window(role, hostName)
    expect((await window.message('hello')).role).toBe(role)
    for (const message of forbiddenMessages) {
      window.forget()
      window.send(message)
      const { refusal } = await window.message('refused')
      expect(refusal, message.type).toMatchObject({ kind: 'not-allowed', role })
      expect(describeRefusal(refusal)).toContain(`role "${role}"`)
      if (role === 'remote' && hostName === LAN) expect(describeRefusal(refusal)).toContain('plain HTTP')
    }
    // It may still view the terminal.
    window.send({ type: 'attach', terminal: 'wait' })
    await window.shows('wait', '4321')
    await expectNoChange()
    window.socket.terminate()
  },
)

test('a view-only window does not start a shell, but shows one that another window starts', async () => {
  const talk = await serveTalk(slides)
  try {
    const audience = await talk.window('audience')
    audience.send({ type: 'attach', terminal: 'wait' })
    // Messages are handled in order: when this one is refused, `attach` has been handled.
    audience.send({ type: 'diagnose' })
    await audience.message('refused')
    expect(talk.stage.terminals.get('wait')?.current).toBeUndefined()
    const presenter = await talk.window()
    presenter.send({ type: 'attach', terminal: 'wait' })
    presenter.run('wait', 'sleep 4321')
    await audience.shows('wait', 'sleep 4321')
  } finally {
    await talk.close()
  }
})

test('every window receives its permissions, but only the presenter receives the remote’s link', async () => {
  const hello = async (role: 'presenter' | GuestRole, hostName: string) =>
    (await talk.window(role, hostName)).message('hello')
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

test('the remote can turn the slides in one presenter window, run a step and interrupt it', async () => {
  const remote = await talk.window('remote')
  remote.send({ type: 'turn', by: 1 })
  expect((await remote.message('refused')).refusal).toEqual({ kind: 'no-presenter-window' })
  const second = await talk.window()
  second.send({ type: 'sync', channel: 'page', state: { page: 1 } })
  await presenter.message('sync')
  remote.send({ type: 'turn', by: -1 })
  expect((await second.message('turn')).by).toBe(-1)
  expect(presenter.messages.some(({ type }) => type === 'turn')).toBe(false)
  remote.send({ type: 'interrupt', terminal: 'wait' })
  await presenter.step('wait', 'failed')
  remote.run('other', 'touch was-run')
  await presenter.step('other', 'succeeded')
  expect(existsSync(join(talk.workdir, 'was-run'))).toBe(true)
  remote.send({ type: 'sync', channel: 'page', state: { page: 2 } })
  await presenter.message('sync', ({ state }) => state.page === 2)
})
