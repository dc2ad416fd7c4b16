import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@playwright/test'
import * as pty from 'node-pty'
import { WebSocket } from 'ws'
import { type ServerMessage, serverMessage, SOCKET_PATH } from '../shared/protocol/talk.ts'
import { freePort } from '../server/test/free-port.ts'
import { type OtherDeck, otherDeck } from './deck.ts'
import { processes } from './talk.ts'

/** Failures of `start`: each prints one message, leaves no process behind, and does not affect the next start. */

const root = fileURLToPath(new URL('..', import.meta.url))
const isRoot = process.getuid?.() === 0
/** User and group id of `nobody`. */
const NOBODY = 65534

const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: Bad input
layout: stage
steps:
  build: { needs: { programs: [nix] } }
---

# Bad input

\`\`\`sh {step=plain terminal=plain}
echo it runs
\`\`\`

\`\`\`sh {step=build terminal=build}
nix build
\`\`\`

\`\`\`sh {step=long terminal=long}
sleep 36912
\`\`\`
`

/** A running `start` command in its own process group, as if a shell had started it. */
interface Start {
  process: ChildProcess
  port: number
  output: () => string
  /** Waits until the output matches. */
  prints: (text: RegExp) => Promise<void>
  /** Resolves when the command has ended. */
  ended: Promise<{ status: number | null; seconds: number }>
  /** Sends a signal to the process group, as Ctrl-C in a terminal does. */
  signal: (name: NodeJS.Signals) => void
}

let folder: string
let cache: string
let deck: OtherDeck
const starts: Start[] = []

test.beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-bad-input-'))
  cache = join(folder, 'cache')
  deck = await otherDeck(slides)
})
test.afterEach(async () => {
  for (const start of starts.splice(0)) {
    start.signal('SIGTERM')
    await start.ended
  }
  await deck.remove()
  rmSync(folder, { recursive: true })
})

async function start({
  args = [],
  env = {},
  user,
  profile = 'host',
  port,
}: { args?: string[]; env?: NodeJS.ProcessEnv; user?: number; profile?: string; port?: number } = {}): Promise<Start> {
  const actualPort = port ?? (await freePort())
  const startTime = Date.now()
  const child = spawn(
    process.execPath,
    [
      'bin/understudy.js',
      'start',
      deck.file,
      '--port',
      String(actualPort),
      '--profile',
      profile,
      '--yes',
      '--no-open',
      ...args,
    ],
    {
      cwd: root,
      env: { ...process.env, UNDERSTUDY_CACHE: cache, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...(user !== undefined && { uid: user, gid: user }),
    },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)))
  const running: Start = {
    process: child,
    port: actualPort,
    output: () => output,
    prints: async (text) => {
      await expect
        .poll(() => (child.exitCode === null ? output : `exited with ${child.exitCode}: ${output}`), {
          timeout: 120_000,
        })
        .toMatch(text)
    },
    ended: once(child, 'close').then(([status]) => ({
      status: status as number | null,
      seconds: (Date.now() - startTime) / 1000,
    })),
    signal: (name) => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), name)
    },
  }
  starts.push(running)
  return running
}

/** Sends a signal and returns the seconds until the command has ended. */
async function secondsToEnd(start: Start, signal: NodeJS.Signals): Promise<number> {
  const before = Date.now()
  start.signal(signal)
  await start.ended
  return (Date.now() - before) / 1000
}

/** Connects to the server like a browser window of the presenter. */
async function openWindow(start: Start) {
  await start.prints(/Slides\s+http:/)
  const token = /token=(\S+)/.exec(start.output())?.[1] ?? ''
  const socket = new WebSocket(`ws://127.0.0.1:${start.port}${SOCKET_PATH}`, {
    headers: {
      host: `localhost:${start.port}`,
      origin: `http://localhost:${start.port}`,
      cookie: `understudy-${start.port}=${token}`,
    },
  })
  const messages: ServerMessage[] = []
  socket.on('error', () => {})
  socket.on(
    'message',
    (data, isBinary) => void (isBinary || messages.push(serverMessage.parse(JSON.parse(String(data))))),
  )
  await expect.poll(() => messages[0]?.type).toBe('hello')
  const [hello] = messages
  if (hello?.type !== 'hello') throw new Error('The first message is not "hello".')
  return {
    statusOf: (id: string) => hello.steps.find((step) => step.id === id)?.status,
    async run(id: string, state: string) {
      const hash = hello.steps.find((step) => step.id === id)?.hash
      socket.send(JSON.stringify({ type: 'run', step: id, hash }))
      await expect
        .poll(() => JSON.stringify(messages.filter((each) => each.type === 'step' && each.step === id)))
        .toContain(`"state":"${state}"`)
    },
    close: () => socket.terminate(),
  }
}

