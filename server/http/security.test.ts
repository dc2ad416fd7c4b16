import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { otherDeck, type OtherDeck } from '../../e2e/deck.ts'
import { readDeck } from '../deck/deck.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import { type FrontDoor, openFrontDoor } from './front-door.ts'
import { shellEnvironment } from '../environment/profile.ts'
import { type ClientMessage, CLOSE } from '../../shared/protocol/talk.ts'
import { openStage } from '../steps/open-stage.ts'
import { developDeck } from './slidev-dev-server.ts'
import { freePort } from '../test/free-port.ts'
import { serveTalk, type ServedTalk } from '../test/talk.ts'
import { accessToken } from './token.ts'

/** The lines of docs/security.md that no other test checks. */

/** Sends bytes as no browser does, and returns all that is answered. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  let answer = ''
  socket.on('data', (data) => (answer += String(data)))
  socket.write(text)
  await once(socket, 'close')
  return answer
}
const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))

describe('the built deck', () => {
  let talk: ServedTalk
  let head: string
  let cookie: string
  beforeAll(async () => {
    talk = await serveTalk('---\ntitle: A talk\n---\n\n```sh {step=any}\ntrue\n```\n')
    head = `Host: localhost:${talk.port}`
    cookie = `Cookie: understudy-${talk.port}=${talk.token}`
    for (const folder of ['', 'cache', 'cache/built'])
      await writeFile(join(talk.folder, folder, 'secret.txt'), 'TOP SECRET')
  })
  afterAll(() => talk.close())

  test('no address leads out of it, also with the token', async () => {
    const up = [
      '../',
      '..%2f',
      '%2e%2e/',
      '%2e%2e%2f',
      '..\\',
      '..%5c',
      '....//',
      '.%00./',
      '..%252f',
      '..;/',
      '%c0%ae%c0%ae/',
    ]
    const paths = up.flatMap((step) => [1, 2, 3].map((times) => `/${step.repeat(times)}secret.txt`))
    paths.push(
      ...[
        '/secret.txt',
        '//secret.txt',
        `/${talk.folder}/secret.txt`,
        `/@fs${talk.folder}/secret.txt`,
        `/understudy/thumbnails/..%2f..%2fsecret.txt`,
        `/understudy/thumbnails/../../secret.txt`,
        'file:///etc/passwd',
      ],
    )
    const answers = await Promise.all(
      paths.map((path) => raw(talk.port, `GET ${path} HTTP/1.1\r\n${head}\r\n${cookie}\r\nConnection: close\r\n\r\n`)),
    )
    for (const [at, answer] of answers.entries()) {
      expect(answer, paths[at]).not.toMatch(/TOP SECRET|root:/)
      expect(statuses(answer), paths[at]).toHaveLength(1)
    }
  })

  test('a request hidden in another one is refused, or checked by itself', async () => {
    const hidden = `GET /hidden HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n`
    const refused = {
      'two lengths': `POST / HTTP/1.1\r\n${head}\r\n${cookie}\r\nContent-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
      'a length and chunks': `POST / HTTP/1.1\r\n${head}\r\n${cookie}\r\nContent-Length: ${hidden.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
      'chunks under a false name': `POST / HTTP/1.1\r\n${head}\r\n${cookie}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`,
      'a space before the colon': `POST / HTTP/1.1\r\n${head}\r\n${cookie}\r\nContent-Length : ${hidden.length}\r\n\r\n${hidden}`,
      'a folded header': `GET / HTTP/1.1\r\n${head}\r\n${cookie}\r\nX: a\r\n\tContent-Length: 9\r\n\r\n`,
      'a bare line feed': `GET / HTTP/1.1\n${head}\n${cookie}\nX: a\rY: b\n\n`,
      'no host': `GET / HTTP/1.1\r\n${cookie}\r\n\r\n`,
    }
    for (const [name, text] of Object.entries(refused)) {
      const [first, ...more] = statuses(await raw(talk.port, text))
      expect(first, name).toBe(400)
      expect(more, name).toEqual([])
    }
    // Two requests on one connection: the token of the first is not the second's.
    expect(statuses(await raw(talk.port, `GET / HTTP/1.1\r\n${head}\r\n${cookie}\r\n\r\n${hidden}`))).toEqual([
      200, 401,
    ])
    expect(
      statuses(
        await raw(
          talk.port,
          `GET / HTTP/1.1\r\nHost: evil.example\r\n${head}\r\n${cookie}\r\nConnection: close\r\n\r\n`,
        ),
      ),
    ).toEqual([421])
  })

  test('the token is in no answer but the cookie, in no log, and sent to no other page', async () => {
    const entry = await raw(talk.port, `GET /?token=${talk.token} HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n`)
    expect(entry).toMatch(/Referrer-Policy: no-referrer/)
    expect(entry.replace(/^Set-Cookie: .*; HttpOnly; SameSite=Strict; Path=\/\r\n/m, '')).not.toContain(talk.token)
    for (const path of ['/', '/1', '/none.js']) {
      const answer = await raw(talk.port, `GET ${path} HTTP/1.1\r\n${head}\r\n${cookie}\r\nConnection: close\r\n\r\n`)
      expect(answer).toMatch(/Referrer-Policy: no-referrer/)
      expect(answer).toMatch(/X-Frame-Options: SAMEORIGIN/)
      expect(answer).not.toContain(talk.token)
    }
    const window = await talk.window()
    window.send({ type: 'run', step: 'nonsense', hash: talk.token })
    await window.message('refused')
    expect(JSON.stringify(window.messages) + talk.log.join()).not.toContain(talk.token)
  })

  /** Seeded, so that what fails can be tried again (mulberry32). */
  function random(seed: number): () => number {
    let state = seed
    return () => {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    }
  }

  const valid: ClientMessage[] = [
    { type: 'attach', terminal: 'any' },
    { type: 'detach', terminal: 'any' },
    { type: 'ack', channel: 1, bytes: 100 },
    { type: 'input', terminal: 'any', data: ':' },
    { type: 'run', step: 'any', hash: 'a'.repeat(64), inputs: { host: '192.0.2.1' }, confirm: 'yes' },
    { type: 'interrupt', terminal: 'any' },
    { type: 'replay', step: 'any', on: true },
    { type: 'playback', terminal: 'any', action: 'faster' },
    { type: 'sync', channel: 'shared', state: { page: 1, clicks: [1, { a: null }] } },
  ]
  const strange = [
    'null',
    '1e999',
    '-1',
    '""',
    '[]',
    '{}',
    '"\\u0000"',
    '"__proto__"',
    '"constructor"',
    '9007199254740993',
    'true',
    '"\\ud800"',
    `"${'x'.repeat(5000)}"`,
    '[[[[[[]]]]]]',
  ]

  /** Changes a message somewhere: its text, a value, a key. */
  function mutate(text: string, chance: () => number): string {
    const at = Math.floor(chance() * text.length)
    const pick = <Item>(items: Item[]) => items[Math.floor(chance() * items.length)] as Item
    const values = [...text.matchAll(/"(?:[^"\\]|\\.)*"|\d+|true|false|null/g)]
    const value = pick(values) ?? Object.assign([''], { index: at })
    return pick([
      () => text.slice(0, at) + text.slice(at + 1 + Math.floor(chance() * 5)),
      () => text.slice(0, at) + String.fromCharCode(Math.floor(chance() * 0x3000)) + text.slice(at),
      () => text.slice(0, at),
      () => text.slice(0, value.index) + pick(strange) + text.slice(value.index + value[0].length),
      () => text.slice(0, value.index) + pick(strange) + text.slice(value.index + value[0].length),
      () => text.replace('{', `{${pick(strange.filter((each) => each.startsWith('"')))}:${pick(strange)},`),
      () => text + pick(valid.map((message) => JSON.stringify(message))),
    ])()
  }

  test('three thousand random changes of valid messages end no more than the connection that sent them', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32)
    const chance = random(seed)
    const viewer = await talk.window()
    viewer.send({ type: 'attach', terminal: 'any' })
    await viewer.message('snapshot')
    let ended = 0
    let window = await talk.window()
    for (let sent = 0; sent < 3000; sent++) {
      let text = JSON.stringify(valid[sent % valid.length])
      for (let times = 1 + Math.floor(chance() * 3); times > 0; times--) text = mutate(text, chance)
      window.socket.send(text)
      // Every few, so that what is taken and what is not come in all orders.
      if (sent % 15 === 14) {
        window.send({ type: 'sync', channel: 'shared', state: { sent } })
        const closed = await Promise.race([window.closed, viewer.message('sync', ({ state }) => state.sent === sent)])
        viewer.forget()
        if ('code' in closed) {
          expect([CLOSE.malformed, 1007, 1009], `seed ${seed}`).toContain(closed.code)
          ended++
          window = await talk.window()
        }
      }
    }
    expect(ended).toBeGreaterThan(50)
    window.socket.terminate()
    // Who did nothing wrong goes on.
    expect(viewer.socket.readyState).toBe(viewer.socket.OPEN)
    viewer.send({ type: 'restart', terminal: 'any' })
    await viewer.message('terminal', ({ state }) => state.state === 'prompt')
    viewer.run('any', 'true')
    expect((await viewer.step('any', 'succeeded')).state).toBe('succeeded')
  })

  test('a window that asks too fast is read more slowly; the others are answered at once, and nothing of it is lost', async () => {
    const flooder = await talk.window()
    // Twenty seconds' worth.
    for (let at = 0; at < 2000; at++) flooder.send({ type: at % 2 ? 'detach' : 'attach', terminal: 'any' })
    flooder.send({ type: 'sync', channel: 'flood', state: { over: true } })
    const window = await talk.window()
    window.run('nonsense', '')
    await window.message('refused')
    // The refusal is not queued behind the flooder's messages.
    expect(window.messages.filter(({ type }) => type === 'sync')).toEqual([])
    await new Promise((done) => setTimeout(done, 500))
    expect(flooder.messages.filter(({ type }) => type === 'snapshot').length).toBeLessThan(300)
    expect(window.messages.filter(({ type }) => type === 'sync')).toEqual([])
    flooder.socket.terminate()

    const typist = await talk.window()
    for (let at = 0; at < 3000; at++) typist.send({ type: 'detach', terminal: 'any' })
    typist.send({ type: 'sync', channel: 'typist', state: { over: true } })
    await window.message('sync', ({ channel }) => channel === 'typist')
  })

  test('a program cannot have the terminal type words of its own: titles, clipboard, settings and unknown queries', async () => {
    const window = await talk.window()
    window.send({ type: 'attach', terminal: 'any' })
    await window.message('snapshot')
    const queries = [
      '\\e]2;evil\\a\\e[21t',
      '\\e]52;c;ZXZpbA==\\a\\e]52;c;?\\a',
      '\\e]4;1;?\\a\\e]11;?\\a',
      '\\eP$qevil\\e\\\\',
      '\\eP+q6576696c\\e\\\\',
      '\\e[>q',
      '\\x05',
      '\\e]8;;evil\\a\\e]8;;\\a',
      '\\e_Gevil\\e\\\\',
      '\\e[c',
    ]
    const read = `stty raw -echo; printf '${queries.join('')}'; IFS= read -r -t 5 -d c first; IFS= read -r -t 0.3 -N 500 rest; stty sane; printf 'ANSWER[%q]\\n' "$first$rest"`
    window.send({ type: 'input', terminal: 'any', data: `clear; ${read}\r` })
    await window.shows('any', 'ANSWER[$')
    const answer = /ANSWER\[(.*?)\]\r/.exec(window.text('any'))?.[1]
    // Of all these only the device attributes have one, and maybe that a setting is not known (DECRQSS).
    expect(answer).toMatch(/^\$'(\\EP0\$r\\E\\\\)?\\E\[\?[\d;]+'$/)
  })
})

