import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { otherDeck, type OtherDeck } from '../../e2e/deck.ts'
import { readDeck } from '../deck/deck.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import { type FrontDoor, openFrontDoor } from './front-door.ts'
import { messageTable } from './message-table.ts'
import { shellEnvironment } from '../environment/profile.ts'
import { CLOSE } from '../../shared/protocol/talk.ts'
import { openStage } from '../steps/open-stage.ts'
import { developDeck } from './slidev-dev-server.ts'
import { freePort } from '../test/free-port.ts'
import { Random } from '../test/random.ts'
import { sampleMessage } from '../test/sample-message.ts'
import { serveTalk, type ServedTalk } from '../test/talk.ts'
import { accessToken } from './token.ts'

/** Threats that docs/security.md lists and that no other test covers. */

/**
 * Sends raw bytes, which no browser would send.
 *
 * @returns everything that the server sends until it closes the connection
 */
async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  let response = ''
  socket.on('data', (data) => (response += String(data)))
  socket.write(text)
  await once(socket, 'close')
  return response
}
/** The statuses of all HTTP responses in a text. */
const statuses = (responses: string) => [...responses.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))

describe('the built deck', () => {
  let talk: ServedTalk
  let host: string
  let cookie: string
  beforeAll(async () => {
    talk = await serveTalk('---\ntitle: A talk\n---\n\n```sh {step=any}\ntrue\n```\n')
    host = `Host: localhost:${talk.port}`
    cookie = `Cookie: understudy-${talk.port}=${talk.token}`
    for (const folder of ['', 'cache', 'cache/built'])
      await writeFile(join(talk.folder, folder, 'secret.txt'), 'TOP SECRET')
  })
  afterAll(() => talk.close())

  test('no URL leads to a file outside the deck, even with the token', async () => {
    const parentFolders = [
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
    const paths = parentFolders.flatMap((parent) => [1, 2, 3].map((count) => `/${parent.repeat(count)}secret.txt`))
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
    const responses = await Promise.all(
      paths.map((path) =>
        sendRaw(talk.port, `GET ${path} HTTP/1.1\r\n${host}\r\n${cookie}\r\nConnection: close\r\n\r\n`),
      ),
    )
    for (const [index, response] of responses.entries()) {
      expect(response, paths[index]).not.toMatch(/TOP SECRET|root:/)
      expect(statuses(response), paths[index]).toHaveLength(1)
    }
  })

  test('a request smuggled inside another one is rejected, or checked separately', async () => {
    const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`
    const rejected = {
      'two lengths': `POST / HTTP/1.1\r\n${host}\r\n${cookie}\r\nContent-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
      'a length and chunks': `POST / HTTP/1.1\r\n${host}\r\n${cookie}\r\nContent-Length: ${smuggled.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      'an unknown transfer encoding': `POST / HTTP/1.1\r\n${host}\r\n${cookie}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
      'a space before the colon': `POST / HTTP/1.1\r\n${host}\r\n${cookie}\r\nContent-Length : ${smuggled.length}\r\n\r\n${smuggled}`,
      'a folded header': `GET / HTTP/1.1\r\n${host}\r\n${cookie}\r\nX: a\r\n\tContent-Length: 9\r\n\r\n`,
      'a bare line feed': `GET / HTTP/1.1\n${host}\n${cookie}\nX: a\rY: b\n\n`,
      'no host': `GET / HTTP/1.1\r\n${cookie}\r\n\r\n`,
    }
    for (const [name, text] of Object.entries(rejected)) {
      const [first, ...more] = statuses(await sendRaw(talk.port, text))
      expect(first, name).toBe(400)
      expect(more, name).toEqual([])
    }
    // Two requests on one connection: the token of the first does not count for the second.
    expect(statuses(await sendRaw(talk.port, `GET / HTTP/1.1\r\n${host}\r\n${cookie}\r\n\r\n${smuggled}`))).toEqual([
      200, 401,
    ])
    expect(
      statuses(
        await sendRaw(
          talk.port,
          `GET / HTTP/1.1\r\nHost: evil.example\r\n${host}\r\n${cookie}\r\nConnection: close\r\n\r\n`,
        ),
      ),
    ).toEqual([421])
  })

  test('the token appears in no response except its cookie, no message, no log and no Referer', async () => {
    const entry = await sendRaw(talk.port, `GET /?token=${talk.token} HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`)
    expect(entry).toMatch(/Referrer-Policy: no-referrer/)
    expect(entry.replace(/^Set-Cookie: .*; HttpOnly; SameSite=Strict; Path=\/\r\n/m, '')).not.toContain(talk.token)
    for (const path of ['/', '/1', '/none.js']) {
      const response = await sendRaw(
        talk.port,
        `GET ${path} HTTP/1.1\r\n${host}\r\n${cookie}\r\nConnection: close\r\n\r\n`,
      )
      expect(response).toMatch(/Referrer-Policy: no-referrer/)
      expect(response).toMatch(/X-Frame-Options: SAMEORIGIN/)
      expect(response).not.toContain(talk.token)
    }
    const window = await talk.window()
    window.send({ type: 'run', step: 'nonsense', hash: talk.token })
    await window.message('refused')
    expect(JSON.stringify(window.messages) + talk.log.join()).not.toContain(talk.token)
  })

  /** A valid message of every type, as JSON. */
  const validMessages = Object.values(messageTable).map(({ schema }) => {
    const fields = Object.keys(schema.shape)
    return JSON.stringify(
      sampleMessage(schema, {
        ...(fields.includes('terminal') && { terminal: 'any' }),
        ...(fields.includes('step') && { step: 'any' }),
        ...(fields.includes('inputs') && { inputs: { host: '192.0.2.1' }, confirm: 'yes' }),
        ...(fields.includes('state') && { state: { page: 1, clicks: [1, { a: null }] } }),
      }),
    )
  })
  const unusualValues = [
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

  /** Changes the text of a message at a random place. */
  function mutate(text: string, random: Random): string {
    const index = random.below(text.length)
    const values = [...text.matchAll(/"(?:[^"\\]|\\.)*"|\d+|true|false|null/g)]
    const replaceValue = () => {
      if (values.length === 0) return random.pick(unusualValues)
      const value = random.pick(values)
      return text.slice(0, value.index) + random.pick(unusualValues) + text.slice(value.index + value[0].length)
    }
    const addField = () => {
      const name = random.pick(unusualValues.filter((value) => value.startsWith('"')))
      return text.replace('{', `{${name}:${random.pick(unusualValues)},`)
    }
    return random.pick([
      () => text.slice(0, index) + text.slice(index + 1 + random.below(5)),
      () => text.slice(0, index) + String.fromCharCode(random.below(0x3000)) + text.slice(index),
      () => text.slice(0, index),
      replaceValue,
      replaceValue,
      addField,
      () => text + random.pick(validMessages),
    ])()
  }

  test('a randomly changed message closes at most the connection that sent it', { timeout: 60_000 }, async () => {
    const seed = Math.floor(Math.random() * 2 ** 32)
    const random = new Random(seed)
    const viewer = await talk.window()
    viewer.send({ type: 'attach', terminal: 'any' })
    await viewer.message('snapshot')
    let closedConnections = 0
    let window = await talk.window()
    for (let sent = 0; sent < 3000; sent++) {
      let text = random.pick(validMessages)
      for (let changes = 1 + random.below(3); changes > 0; changes--) text = mutate(text, random)
      window.socket.send(text)
      // Waits after some messages only, so that valid and invalid ones are handled in all orders.
      if (sent % 15 === 14) {
        window.send({ type: 'sync', channel: 'shared', state: { sent } })
        const outcome = await Promise.race([window.closed, viewer.message('sync', ({ state }) => state.sent === sent)])
        viewer.forget()
        if ('code' in outcome) {
          expect([CLOSE.malformed, 1007, 1009], `seed ${seed}`).toContain(outcome.code)
          closedConnections++
          window = await talk.window()
        }
      }
    }
    expect(closedConnections).toBeGreaterThan(50)
    window.socket.terminate()
    // The viewer's connection is still open and works.
    expect(viewer.socket.readyState).toBe(viewer.socket.OPEN)
    viewer.send({ type: 'restart', terminal: 'any' })
    await viewer.message('terminal', ({ state }) => state.state === 'prompt')
    viewer.run('any', 'true')
    expect((await viewer.step('any', 'succeeded')).state).toBe('succeeded')
  })

  test('a window that sends too fast is slowed down, but loses no message and does not delay other windows', async () => {
    const flooder = await talk.window()
    // The rate limit allows these messages in about twenty seconds.
    for (let sent = 0; sent < 2000; sent++) flooder.send({ type: sent % 2 ? 'detach' : 'attach', terminal: 'any' })
    flooder.send({ type: 'sync', channel: 'flood', state: { last: true } })
    const window = await talk.window()
    window.run('nonsense', '')
    await window.message('refused')
    // The refusal is not queued behind the flooder's messages.
    expect(window.messages.filter(({ type }) => type === 'sync')).toEqual([])
    // Without the limit, all messages would be handled in this time.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(flooder.messages.filter(({ type }) => type === 'snapshot').length).toBeLessThan(300)
    expect(window.messages.filter(({ type }) => type === 'sync')).toEqual([])
    flooder.socket.terminate()

    const typist = await talk.window()
    for (let sent = 0; sent < 3000; sent++) typist.send({ type: 'detach', terminal: 'any' })
    typist.send({ type: 'sync', channel: 'typist', state: { last: true } })
    await window.message('sync', ({ channel }) => channel === 'typist')
  })

  test('a program cannot make the terminal type text of its choice', async () => {
    const window = await talk.window()
    window.send({ type: 'attach', terminal: 'any' })
    await window.message('snapshot')
    // Titles, clipboard, colors, settings and unknown queries: sequences that make some terminals type an answer.
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
    const read = `stty raw -echo; printf '${queries.join('')}'; IFS= read -r -t 5 -d c first; IFS= read -r -t 0.3 -N 500 rest; stty sane; printf 'TYPED[%q]\\n' "$first$rest"`
    window.send({ type: 'input', terminal: 'any', data: `clear; ${read}\r` })
    await window.shows('any', 'TYPED[$')
    const typed = /TYPED\[(.*?)\]\r/.exec(window.text('any'))?.[1]
    // Only the device attributes are answered, and possibly that a setting is unknown (DECRQSS).
    expect(typed).toMatch(/^\$'(\\EP0\$r\\E\\\\)?\\E\[\?[\d;]+'$/)
  })
})

describe('the development server', () => {
  let deck: OtherDeck
  let slidev: Awaited<ReturnType<typeof developDeck>> | undefined
  let frontDoor: FrontDoor | undefined
  /** Port of Slidev's own server, behind the front door. */
  let slidevPort: number
  let port: number
  const token = 'd'.repeat(43)
  const slides = '---\ntheme: none\naddons: [slidev-addon-understudy]\nfonts: { provider: none }\n---\n\n# Original\n'
  /** Sends a GET request, or a POST request with a body. */
  const send = (to: number, path: string, headers: Record<string, string> = {}, body?: string) => {
    const lines = Object.entries({ host: `localhost:${to}`, ...headers }).map(([name, value]) => `${name}: ${value}`)
    if (body !== undefined) lines.push('Content-Type: text/plain', `Content-Length: ${Buffer.byteLength(body)}`)
    return sendRaw(
      to,
      `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${body ?? ''}`,
    )
  }
  const cookie = () => ({ cookie: `understudy-${port}=${token}` })

  beforeAll(async () => {
    deck = await otherDeck(slides)
    slidevPort = await freePort()
    slidev = await developDeck(deck.file, slidevPort, () => {})
    port = await freePort()
    frontDoor = await openFrontDoor({ port, token, deck: slidev, onSocket: (socket) => socket.close() })
    await vi.waitFor(async () => expect(statuses(await send(port, '/', cookie()))).toEqual([200]), {
      timeout: 60_000,
      interval: 300,
    })
  }, 70_000)
  afterAll(async () => {
    await frontDoor?.close()
    await slidev?.close()
    await deck.remove()
  })

  const edit = JSON.stringify({ content: '# Edited' })

  test('rejects an edit of slides.md from a foreign page, without the token, or bypassing the front door', async () => {
    const path = '/__slidev/slides/1.json'
    expect(statuses(await send(port, path, { ...cookie(), origin: 'http://evil.example' }, edit))).toEqual([403])
    expect(statuses(await send(port, path, {}, edit))).toEqual([401])
    expect(statuses(await send(port, path, { ...cookie(), host: `127.0.0.1:${port}` }, edit))).toEqual([421])
    for (const headers of [
      {},
      { origin: 'http://evil.example' },
      { 'x-understudy-door': '' },
      { 'x-understudy-door': token },
    ])
      expect(statuses(await send(slidevPort, path, headers as Record<string, string>, edit))).toEqual([403])
    expect(await readFile(deck.file, 'utf8')).toBe(slides)
    // The editor in Slidev's own page works.
    expect(statuses(await send(port, path, { ...cookie(), origin: `http://localhost:${port}` }, edit))).toEqual([200])
    await vi.waitFor(async () => expect(await readFile(deck.file, 'utf8')).toContain('# Edited'), {
      timeout: 20_000,
    })
  })

  test('serves no file outside the project, and nothing to requests that bypass the front door', async () => {
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
      expect(await send(port, path, cookie()), path).not.toMatch(/root:x|root:\$|TOP SECRET|cm9vdDp|VE9QIFNFQ1JFV/)
    for (const path of ['/', '/slides.md', '/@vite/client', '/__mcp', '/__open-in-editor?file=x', `/@fs${deck.file}`])
      expect(statuses(await send(slidevPort, path)), path).toEqual([403])
    await rm(join(secret, '..'), { recursive: true })
  })

  test('rejects live-reload connections of a foreign page, or bypassing the front door', async () => {
    const upgrade = {
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-protocol': 'vite-hmr',
    }
    const handshake = async (to: number, headers: Record<string, string>) => {
      const lines = Object.entries({ host: `localhost:${to}`, ...upgrade, ...headers }).map(
        ([name, value]) => `${name}: ${value}`,
      )
      return statuses(await sendRaw(to, `GET /?token=x HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`))
    }
    expect(await handshake(port, { ...cookie(), origin: 'http://evil.example' })).toEqual([403])
    expect(await handshake(port, { origin: `http://localhost:${port}` })).toEqual([401])
    expect(await handshake(slidevPort, { origin: `http://localhost:${slidevPort}` })).toEqual([])
  })
})

describe('this machine', () => {
  test('only the user can read the token and the other files of the deck', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-permissions-'))
    const previousUmask = process.umask(0)
    try {
      vi.stubEnv('UNDERSTUDY_CACHE', join(folder, 'cache'))
      await writeFile(join(folder, 'slides.md'), '---\ntitle: A talk\n---\n\n```sh {step=any}\ntrue\n```\n')
      const context = await openStage(
        { deck: await readDeck(join(folder, 'slides.md')), profile: 'host', yes: false },
        new AbortController().signal,
      )
      await accessToken(context.paths.token)
      const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
      expect(await mode(join(context.paths.token, '..'))).toBe('700')
      expect(await mode(context.paths.token)).toBe('600')
      // Permissions that were widened are restored.
      await chmod(context.paths.token, 0o644)
      await accessToken(context.paths.token)
      expect(await mode(context.paths.token)).toBe('600')
      await context.stage.end()
    } finally {
      process.umask(previousUmask)
      vi.unstubAllEnvs()
      await rm(folder, { recursive: true })
    }
  })

  test('a shell receives only listed variables of the server’s environment, and those that a contract names', async () => {
    vi.stubEnv('UNDERSTUDY_TEST_TOKEN', 'hidden')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hidden')
    vi.stubEnv('HCLOUD_TOKEN', 'requested')
    const folder = await mkdtemp(join(tmpdir(), 'understudy-environment-'))
    try {
      const env = shellEnvironment({ name: 'host', env: {} }, ['HCLOUD_TOKEN', 'NOT_SET'])
      const executor = new LocalExecutor({ cwd: folder, env, registry: new ProcessRegistry(join(folder, 'processes')) })
      const { stdout } = await executor.script('env', 10)
      expect(stdout).toContain('HCLOUD_TOKEN=requested')
      expect(stdout).not.toContain('hidden')
      const names = stdout.split('\n').map((line) => line.split('=')[0] ?? '')
      const allowed = [
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
      expect(names.filter((name) => !allowed.includes(name))).toEqual([])
    } finally {
      vi.unstubAllEnvs()
      await rm(folder, { recursive: true })
    }
  })
})