/** Creates a PATH with only these programs and Node. */
function pathWith(programs: string[]): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const program of programs) {
    const found = (process.env.PATH ?? '').split(delimiter).find((each) => existsSync(join(each, program)))
    if (found) symlinkSync(join(found, program), join(bin, program))
  }
  symlinkSync(process.execPath, join(bin, 'node'))
  return bin
}

test('start reports a folder, an unknown option and options consumed by npm in one message each', () => {
  const output = (env: NodeJS.ProcessEnv, ...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/understudy.js', 'start', ...words], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, UNDERSTUDY_CACHE: cache, npm_lifecycle_event: 'start', ...env },
    })
    expect(status).toBe(1)
    return `${stdout}${stderr}`
  }
  expect(output({}, dirname(deck.file))).toMatch(
    /understudy-deck-\w+: is a folder\. Use the slides file in it, for example .*slides\.md\n$/,
  )
  expect(output({}, deck.file, '--shaer')).toBe(
    "error: unknown option '--shaer'\n(Did you mean --share?)\nAll options: npm start -- --help\n",
  )
  // npm runs this for `npm start --port 4031`.
  expect(output({ npm_config_port: 'true' }, '4031')).toBe(
    'npm consumed --port. Put options after "--", for example: npm start -- --port <port>\n',
  )
  expect(output({}, '4031')).toContain('file not found. To set the port, use --port 4031')
})

test('workshop reports invalid and conflicting options of a class in one message each', () => {
  const output = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['bin/understudy.js', 'workshop', deck.file, ...words],
      { cwd: root, encoding: 'utf8', env: { ...process.env, UNDERSTUDY_CACHE: cache } },
    )
    expect(status).toBe(1)
    return `${stdout}${stderr}`
  }
  expect(output('--public-url', 'https://a.example')).toContain('require --learners')
  expect(output('--learners', '0')).toContain('from 1 to 200, or names')
  expect(output('--learners', 'Ada')).toContain('Invalid learner name "Ada"')
  expect(output('--learners', '2', '--public-url', 'http://a.example')).toContain('Use an https:// URL without a path')
  expect(output('--learners', '2', '--public-url', 'https://a.example', '--page-url', 'https://a.example')).toContain(
    'whose host begins with "*.", for example https://*.workshop.example',
  )
  for (const publicUrl of [[], ['--public-url', 'https://b.example']])
    expect(output('--learners', '2', ...publicUrl, '--page-url', 'https://*.a.example')).toContain(
      '--page-url requires --public-url at the same domain',
    )
})

test('start names the process that uses its port, and exits', async () => {
  const occupant = createServer().listen(0, '127.0.0.1')
  await once(occupant, 'listening')
  const address = occupant.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const refused = await start({ port })
  expect((await refused.ended).status).toBe(1)
  expect(refused.output()).toMatch(
    new RegExp(
      `^Port ${port} is in use by process ${process.pid} .*Stop it with: kill ${process.pid}, or choose another: npm start -- \\S+slides.md --port ${port + 1}\n$`,
    ),
  )
  occupant.close()
})