describe('the development server', () => {
  let deck: OtherDeck
  let slidev: ReturnType<typeof developDeck>
  let door: FrontDoor
  let own: number
  let port: number
  const token = 'd'.repeat(43)
  const slides = '---\ntheme: none\naddons: [slidev-addon-understudy]\nfonts: { provider: none }\n---\n\n# As it was\n'
  const ask = (to: number, path: string, headers: Record<string, string> = {}, body?: string) => {
    const lines = Object.entries({ host: `localhost:${to}`, ...headers }).map(([name, value]) => `${name}: ${value}`)
    if (body !== undefined) lines.push('Content-Type: text/plain', `Content-Length: ${Buffer.byteLength(body)}`)
    return raw(
      to,
      `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${body ?? ''}`,
    )
  }
  const cookie = () => ({ cookie: `understudy-${port}=${token}` })

  beforeAll(async () => {
    deck = await otherDeck(slides)
    own = await freePort()
    slidev = developDeck(deck.file, own, () => {})
    port = await freePort()
    door = await openFrontDoor({ port, token, deck: slidev, onSocket: (socket) => socket.close() })
    await vi.waitFor(async () => expect(statuses(await ask(port, '/', cookie()))).toEqual([200]), {
      timeout: 60_000,
      interval: 300,
    })
  }, 70_000)
  afterAll(async () => {
    await door?.close()
    await slidev?.close()
    await deck?.remove()
  })

  const edit = JSON.stringify({ content: '# Not any more' })

  test('takes no edit of slides.md from a foreign page, without the token, or past the front door', async () => {
    const path = '/__slidev/slides/1.json'
    expect(statuses(await ask(port, path, { ...cookie(), origin: 'http://evil.example' }, edit))).toEqual([403])
    expect(statuses(await ask(port, path, {}, edit))).toEqual([401])
    expect(statuses(await ask(port, path, { ...cookie(), host: `127.0.0.1:${port}` }, edit))).toEqual([421])
    for (const headers of [
      {},
      { origin: 'http://evil.example' },
      { 'x-understudy-door': '' },
      { 'x-understudy-door': token },
    ])
      expect(statuses(await ask(own, path, headers as Record<string, string>, edit))).toEqual([403])
    expect(await readFile(deck.file, 'utf8')).toBe(slides)
    // Its own page has the editor.
    expect(statuses(await ask(port, path, { ...cookie(), origin: `http://localhost:${port}` }, edit))).toEqual([200])
    await vi.waitFor(async () => expect(await readFile(deck.file, 'utf8')).toContain('# Not any more'), {
      timeout: 20_000,
    })
  })

  test('shows no file outside of the project, and nothing at all past the front door', async () => {
    const secret = join(await mkdtemp(join(tmpdir(), 'understudy-outside-')), 'secret.txt')
    await writeFile(secret, 'TOP SECRET')
    const files = ['/etc/passwd', secret].flatMap((file) =>
      [
        '',
        '?raw',
        '?raw??',
        '?import&raw',
        '?url',
        '?inline',
        '?import&raw??',
        '?.svg?.wasm?init',
        '?t=1&raw',
        '%3Fraw',
      ].map((query) => `/@fs${file}${query}`),
    )
    files.push(
      '/@fs//etc/passwd',
      '/@fs/%2e%2e/%2e%2e/etc/passwd',
      '/@id/__x00__/etc/passwd',
      '/..%2f..%2f..%2fetc/passwd',
      '//etc/passwd',
      '/@fs/etc/passwd#/slides.md',
    )
    for (const path of files)
      expect(await ask(port, path, cookie()), path).not.toMatch(/root:x|root:\$|TOP SECRET|cm9vdDp|VE9QIFNFQ1JFV/)
    for (const path of ['/', '/slides.md', '/@vite/client', '/__mcp', '/__open-in-editor?file=x', `/@fs${deck.file}`])
      expect(statuses(await ask(own, path)), path).toEqual([403])
    await rm(join(secret, '..'), { recursive: true })
  })

  test('opens no live reload for a foreign page, or past the front door', async () => {
    const upgrade = {
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-protocol': 'vite-hmr',
    }
    const hello = async (to: number, headers: Record<string, string>) => {
      const lines = Object.entries({ host: `localhost:${to}`, ...upgrade, ...headers }).map(
        ([name, value]) => `${name}: ${value}`,
      )
      return statuses(await raw(to, `GET /?token=x HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`))
    }
    expect(await hello(port, { ...cookie(), origin: 'http://evil.example' })).toEqual([403])
    expect(await hello(port, { origin: `http://localhost:${port}` })).toEqual([401])
    expect(await hello(own, { origin: `http://localhost:${own}` })).toEqual([])
  })
})

