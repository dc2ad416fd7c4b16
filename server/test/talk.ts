import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { WebSocket } from 'ws'
import { readDeck } from '../deck/deck.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import { deckVersion } from '../deck/slidev.ts'
import type { ProfileRuntime } from '../environment/profile.ts'
import { type ServerMessage, serverMessage, SOCKET_PATH } from '../../shared/protocol/talk.ts'
import { type StepStatus } from '../../shared/protocol/state.ts'
import { decodeFrame } from '../../shared/protocol/frame.ts'
import { type Role } from '../../shared/roles.ts'
import type { Sharing } from '../http/front-door.ts'
import type { GuestRole } from '../http/token.ts'
import { TalkServer } from '../http/server.ts'
import { Stage } from '../steps/stage.ts'
import { prepareWorkdir, resetWorkdir } from '../environment/workdir.ts'
import { freePort } from './free-port.ts'

/** A talk as `start` opens it: front door, stage and shells are the real ones; only Slidev is left out. */
export interface ServedTalk {
  port: number
  token: string
  stage: Stage
  server: TalkServer
  /** Everything of this talk: slides.md, workdir, the registry. */
  folder: string
  /** slides.md */
  file: string
  workdir: string
  /** The built decks. */
  built: string
  /** What the server has logged. */
  log: string[]
  /** Asks for a page, with the token. */
  get: (path: string, headers?: Record<string, string>) => Promise<{ status: number; text: string }>
  /** A window that was let in, with the link of a role; `localhost` unless another name of the server is given. */
  window: (role?: 'presenter' | GuestRole, name?: string) => Promise<TestWindow>
  close: () => Promise<void>
}

/** The tokens of the other roles in every talk of the tests. */
export const GUESTS = { audience: 'c'.repeat(43), remote: 'd'.repeat(43) }

/**
 * @param slides the text of slides.md
 * @param profile what differs from a lab that is there
 * @param beforeReset happens before the workdir is made anew
 * @param share how it is shared with the network
 * @param secrets values that only who types may see
 */
export async function serveTalk(
  slides: string,
  profile: Partial<ProfileRuntime> = {},
  beforeReset: () => Promise<void> = async () => {},
  share?: Sharing,
  secrets: readonly string[] = [],
): Promise<ServedTalk> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-talk-'))
  const file = join(folder, 'slides.md')
  await writeFile(file, slides)
  const workdir = join(folder, 'cache', 'workdir')
  const flake = join(folder, 'nix')
  await prepareWorkdir(flake, workdir)
  const runtime: ProfileRuntime = { name: 'lab', env: {}, ...profile }
  const executor = new LocalExecutor({
    cwd: workdir,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    registry: new ProcessRegistry(join(folder, 'cache', 'processes')),
  })
  const read = await readDeck(file)
  const stage = new Stage({
    deck: read,
    profile: runtime,
    executor,
    secrets,
    resetWorkdir: () => beforeReset().then(() => resetWorkdir(flake, workdir)),
  })
  await stage.checkRequirements()
  const port = await freePort()
  const token = 'a'.repeat(43)
  const log: string[] = []
  const built = join(folder, 'cache', 'built')
  // As if this deck had been built before.
  const pages = join(built, await deckVersion(file, read.files))
  await mkdir(pages, { recursive: true })
  await writeFile(join(pages, 'index.html'), 'the deck')
  const server = new TalkServer({
    deck: read,
    port,
    token,
    guests: GUESTS,
    ...(share && { share }),
    stage,
    secrets,
    profile: runtime,
    built,
    log: (line) => log.push(line),
  })
  await server.build()
  await server.open()
  const windows: TestWindow[] = []
  return {
    port,
    token,
    stage,
    server,
    folder,
    file,
    workdir,
    built,
    log,
    get: (path, headers = {}) =>
      get(port, path, { host: `localhost:${port}`, cookie: `understudy-${port}=${token}`, ...headers }),
    async window(role = 'presenter', name = 'localhost') {
      const window = new TestWindow(port, role === 'presenter' ? token : GUESTS[role], role, name)
      windows.push(window)
      await window.message('hello')
      return window
    },
    async close() {
      for (const window of windows) window.socket.terminate()
      await server.close()
      await stage.end()
      await rm(folder, { recursive: true })
    },
  }
}