test('without Nix, QEMU, git, sudo and apt, steps report the missing programs and other steps run', async () => {
  const PATH = pathWith([
    'bash',
    'sh',
    'env',
    'cat',
    'rm',
    'dirname',
    'readlink',
    'uname',
    'id',
    'paste',
    'realpath',
    'mkdir',
  ])
  const talk = await start({ profile: 'lab', env: { PATH } })
  const window = await openWindow(talk)
  expect(talk.output()).toMatch(/cannot be installed from here\. As root: apt-get install .*git/)
  const status = window.statusOf('build')
  expect(status?.state).toBe('unavailable')
  expect(JSON.stringify(status)).toMatch(/"program":"nix".*"problem":"The lab /)
  await window.run('plain', 'succeeded')
  window.close()
  expect(await secondsToEnd(talk, 'SIGINT')).toBeLessThan(3)
})

test('without root and sudo, the talk starts and steps report the reason that the lab is unavailable', async () => {
  test.skip(!isRoot, 'needs root to become another user')
  mkdirSync(cache)
  for (const path of [folder, cache, dirname(deck.file), deck.file, join(dirname(deck.file), 'node_modules')])
    chownSync(path, NOBODY, NOBODY)
  chmodSync(dirname(deck.file), 0o755)
  const talk = await start({ profile: 'lab', user: NOBODY, env: { HOME: folder } })
  const window = await openWindow(talk)
  expect(talk.output()).toMatch(/As root: apt-get install/)
  expect(JSON.stringify(window.statusOf('build'))).toContain('The user nobody cannot write to the Nix store')
  await window.run('plain', 'succeeded')
  window.close()
})

test('start reports a full disk, and recovers from incomplete files once there is space', async () => {
  mkdirSync(cache)
  test.skip(
    !isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', cache]).status !== 0,
    'needs to mount a small disk',
  )
  try {
    for (const profile of ['lab', 'host']) {
      const full = await start({ profile })
      expect((await full.ended).status, profile).toBe(1)
      expect(full.output()).toContain('The disk is full: cannot write to the cache.')
    }
    execFileSync('mount', ['-o', 'remount,size=200m', cache])
    const talk = await start()
    const window = await openWindow(talk)
    await window.run('plain', 'succeeded')
    window.close()
    expect(await secondsToEnd(talk, 'SIGTERM')).toBeLessThan(3)
  } finally {
    for (const each of starts) {
      each.signal('SIGKILL')
      await each.ended
    }
    execFileSync('umount', [cache])
  }
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  test(`${signal} ends the talk and everything it started within 3 s, during the build and while a step runs`, async () => {
    const building = await start()
    await expect
      .poll(() => processes(new RegExp(`slidev.mjs build ${deck.file}`)), { timeout: 120_000 })
      .not.toEqual([])
    // Ctrl-C in a terminal signals the process group; service managers and npm signal only the server.
    if (signal === 'SIGINT') building.signal(signal)
    const before = Date.now()
    if (signal !== 'SIGINT') building.process.kill(signal)
    await building.ended
    expect((Date.now() - before) / 1000).toBeLessThan(3)
    expect(building.output()).not.toContain('Error')
    await expect.poll(() => processes(new RegExp(deck.file))).toEqual([])

    const talk = await start()
    const window = await openWindow(talk)
    await window.run('long', 'running')
    await expect.poll(() => processes(/^sleep 36912/)).toHaveLength(1)
    expect(await secondsToEnd(talk, signal)).toBeLessThan(3)
    expect(await processes(/^sleep 36912/)).toEqual([])
    expect((await talk.ended).status).toBe(0)
  })

test('SIGTERM ends the preparation of the lab within 3 s and releases its lock', async () => {
  test.skip(
    spawnSync('sh', ['-c', 'command -v nix apt-get']).status !== 0,
    'Nix or apt-get is not installed (apt-get install nix-bin)',
  )
  const preparing = await start({ profile: 'lab' })
  await expect.poll(() => processes(/collect\.sh|apt-get|nix store add-path/), { timeout: 120_000 }).not.toEqual([])
  const before = Date.now()
  preparing.process.kill('SIGTERM')
  await preparing.ended
  expect((Date.now() - before) / 1000).toBeLessThan(3)
  expect(await processes(new RegExp(cache))).toEqual([])
  // The lock is free, and no incomplete lab is left.
  expect(spawnSync('flock', ['-n', join(cache, '.preparing'), 'true']).status).toBe(0)
  expect(readdirSync(cache).filter((name) => name.startsWith('lab'))).toEqual([])
})

for (const signal of ['SIGTERM', 'SIGHUP'] as const)
  test(`${signal} to npm ends the talk that npm has started`, async () => {
    const port = await freePort()
    const npm = spawn('npm', ['start', '--', deck.file, '--port', String(port), '--profile', 'host', '--no-open'], {
      cwd: root,
      env: { ...process.env, UNDERSTUDY_CACHE: cache },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let output = ''
    npm.stdout.on('data', (chunk: Buffer) => (output += String(chunk)))
    await expect.poll(() => output, { timeout: 120_000 }).toMatch(/Slides\s+http:\S+token=\S+\s/)
    npm.kill(signal)
    await expect.poll(() => processes(new RegExp(deck.file)), { timeout: 5000 }).toEqual([])
  })

test('closing the terminal window ends the talk and its steps', async () => {
  const port = await freePort()
  const terminal = pty.spawn(
    process.execPath,
    ['bin/understudy.js', 'start', deck.file, '--port', String(port), '--profile', 'host', '--no-open'],
    {
      cwd: root,
      env: { ...process.env, UNDERSTUDY_CACHE: cache },
    },
  )
  let output = ''
  terminal.onData((data) => (output += data))
  await expect.poll(() => output, { timeout: 120_000 }).toMatch(/Slides\s+http:\S+token=\S+\s/)
  const talk = { port, output: () => output, prints: async () => {} }
  const window = await openWindow(talk as unknown as Start)
  await window.run('long', 'running')
  await expect.poll(() => processes(/^sleep 36912/)).toHaveLength(1)
  ;(terminal as pty.IPty & { destroy: () => void }).destroy()
  await expect.poll(() => processes(new RegExp(`^sleep 36912|${deck.file}`))).toEqual([])
})