describe('on this machine', () => {
  test('the token, the workdir and all else of the deck are the user’s alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-mine-'))
    const before = process.umask(0)
    try {
      vi.stubEnv('UNDERSTUDY_CACHE', join(folder, 'cache'))
      await writeFile(join(folder, 'slides.md'), '---\ntitle: A talk\n---\n\n```sh {step=any}\ntrue\n```\n')
      const setting = await openStage(
        { deck: await readDeck(join(folder, 'slides.md')), profile: 'host', yes: false },
        new AbortController().signal,
      )
      await accessToken(setting.paths.token)
      const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
      expect(await mode(join(setting.paths.token, '..'))).toBe('700')
      expect(await mode(setting.paths.token)).toBe('600')
      // One that somebody has opened is closed again.
      const { chmod } = await import('node:fs/promises')
      await chmod(setting.paths.token, 0o644)
      await accessToken(setting.paths.token)
      expect(await mode(setting.paths.token)).toBe('600')
      await setting.stage.end()
    } finally {
      process.umask(before)
      vi.unstubAllEnvs()
      await rm(folder, { recursive: true })
    }
  })

  test('a shell knows of the server’s environment what is chosen, and what a contract asks for by name', async () => {
    vi.stubEnv('UNDERSTUDY_TEST_TOKEN', 'hidden')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hidden')
    vi.stubEnv('HCLOUD_TOKEN', 'asked for')
    const folder = await mkdtemp(join(tmpdir(), 'understudy-environment-'))
    try {
      const env = shellEnvironment({ name: 'host', env: {} }, ['HCLOUD_TOKEN', 'NOT_SET'])
      const executor = new LocalExecutor({ cwd: folder, env, registry: new ProcessRegistry(join(folder, 'processes')) })
      const { stdout: value } = await executor.script('env', 10)
      expect(value).toContain('HCLOUD_TOKEN=asked for')
      expect(value).not.toContain('hidden')
      const names = value.split('\n').map((line) => line.split('=')[0] ?? '')
      const chosen = [
        'HOME',
        'USER',
        'LOGNAME',
        'PATH',
        'LANG',
        'LC_ALL',
        'LC_CTYPE',
        'TZ',
        'SSH_AUTH_SOCK',
        'XDG_RUNTIME_DIR',
        'NIX_SSL_CERT_FILE',
        'SSL_CERT_FILE',
        'QEMU_OPTS',
        'LAB_ACCEL',
        'HCLOUD_TOKEN',
        'UNDERSTUDY_SESSION',
        'PWD',
        'SHLVL',
        '_',
      ]
      expect(names.filter((name) => !chosen.includes(name))).toEqual([])
    } finally {
      vi.unstubAllEnvs()
      await rm(folder, { recursive: true })
    }
  })
})
