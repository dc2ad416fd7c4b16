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

/** What goes wrong around `start`: it says so in one message, leaves nothing running, and the next start is not worse for it. */

const root = fileURLToPath(new URL('..', import.meta.url))
const isRoot = process.getuid?.() === 0
const nobody = 65534

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

/** A start of the talk, in a process group of its own, as a shell makes one. */
interface Start {
  process: ChildProcess
  port: number
  output: () => string
  /** Waits until it has said something. */
  says: (text: RegExp) => Promise<void>
  /** How it ended. */
  ended: Promise<{ status: number | null; seconds: number }>
  /** Ctrl-C in its terminal, or another signal to all of its group. */
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
  const chosen = port ?? (await freePort())
  const began = Date.now()
  const child = spawn(
    process.execPath,
    [
      'bin/understudy.js',
      'start',
      deck.file,
      '--port',
      String(chosen),
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
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += String(chunk)))
  const made: Start = {
    process: child,
    port: chosen,
    output: () => output,
    says: async (text) => {
      await expect
        .poll(() => (child.exitCode === null ? output : `ended with ${child.exitCode}: ${output}`), {
          timeout: 120_000,
        })
        .toMatch(text)
    },
    ended: once(child, 'close').then(([status]) => ({
      status: status as number | null,
      seconds: (Date.now() - began) / 1000,
    })),
    signal: (name) => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), name)
    },
  }
  starts.push(made)
  return made
}

/** Interrupts a start and returns how long it took to end. */
async function interrupted(start: Start, signal: NodeJS.Signals): Promise<number> {
  const before = Date.now()
  start.signal(signal)
  await start.ended
  return (Date.now() - before) / 1000
}

/** A window: the messages of the server, once it is let in. */
async function window(start: Start) {
  await start.says(/Slides\s+http:/)
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
  if (hello?.type !== 'hello') throw new Error('no hello')
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

/** A folder for the PATH with links to these programs, where this machine has them. */
function pathOf(programs: string[]): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const program of programs) {
    const found = (process.env.PATH ?? '').split(delimiter).find((each) => existsSync(join(each, program)))
    if (found) symlinkSync(join(found, program), join(bin, program))
  }
  symlinkSync(process.execPath, join(bin, 'node'))
  return bin
}

test('a folder, an option that there is not, and options that npm has kept are each told in one message', () => {
  const told = (env: NodeJS.ProcessEnv, ...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/understudy.js', 'start', ...words], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, UNDERSTUDY_CACHE: cache, npm_lifecycle_event: 'start', ...env },
    })
    expect(status).toBe(1)
    return `${stdout}${stderr}`
  }
  expect(told({}, dirname(deck.file))).toMatch(
    /understudy-deck-\w+ is a folder\. Give the slides in it: .*slides\.md\n$/,
  )
  expect(told({}, deck.file, '--shaer')).toBe(
    "error: unknown option '--shaer'\n(Did you mean --share?)\nAll options: npm start -- --help\n",
  )
  // As npm passes `npm start --port 4031`, and as it is typed by who has learned half of it.
  expect(told({ npm_config_port: 'true' }, '4031')).toBe(
    'npm has kept --port for itself: options of the talk stand behind "--". Type: npm start -- --port <port>\n',
  )
  expect(told({}, '4031')).toContain('there is no such file. If that is a port: --port 4031')
})

test('options of a class that do not go together, or name what cannot be, are each told in one message', () => {
  const told = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['bin/understudy.js', 'workshop', deck.file, ...words],
      { cwd: root, encoding: 'utf8', env: { ...process.env, UNDERSTUDY_CACHE: cache } },
    )
    expect(status).toBe(1)
    return `${stdout}${stderr}`
  }
  expect(told('--at', 'https://a.example')).toContain('are for a class: say how many learners there are by --learners')
  expect(told('--learners', '0')).toContain('from 1 to 200, or their names')
  expect(told('--learners', 'Ada')).toContain('"Ada" cannot be the name of a learner')
  expect(told('--learners', '2', '--at', 'http://a.example')).toContain('Write an address with TLS and without a path')
  expect(told('--learners', '2', '--at', 'https://a.example', '--pages-at', 'https://a.example')).toContain(
    'whose first name is a star, as https://*.workshop.example',
  )
  for (const at of [[], ['--at', 'https://b.example']])
    expect(told('--learners', '2', ...at, '--pages-at', 'https://*.a.example')).toContain(
      '--pages-at goes with --at, below the same name',
    )
})

