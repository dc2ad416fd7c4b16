import { once } from 'node:events'
import { rename, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { SOCKET_PATH } from '../../shared/protocol/talk.ts'
import { serveTalk, type ServedTalk, type TestWindow } from '../test/talk.ts'

const slides = `---
title: A talk
---

\`\`\`sh {step=long}
until [ -e go-on ]; do sleep 0.05; done; echo went on
\`\`\`
`
const long = 'until [ -e go-on ]; do sleep 0.05; done; echo went on'

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

/** The step that runs is the same one, and comes to its end. */
async function goesOn() {
  await writeFile(`${talk.workdir}/go-on`, '')
  await viewer.step('long', 'succeeded')
  await viewer.shows('long', 'went on\r\n')
}

/** Sends bytes as no browser does, and returns the first line of the answer; empty where the connection was just closed. */
async function raw(text: string): Promise<string> {
  const socket = connect(talk.port, '127.0.0.1')
  socket.on('error', () => {})
  let answer = ''
  socket.on('data', (data) => (answer += String(data)))
  socket.write(text)
  await once(socket, 'close')
  return answer.split('\r\n')[0] ?? ''
}

test('requests that no browser sends are answered or cut off, without the token or with it', async () => {
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
      expect(await raw(`GET ${path} HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`), path).toMatch(
        /^HTTP\/1.1 (200|400|401|404) /,
      )
      expect(await raw(`GET ${path} HTTP/1.1\r\n${headers}\r\n${upgrade}\r\n\r\n`), path).toMatch(
        /^HTTP\/1.1 (400|401|404) /,
      )
    }
  expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
  expect(await raw(`GET / HTTP/1.1\r\n${host}\r\nCookie: ${'a'.repeat(100_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /)
  expect(
    await raw(
      `GET ${SOCKET_PATH} HTTP/1.1\r\n${host}\r\n${cookie}\r\n${upgrade.replace('AAAAAAAAAAAAAAAAAAAAAA==', 'x')}\r\n\r\n`,
    ),
  ).toMatch(/^HTTP\/1.1 400 /)
  expect((await talk.get('/')).text).toBe('the deck')
  await goesOn()
})

test('a window that is not let in changes nothing for those that are', async () => {
  const origin = `http://localhost:${talk.port}`
  const host = `localhost:${talk.port}`
  const cookie = `understudy-${talk.port}=${talk.token}`
  const refused: [Record<string, string>, number][] = [
    [{ host, origin }, 401],
    [{ host, origin, cookie: `understudy-${talk.port}=${'b'.repeat(43)}` }, 401],
    [{ host, cookie, origin: 'http://evil.example' }, 403],
    [{ host, cookie }, 403],
    [{ host: `evil.example:${talk.port}`, cookie, origin }, 421],
  ]
  for (const [headers, status] of refused) {
    const socket = new WebSocket(`ws://127.0.0.1:${talk.port}${SOCKET_PATH}`, { headers })
    socket.on('error', () => {})
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
    expect(response.statusCode, JSON.stringify(headers)).toBe(status)
    socket.terminate()
  }
  await goesOn()
})

test('slides.md is removed, broken and put back: the last good deck and what runs go on, and the banner says why', async () => {
  viewer.forget()
  await rename(talk.file, `${talk.file}.away`)
  const removed = await viewer.message('deck', ({ deck }) => deck.state === 'broken')
  expect(JSON.stringify(removed.deck)).toMatch(
    /slides\.md: file not found\. Check the path of the deck, or restore the file/,
  )
  expect(removed.steps.map(({ id, status }) => [id, status.state])).toEqual([['long', 'running']])
  expect((await talk.get('/')).text).toBe('the deck')

  viewer.forget()
  await writeFile(talk.file, slides.replace('{step=long}', '{step=long colour=red}'))
  const broken = await viewer.message('deck', ({ deck }) => deck.state === 'broken')
  expect(JSON.stringify(broken.deck)).toMatch(/slides\.md:5 \(slide 1\).*colour/)
  const late = await talk.window()
  expect((await late.message('hello')).deck.state).toBe('broken')
  expect(talk.log.join('\n')).toContain('the last good one stays')

  viewer.forget()
  await rename(`${talk.file}.away`, talk.file)
  expect((await viewer.message('deck', ({ deck }) => deck.state === 'current')).version).toBe(
    (await late.message('hello')).version,
  )
  await goesOn()
})

test('built pages that are removed while they are served give an error, not an end', async () => {
  await rm(talk.built, { recursive: true })
  for (const path of ['/', '/index.html', '/3']) expect((await talk.get(path)).status, path).toBe(404)
  await goesOn()
})

test('a window that goes away in the middle of a flood does no harm', async () => {
  const window = await talk.window()
  window.send({ type: 'attach', terminal: 'long' })
  await window.message('snapshot')
  window.socket.terminate()
  await goesOn()
  viewer.send({ type: 'input', terminal: 'long', data: 'seq 300000; echo E""ND\r' })
  const reader = await talk.window()
  reader.send({ type: 'attach', terminal: 'long' })
  await reader.shows('long', '1000\r\n')
  reader.socket.terminate()
  await viewer.shows('long', '\nEND\r\n')
})
