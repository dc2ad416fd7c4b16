import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CLOSE, MAX_CLIENT_MESSAGE_BYTES } from '../../shared/protocol/talk.ts'
import { serveTalk, type ServedTalk, type TestWindow } from '../test/talk.ts'

const slides = `---
title: Bad input
---

\`\`\`sh {step=count}
for i in $(seq 100000); do echo $i; sleep 0.05; done
\`\`\`

\`\`\`sh {step=other terminal=other}
echo other
\`\`\`
`
const count = 'for i in $(seq 100000); do echo $i; sleep 0.05; done'

let talk: ServedTalk
/** A correct viewer, which faulty windows must not affect. */
let viewer: TestWindow
beforeAll(async () => {
  talk = await serveTalk(slides)
  viewer = await talk.window()
  viewer.send({ type: 'attach', terminal: 'count' })
  viewer.run('count', count)
  await viewer.shows('count', '\n5\r\n')
})
afterAll(() => talk.close())

/** The last number that the running step has printed, as a window shows it. Ignores an incomplete line. */
const lastNumber = (window = viewer) => Number([...window.text('count').matchAll(/\n(\d+)(?=\r\n)/g)].at(-1)?.[1])

/** Checks that the step is still running and that the viewer has received all of its output. */
async function expectViewerUnaffected() {
  const previous = lastNumber()
  await vi.waitFor(() => expect(lastNumber()).toBeGreaterThan(previous), { timeout: 20_000 })
  const numbers = [...viewer.text('count').matchAll(/(\d+)\r\n/g)].map(([, number]) => Number(number))
  expect(numbers).toEqual(Array.from(numbers, (_, index) => index + 1))
  expect(talk.stage.terminals.get('count')?.state).toEqual({ state: 'busy', step: 'count' })
  const newWindow = await talk.window()
  expect((await newWindow.message('hello')).steps.find(({ id }) => id === 'count')?.status.state).toBe('running')
  newWindow.socket.terminate()
}

const malformed: Record<string, string | Buffer> = {
  'text that is not JSON': 'hello',
  'an empty message': '',
  'a binary frame': Buffer.from([0, 0, 0, 1, 65]),
  'deeply nested JSON': '['.repeat(100_000),
}

for (const [name, data] of Object.entries(malformed))
  test(`${name} closes only the connection that sent it, with a reason`, async () => {
    const window = await talk.window()
    window.socket.send(data)
    expect(await window.closed).toEqual({ code: CLOSE.malformed, reason: expect.stringContaining('Reload the page') })
    await expectViewerUnaffected()
  })

/** Messages that are JSON, but not part of the protocol, with the type and the issue in their refusal. */
const invalid: Record<string, [json: string, type: string, issue: RegExp]> = {
  'a number': ['7', 'no type', /expected object/],
  'the value null': ['null', 'no type', /expected object/],
  'a list': ['[]', 'no type', /expected object/],
  'a message without a type': ['{}', 'no type', /^type /],
  'a message of an unknown type': ['{"type":"reboot"}', 'reboot', /^type /],
  'an attach without a terminal': ['{"type":"attach"}', 'attach', /^terminal /],
  'a run of a command': ['{"type":"run","command":"rm -rf /"}', 'run', /^step /],
  'a run of a step with a command': [
    '{"type":"run","step":"other","hash":"x","command":"rm -rf /"}',
    'run',
    /Unrecognized key: "command"/,
  ],
  'a resize to zero': ['{"type":"resize","terminal":"count","cols":0,"rows":0}', 'resize', /^type /],
  'a resize to 100,000 columns': [
    '{"type":"resize","terminal":"count","cols":100000,"rows":100000}',
    'resize',
    /^type /,
  ],
  'an attach with a size': ['{"type":"attach","terminal":"count","cols":0,"rows":0}', 'attach', /Unrecognized keys/],
  'an attach to a path': ['{"type":"attach","terminal":"../../etc"}', 'attach', /^terminal /],
  'a negative acknowledgement': ['{"type":"ack","channel":1,"bytes":-1}', 'ack', /^bytes /],
  'a paste that is too long': [
    JSON.stringify({ type: 'input', terminal: 'count', data: 'x'.repeat(100_000) }),
    'input',
    /^data /,
  ],
}

for (const [name, [json, type, issue]] of Object.entries(invalid))
  test(`${name} is refused, and the connection stays open`, async () => {
    const window = await talk.window()
    window.socket.send(json)
    expect((await window.message('refused')).refusal).toEqual({
      kind: 'invalid-message',
      type,
      issue: expect.stringMatching(issue),
    })
    window.send({ type: 'attach', terminal: 'other' })
    await window.message('snapshot')
    window.socket.terminate()
    await expectViewerUnaffected()
  })

test('a window that sends only invalid messages is disconnected', async () => {
  const window = await talk.window()
  for (let sent = 0; sent < 100; sent++) window.socket.send('{"type":"attach"}')
  expect((await window.closed).code).toBe(CLOSE.malformed)
  const refusals = window.messages.filter(({ type }) => type === 'refused')
  expect(refusals.length).toBeLessThan(30)
  await expectViewerUnaffected()
})

