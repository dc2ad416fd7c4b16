import { once } from 'node:events'
import { appendFile, rename, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { SOCKET_PATH } from '../../shared/protocol/talk.ts'
import { serveTalk, type ServedTalk, type TestWindow } from '../test/talk.ts'

const slides = `---
title: A talk
---

\`\`\`sh {step=long}
until [ -e continue ]; do sleep 0.05; done; echo finished
\`\`\`
`
const long = 'until [ -e continue ]; do sleep 0.05; done; echo finished'

let talk: ServedTalk
let viewer: TestWindow
beforeEach(async () => {
  talk = await serveTalk(slides)
  viewer = await talk.window()
  viewer.send({ type: 'attach', terminal: 'long' })
  viewer.run('long', long)
  await viewer.step('long', 'running')
})
afterEach(() => talk.close())

/** Checks that the step is still running, and lets it finish. */
async function expectStepToFinish() {
  await writeFile(`${talk.workdir}/continue`, '')
  await viewer.step('long', 'succeeded')
  await viewer.shows('long', 'finished\r\n')
}

/** Sends raw bytes, which no browser would send. @returns the status line of the response; empty if there was none */
async function sendRaw(text: string): Promise<string> {
  const socket = connect(talk.port, '127.0.0.1')
  // Since Node 24, a server resets a connection whose request it has answered but not read completely.
  socket.on('error', () => {})
  let response = ''
  socket.on('data', (data) => (response += String(data)))
  socket.write(text)
  await new Promise((resolve) => socket.once('close', resolve))
  return response.split('\r\n')[0] ?? ''
}

test('malformed requests are rejected, with or without a token, and the server keeps running', async () => {
  const host = `Host: localhost:${talk.port}`
  const cookie = `Cookie: understudy-${talk.port}=${talk.token}`
  const upgrade = `Origin: http://localhost:${talk.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==`
  for (const path of [
    '//',
    '///',
    '//[',
    '/\\\\[',
    'http://[',
    'http://',
    '*',
    '/%',
    '/%E0%A4%A',
    '/%00',
    '/?token=%',
    `/${'a'.repeat(10_000)}`,
  ])
    for (const headers of [host, `${host}\r\n${cookie}`]) {
      expect(await sendRaw(`GET ${path} HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`), path).toMatch(
        /^HTTP\/1.1 (200|400|401|404) /,
      )
      expect(await sendRaw(`GET ${path} HTTP/1.1\r\n${headers}\r\n${upgrade}\r\n\r\n`), path).toMatch(
        /^HTTP\/1.1 (400|401|404) /,
      )
    }
  expect(await sendRaw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
  expect(await sendRaw(`GET / HTTP/1.1\r\n${host}\r\nCookie: ${'a'.repeat(100_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 431 /,
  )
  expect(
    await sendRaw(
      `GET ${SOCKET_PATH} HTTP/1.1\r\n${host}\r\n${cookie}\r\n${upgrade.replace('AAAAAAAAAAAAAAAAAAAAAA==', 'x')}\r\n\r\n`,
    ),
  ).toMatch(/^HTTP\/1.1 400 /)
  expect((await talk.get('/')).text).toBe('the deck')
  await expectStepToFinish()
})

test('rejected websockets do not affect a running step', async () => {
  const origin = `http://localhost:${talk.port}`
  const host = `localhost:${talk.port}`
  const cookie = `understudy-${talk.port}=${talk.token}`
  const rejected: [Record<string, string>, number][] = [
    [{ host, origin }, 401],
    [{ host, origin, cookie: `understudy-${talk.port}=${'b'.repeat(43)}` }, 401],
    [{ host, cookie, origin: 'http://evil.example' }, 403],
    [{ host, cookie }, 403],
    [{ host: `evil.example:${talk.port}`, cookie, origin }, 421],
  ]
  for (const [headers, status] of rejected) {
    const socket = new WebSocket(`ws://127.0.0.1:${talk.port}${SOCKET_PATH}`, { headers })
    socket.on('error', () => {})
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
    expect(response.statusCode, JSON.stringify(headers)).toBe(status)
    socket.terminate()
  }
  await expectStepToFinish()
})

test('the last valid deck is served, and steps keep running, while slides.md is missing or invalid', async () => {
  viewer.forget()
  await rename(talk.file, `${talk.file}.away`)
  const removed = await viewer.message('deck', ({ deck }) => deck.state === 'broken')
  expect(JSON.stringify(removed.deck)).toMatch(
    /slides\.md: file not found\. Check the path of the deck, or restore the file/,
  )
  expect(removed.steps.map(({ id, status }) => [id, status.state])).toEqual([['long', 'running']])
  expect((await talk.get('/')).text).toBe('the deck')

  viewer.forget()
  await writeFile(talk.file, slides.replace('{step=long}', '{step=long color=red}'))
  const broken = await viewer.message('deck', ({ deck }) => deck.state === 'broken')
  expect(JSON.stringify(broken.deck)).toMatch(/slides\.md:5 \(slide 1\).*color/)
  const newWindow = await talk.window()
  expect((await newWindow.message('hello')).deck.state).toBe('broken')
  expect(talk.log.join('\n')).toContain('the last valid version is still served')

  const logged = talk.log.length
  viewer.forget()
  await appendFile(talk.file, '\n')
  await viewer.message('deck', ({ deck }) => deck.state === 'broken')
  expect(talk.log).toHaveLength(logged)

  viewer.forget()
  await rename(`${talk.file}.away`, talk.file)
  expect((await viewer.message('deck', ({ deck }) => deck.state === 'current')).version).toBe(
    (await newWindow.message('hello')).version,
  )
  expect(talk.log.slice(logged)).toEqual(['Fixed: the edited deck is valid and served.'])
  await expectStepToFinish()
})

test('requests for a built deck that was removed are answered with 404', async () => {
  await rm(talk.built, { recursive: true })
  for (const path of ['/', '/index.html', '/3']) expect((await talk.get(path)).status, path).toBe(404)
  await expectStepToFinish()
})

test('a window that disconnects during an output burst does not affect other windows', async () => {
  const window = await talk.window()
  window.send({ type: 'attach', terminal: 'long' })
  await window.message('snapshot')
  window.socket.terminate()
  await expectStepToFinish()
  viewer.send({ type: 'input', terminal: 'long', data: 'seq 300000; echo E""ND\r' })
  const reader = await talk.window()
  reader.send({ type: 'attach', terminal: 'long' })
  await reader.shows('long', '1000\r\n')
  reader.socket.terminate()
  await viewer.shows('long', '\nEND\r\n')
})