test('a port that is taken is named with its process, and nothing is started', async () => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const address = squatter.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const refused = await start({ port })
  expect((await refused.ended).status).toBe(1)
  expect(refused.output()).toMatch(
    new RegExp(
      `^Port ${port} is taken by process ${process.pid} .*End it with: kill ${process.pid}, or choose another: npm start -- --port ${port + 1}\n$`,
    ),
  )
  squatter.close()
})

test('without Nix, QEMU, git, sudo and apt the talk starts, the steps say what is missing, and the others run', async () => {
  const PATH = pathOf([
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
  const one = await window(talk)
  expect(talk.output()).toMatch(/cannot be installed from here\. As root: apt-get install .*git/)
  const status = one.statusOf('build')
  expect(status?.state).toBe('unavailable')
  expect(JSON.stringify(status)).toMatch(/The program nix is not installed\.".*"The lab /)
  await one.run('plain', 'succeeded')
  one.close()
  expect(await interrupted(talk, 'SIGINT')).toBeLessThan(3)
})

test('a user without root and sudo has the talk, and is told why the lab is not there', async () => {
  test.skip(!isRoot, 'needs root to become another user')
  mkdirSync(cache)
  for (const path of [folder, cache, dirname(deck.file), deck.file, join(dirname(deck.file), 'node_modules')])
    chownSync(path, nobody, nobody)
  chmodSync(dirname(deck.file), 0o755)
  const talk = await start({ profile: 'lab', user: nobody, env: { HOME: folder } })
  const one = await window(talk)
  expect(talk.output()).toMatch(/As root: apt-get install/)
  expect(JSON.stringify(one.statusOf('build'))).toContain('The user nobody cannot write to the Nix store')
  await one.run('plain', 'succeeded')
  one.close()
})

test('a full disk is named, and what it has left half done is not used once there is room', async () => {
  mkdirSync(cache)
  test.skip(
    !isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', cache]).status !== 0,
    'needs to mount a small disk',
  )
  try {
    for (const profile of ['lab', 'host']) {
      const full = await start({ profile })
      expect((await full.ended).status, profile).toBe(1)
      expect(full.output()).toContain('The disk is full: the cache of this user has no room left.')
    }
    execFileSync('mount', ['-o', 'remount,size=200m', cache])
    const talk = await start()
    const one = await window(talk)
    await one.run('plain', 'succeeded')
    one.close()
    expect(await interrupted(talk, 'SIGTERM')).toBeLessThan(3)
  } finally {
    for (const each of starts) {
      each.signal('SIGKILL')
      await each.ended
    }
    execFileSync('umount', [cache])
  }
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  test(`${signal} while the deck is built, and while the talk runs, ends all at once`, async () => {
    const building = await start()
    await expect
      .poll(() => processes(new RegExp(`slidev.mjs build ${deck.file}`)), { timeout: 120_000 })
      .not.toEqual([])
    // Only to the server, as a service manager or npm sends it; Ctrl-C reaches all of the group.
    if (signal === 'SIGINT') building.signal(signal)
    const before = Date.now()
    if (signal !== 'SIGINT') building.process.kill(signal)
    await building.ended
    expect((Date.now() - before) / 1000).toBeLessThan(3)
    expect(building.output()).not.toContain('Error')
    await expect.poll(() => processes(new RegExp(deck.file))).toEqual([])

    const talk = await start()
    const one = await window(talk)
    await one.run('long', 'running')
    await expect.poll(() => processes(/^sleep 36912/)).toHaveLength(1)
    expect(await interrupted(talk, signal)).toBeLessThan(3)
    expect(await processes(/^sleep 36912/)).toEqual([])
    expect((await talk.ended).status).toBe(0)
  })

test('Ctrl-C while the lab is prepared ends all of it at once, and the next start does not wait for it', async () => {
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
  // Nobody holds its lock, and there is no lab that looks finished.
  expect(spawnSync('flock', ['-n', join(cache, '.preparing'), 'true']).status).toBe(0)
  expect(readdirSync(cache).filter((name) => name.startsWith('lab'))).toEqual([])
})

for (const signal of ['SIGTERM', 'SIGHUP'] as const)
  test(`${signal} to npm alone ends the talk that it has started`, async () => {
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

test('a terminal window that is closed ends the talk and its steps', async () => {
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
  const talk = { port, output: () => output, says: async () => {} }
  const one = await window(talk as unknown as Start)
  await one.run('long', 'running')
  await expect.poll(() => processes(/^sleep 36912/)).toHaveLength(1)
  ;(terminal as pty.IPty & { destroy: () => void }).destroy()
  await expect.poll(() => processes(new RegExp(`^sleep 36912|${deck.file}`))).toEqual([])
})
