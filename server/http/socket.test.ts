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
/** A viewer that nobody may disturb. */
let viewer: TestWindow
beforeAll(async () => {
  talk = await serveTalk(slides)
  viewer = await talk.window()
  viewer.send({ type: 'attach', terminal: 'count' })
  viewer.run('count', count)
  await viewer.shows('count', '\n5\r\n')
})
afterAll(() => talk.close())

/** The number that the running step has come to, as a window sees it: of the last whole line. */
const counted = (window = viewer) => Number([...window.text('count').matchAll(/\n(\d+)(?=\r\n)/g)].at(-1)?.[1])

/** The other viewer goes on, and has missed nothing. */
async function undisturbed() {
  const before = counted()
  await vi.waitFor(() => expect(counted()).toBeGreaterThan(before), { timeout: 20_000 })
  const numbers = [...viewer.text('count').matchAll(/(\d+)\r\n/g)].map(([, number]) => Number(number))
  expect(numbers).toEqual(Array.from(numbers, (_, at) => at + 1))
  expect(talk.stage.terminals.get('count')?.state).toEqual({ state: 'busy', step: 'count' })
  const next = await talk.window()
  expect((await next.message('hello')).steps.find(({ id }) => id === 'count')?.status.state).toBe('running')
  next.socket.terminate()
}

const malformed: Record<string, string | Buffer> = {
  'no JSON': 'hello',
  nothing: '',
  'a number': '7',
  null: 'null',
  'a list': '[]',
  'a message without a type': '{}',
  'an unknown type': '{"type":"reboot"}',
  'a command instead of a step': '{"type":"run","command":"rm -rf /"}',
  'a step with a command beside it': '{"type":"run","step":"other","hash":"x","command":"rm -rf /"}',
  'a resize to nothing': '{"type":"resize","terminal":"count","cols":0,"rows":0}',
  'a resize beyond all bounds': '{"type":"resize","terminal":"count","cols":100000,"rows":100000}',
  'a terminal with a size': '{"type":"attach","terminal":"count","cols":0,"rows":0}',
  'a path as a terminal': '{"type":"attach","terminal":"../../etc"}',
  'a negative count': '{"type":"ack","channel":1,"bytes":-1}',
  'a paste that is too long': JSON.stringify({ type: 'input', terminal: 'count', data: 'x'.repeat(100_000) }),
  'a binary frame': Buffer.from([0, 0, 0, 1, 65]),
  'JSON that is nested too deep to be true': '['.repeat(100_000),
}

for (const [name, data] of Object.entries(malformed))
  test(`${name} ends that window's connection with a reason, and disturbs nobody`, async () => {
    const window = await talk.window()
    window.socket.send(data)
    expect(await window.closed).toEqual({ code: CLOSE.malformed, reason: expect.stringContaining('Reload the page') })
    await undisturbed()
  })

test('10 MB in one message, or text that is no UTF-8, ends that window’s connection only', async () => {
  const large = await talk.window()
  large.socket.send('x'.repeat(10_000_000))
  expect((await large.closed).code).toBe(1009)
  const garbled = await talk.window()
  garbled.socket.send(Buffer.from([0xff, 0xfe]), { binary: false })
  expect((await garbled.closed).code).toBe(1007)
  await undisturbed()
})

test('nothing that follows a malformed message is carried out', async () => {
  const window = await talk.window()
  window.socket.send('{')
  window.send({ type: 'interrupt', terminal: 'count' })
  window.send({ type: 'reset-stage' })
  await window.closed
  await undisturbed()
})

test('an unknown step, a stale hash and an unknown terminal are refused, each with what to do; the connection stays', async () => {
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
  await undisturbed()
})

test('two terminals in one window do not mix their output', async () => {
  const terminals = new Map<number, Set<string>>()
  const attached = async () => {
    const window = await talk.window()
    for (const terminal of ['count', 'other']) {
      window.send({ type: 'attach', terminal })
      const { channel } = await window.message('snapshot', (each) => each.terminal === terminal)
      terminals.set(channel, (terminals.get(channel) ?? new Set()).add(terminal))
    }
    return window
  }
  for (let times = 0; times < 4; times++) (await attached()).socket.terminate()
  const window = await attached()
  expect([...terminals.values()].filter(({ size }) => size > 1)).toEqual([])
  window.send({ type: 'input', terminal: 'other', data: 'echo here; echo the-$((1+1))nd\r' })
  await window.shows('other', 'the-2nd')
  expect(window.text('count')).not.toContain('the-2nd')
  expect(window.text('other')).not.toMatch(/\n\d+\r\n\d+\r\n/)
})

test('a window cannot speak for what another one has parsed', async () => {
  const liar = await talk.window()
  liar.send({ type: 'attach', terminal: 'count' })
  await liar.message('snapshot')
  const silent = await talk.window()
  silent.send({ type: 'attach', terminal: 'other' })
  const { channel } = await silent.message('snapshot')
  // The last ones are those in use; many more messages at once are a flood, which is held back.
  for (let at = Math.max(0, channel - 30); at < channel + 5; at++)
    liar.send({ type: 'ack', channel: at, bytes: Number.MAX_SAFE_INTEGER })
  await undisturbed()
  const after = counted()
  await vi.waitFor(() => expect(counted(liar)).toBeGreaterThan(after), { timeout: 20_000 })
})

test('state that windows share is bounded, whatever its channel is called', async () => {
  const window = await talk.window()
  for (const channel of ['__proto__', 'constructor', ...Array.from({ length: 40 }, (_, at) => `channel-${at}`)])
    window.socket.send(`{"type":"sync","channel":"${channel}","state":{"page":1}}`)
  await viewer.message('sync', ({ channel }) => channel === 'channel-13')
  const { sync } = await (await talk.window()).message('hello')
  expect(Object.keys(sync).length).toBeLessThanOrEqual(16)
  await undisturbed()
})

test('a message just below the limit is taken', async () => {
  const window = await talk.window()
  const state = 'x'.repeat(MAX_CLIENT_MESSAGE_BYTES - 200)
  window.send({ type: 'sync', channel: 'channel-13', state: { state } })
  expect(
    (await viewer.message('sync', (each) => each.channel === 'channel-13' && each.state.state === state)).state.state,
  ).toHaveLength(state.length)
})