test('the shell that no step uses is listed once a window has opened it', async () => {
  const window = await talk.window()
  const names = async () => (await (await talk.window()).message('hello')).terminals.map(({ name }) => name)
  expect(await names()).not.toContain('shell')
  window.send({ type: 'attach', terminal: 'shell' })
  window.send({ type: 'input', terminal: 'shell', data: 'echo from-the-$((1+1))nd-shell\r' })
  await window.shows('shell', 'from-the-2nd-shell')
  expect(await names()).toContain('shell')
})

test('a message of 10 MB, or one that is not valid UTF-8, closes only the connection that sent it', async () => {
  const large = await talk.window()
  large.socket.send('x'.repeat(10_000_000))
  expect((await large.closed).code).toBe(1009)
  const invalid = await talk.window()
  invalid.socket.send(Buffer.from([0xff, 0xfe]), { binary: false })
  expect((await invalid.closed).code).toBe(1007)
  await expectViewerUnaffected()
})

test('messages after a malformed message are ignored', async () => {
  const window = await talk.window()
  window.socket.send('{')
  window.send({ type: 'interrupt', terminal: 'count' })
  window.send({ type: 'reset-stage' })
  await window.closed
  await expectViewerUnaffected()
})

test('unknown steps, unknown terminals and stale hashes are refused without closing the connection', async () => {
  const window = await talk.window()
  window.run('nonsense', 'true')
  expect(await window.message('refused')).toMatchObject({
    refusal: { kind: 'unknown-step', step: 'nonsense' },
    step: 'nonsense',
  })
  window.forget()
  window.run('other', 'echo another')
  expect(await window.message('refused')).toMatchObject({
    refusal: { kind: 'stale', step: 'other' },
    step: 'other',
  })
  for (const type of ['attach', 'input', 'interrupt', 'restart', 'detach'] as const) {
    window.forget()
    window.send({ type, terminal: 'nowhere', ...(type === 'input' && { data: 'x' }) })
    if (type !== 'detach')
      expect(await window.message('refused'), type).toMatchObject({
        refusal: { kind: 'unknown-terminal', terminal: 'nowhere' },
        terminal: 'nowhere',
      })
  }
  window.run('other', 'echo other')
  await window.step('other', 'succeeded')
  expect(viewer.messages.filter(({ type }) => type === 'refused')).toEqual([])
  await expectViewerUnaffected()
})

test('a window receives the output of two terminals separately', async () => {
  const terminals = new Map<number, Set<string>>()
  const attachBoth = async () => {
    const window = await talk.window()
    for (const terminal of ['count', 'other']) {
      window.send({ type: 'attach', terminal })
      const { channel } = await window.message('snapshot', (each) => each.terminal === terminal)
      terminals.set(channel, (terminals.get(channel) ?? new Set()).add(terminal))
    }
    return window
  }
  for (let count = 0; count < 4; count++) (await attachBoth()).socket.terminate()
  const window = await attachBoth()
  expect([...terminals.values()].filter(({ size }) => size > 1)).toEqual([])
  window.send({ type: 'input', terminal: 'other', data: 'echo here; echo the-$((1+1))nd\r' })
  await window.shows('other', 'the-2nd')
  expect(window.text('count')).not.toContain('the-2nd')
  expect(window.text('other')).not.toMatch(/\n\d+\r\n\d+\r\n/)
})

test('a window cannot acknowledge the output of another window', async () => {
  const attacker = await talk.window()
  attacker.send({ type: 'attach', terminal: 'count' })
  await attacker.message('snapshot')
  const victim = await talk.window()
  victim.send({ type: 'attach', terminal: 'other' })
  const { channel } = await victim.message('snapshot')
  // The most recent channels are those in use. More messages would exceed the rate limit.
  for (let each = Math.max(0, channel - 30); each < channel + 5; each++)
    attacker.send({ type: 'ack', channel: each, bytes: Number.MAX_SAFE_INTEGER })
  await expectViewerUnaffected()
  const previous = lastNumber()
  await vi.waitFor(() => expect(lastNumber(attacker)).toBeGreaterThan(previous), { timeout: 20_000 })
})

test('shared state is limited to 16 channels, whatever their names', async () => {
  const window = await talk.window()
  for (const channel of ['__proto__', 'constructor', ...Array.from({ length: 40 }, (_, index) => `channel-${index}`)])
    window.socket.send(`{"type":"sync","channel":"${channel}","state":{"page":1}}`)
  await viewer.message('sync', ({ channel }) => channel === 'channel-13')
  const { sync } = await (await talk.window()).message('hello')
  expect(Object.keys(sync).length).toBeLessThanOrEqual(16)
  await expectViewerUnaffected()
})

test('a message just below the size limit is accepted', async () => {
  const window = await talk.window()
  const state = 'x'.repeat(MAX_CLIENT_MESSAGE_BYTES - 200)
  window.send({ type: 'sync', channel: 'channel-13', state: { state } })
  expect(
    (await viewer.message('sync', (each) => each.channel === 'channel-13' && each.state.state === state)).state.state,
  ).toHaveLength(state.length)
})