function get(port: number, path: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  return new Promise((done, fail) => {
    httpRequest({ host: '127.0.0.1', port, path, headers }, async (response) => {
      let text = ''
      for await (const chunk of response) text += String(chunk)
      done({ status: response.statusCode ?? 0, text })
    })
      .on('error', fail)
      .end()
  })
}

type Kind = ServerMessage['type']

/** A window as the browser has one: it keeps what it is told and acknowledges what it is shown. */
export class TestWindow {
  readonly socket: WebSocket
  readonly messages: ServerMessage[] = []
  /** How the connection ended. */
  readonly closed: Promise<{ code: number; reason: string }>
  private readonly channels = new Map<number, { terminal: string; bytes: number }>()
  private readonly texts = new Map<string, string>()

  /** @param learner who a window of the instructor looks at */
  constructor(port: number, token: string, role: Role = 'presenter', name = 'localhost', learner?: string) {
    const cookie = role === 'presenter' ? `understudy-${port}` : `understudy-${port}-${role}`
    this.socket = new WebSocket(
      `ws://${name === 'localhost' ? '127.0.0.1' : name}:${port}${SOCKET_PATH}${learner === undefined ? '' : `?learner=${learner}`}`,
      {
        headers: { host: `${name}:${port}`, origin: `http://${name}:${port}`, cookie: `${cookie}=${token}` },
      },
    )
    this.closed = new Promise((done) =>
      this.socket.on('close', (code, reason) => done({ code, reason: String(reason) })),
    )
    this.socket.on('error', () => {})
    this.socket.on('message', (data, isBinary) => {
      if (!isBinary) return this.told(serverMessage.parse(JSON.parse(String(data))))
      const { channel, output } = decodeFrame(new Uint8Array(data as Buffer))
      const entry = this.channels.get(channel)
      if (!entry) return
      entry.bytes += output.length
      this.texts.set(entry.terminal, `${this.text(entry.terminal)}${Buffer.from(output).toString('latin1')}`)
      this.send({ type: 'ack', channel, bytes: entry.bytes })
    })
  }

  private told(message: ServerMessage): void {
    this.messages.push(message)
    if (message.type !== 'snapshot') return
    for (const [channel, { terminal }] of this.channels)
      if (terminal === message.terminal) this.channels.delete(channel)
    this.channels.set(message.channel, { terminal: message.terminal, bytes: 0 })
    this.texts.set(message.terminal, message.data)
  }

  /** Anything at all: a browser that went wrong is one of the cases. */
  send(message: unknown): void {
    this.socket.send(JSON.stringify(message))
  }

  run(step: string, command: string, more: object = {}): void {
    this.send({ type: 'run', step, hash: createHash('sha256').update(command).digest('hex'), ...more })
  }

  /** Everything that a terminal has shown, with its escape sequences. */
  text(terminal: string): string {
    return this.texts.get(terminal) ?? ''
  }

  /** The first message of a kind that fits, now or later. */
  message<K extends Kind>(
    type: K,
    fits: (message: Extract<ServerMessage, { type: K }>) => boolean = () => true,
  ): Promise<Extract<ServerMessage, { type: K }>> {
    return vi.waitFor(
      () => {
        const found = this.messages.find(
          (each): each is Extract<ServerMessage, { type: K }> =>
            each.type === type && fits(each as Extract<ServerMessage, { type: K }>),
        )
        if (!found) throw new Error(`no "${type}" that fits among ${JSON.stringify(this.messages.slice(-5))}`)
        return found
      },
      { timeout: 10_000, interval: 10 },
    )
  }

  /** Waits until a step is in a state. */
  async step(id: string, state: StepStatus['state']): Promise<StepStatus> {
    return (await this.message('step', (each) => each.step === id && each.status.state === state)).status
  }

  /** Forgets what it was told, so that the next `message` is a new one. */
  forget(): void {
    this.messages.length = 0
  }

  shows(terminal: string, text: string): Promise<void> {
    return vi.waitFor(
      () => {
        if (!this.text(terminal).includes(text))
          throw new Error(
            `terminal "${terminal}" does not show ${JSON.stringify(text)}: ${JSON.stringify(this.text(terminal).slice(-500))}`,
          )
      },
      { timeout: 10_000, interval: 10 },
    )
  }
}
