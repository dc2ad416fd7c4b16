import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { vi } from 'vitest'
import { WebSocket } from 'ws'
import { readDeck } from '../deck/deck.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import { deckVersion } from '../deck/build-version.ts'
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
import { fetchFrom } from './requests.ts'

/** A talk as `start` serves it, with a real front door, stage and shells. Only the deck's pages are a stub. */
export interface ServedTalk {
  port: number
  token: string
  stage: Stage
  server: TalkServer
  /** Contains all files of this talk: slides.md, the workdir, the process registry. */
  folder: string
  /** Path of slides.md. */
  file: string
  workdir: string
  /** Folder of the built decks. */
  built: string
  /** The lines that the server has logged. */
  log: string[]
  /** Requests a page with the presenter's token. */
  get: (path: string, headers?: Record<string, string>) => Promise<{ status: number; text: string }>
  /** Opens a window with the token of a role, through a host name of the server (default: `localhost`). */
  window: (role?: 'presenter' | GuestRole, hostName?: string) => Promise<TestWindow>
  close: () => Promise<void>
}

/** The tokens of the other roles, the same in all tests. */
export const GUESTS = { audience: 'c'.repeat(43), remote: 'd'.repeat(43) }

/**
 * Serves a talk on a free port.
 *
 * @param slides text of slides.md
 * @param profile differences from an available lab
 * @param beforeReset awaited before the workdir is reset
 * @param share how the talk is shared with the network
 * @param secrets values that are redacted for roles that may not type
 */
export async function serveTalk(
  slides: string,
  profile: Partial<ProfileRuntime> = {},
  beforeReset: () => Promise<void> = async () => {},
  share?: Sharing,
  secrets: readonly string[] = [],
): Promise<ServedTalk> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-talk-'))
  // The deck has its own folder, because any file beside its slides may be part of the build.
  const file = join(folder, 'deck', 'slides.md')
  await mkdir(dirname(file))
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
  const deck = await readDeck(file)
  const stage = new Stage({
    deck,
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
  // The server finds this build by its version and does not build the deck.
  const pages = join(built, await deckVersion(file, deck.files))
  await mkdir(pages, { recursive: true })
  await writeFile(join(pages, 'index.html'), 'the deck')
  const server = new TalkServer({
    deck,
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
    get: (path, headers = {}) => fetchFrom(port, path, { cookie: `understudy-${port}=${token}`, ...headers }),
    async window(role = 'presenter', hostName = 'localhost') {
      const window = new TestWindow(port, role === 'presenter' ? token : GUESTS[role], role, hostName)
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

type MessageType = ServerMessage['type']

/** A window as the browser opens it: stores all messages, and acknowledges the output of terminals. */
export class TestWindow {
  readonly socket: WebSocket
  readonly messages: ServerMessage[] = []
  /** Resolves when the connection has been closed. */
  readonly closed: Promise<{ code: number; reason: string }>
  private readonly channels = new Map<number, { terminal: string; bytes: number }>()
  /** The output of each terminal, by name. Output is decoded as Latin-1, so that no byte is lost. */
  private readonly texts = new Map<string, string>()

  /** @param learner for a window of the instructor: the learner whose workshop it shows */
  constructor(port: number, token: string, role: Role = 'presenter', hostName = 'localhost', learner?: string) {
    const cookie = role === 'presenter' ? `understudy-${port}` : `understudy-${port}-${role}`
    this.socket = new WebSocket(
      `ws://${hostName === 'localhost' ? '127.0.0.1' : hostName}:${port}${SOCKET_PATH}${learner === undefined ? '' : `?learner=${learner}`}`,
      {
        headers: { host: `${hostName}:${port}`, origin: `http://${hostName}:${port}`, cookie: `${cookie}=${token}` },
      },
    )
    this.closed = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
    )
    this.socket.on('error', () => {})
    this.socket.on('message', (data, isBinary) => {
      if (!isBinary) return this.receive(serverMessage.parse(JSON.parse(String(data))))
      const { channel, output } = decodeFrame(new Uint8Array(data as Buffer))
      const entry = this.channels.get(channel)
      if (!entry) return
      entry.bytes += output.length
      this.texts.set(entry.terminal, `${this.text(entry.terminal)}${Buffer.from(output).toString('latin1')}`)
      this.send({ type: 'ack', channel, bytes: entry.bytes })
    })
  }

  private receive(message: ServerMessage): void {
    this.messages.push(message)
    if (message.type !== 'snapshot') return
    for (const [channel, { terminal }] of this.channels)
      if (terminal === message.terminal) this.channels.delete(channel)
    this.channels.set(message.channel, { terminal: message.terminal, bytes: 0 })
    this.texts.set(message.terminal, message.data)
  }

  /** Sends a message, which may be invalid to test the server. */
  send(message: unknown): void {
    this.socket.send(JSON.stringify(message))
  }

  /** Requests a run of a step. @param command the command as the slide shows it */
  run(step: string, command: string, fields: object = {}): void {
    this.send({ type: 'run', step, hash: createHash('sha256').update(command).digest('hex'), ...fields })
  }

  /** The output of a terminal, including escape sequences. */
  text(terminal: string): string {
    return this.texts.get(terminal) ?? ''
  }

  /** Waits for a message that matches a predicate. @returns the first one, which may have arrived before the call */
  message<K extends MessageType>(
    type: K,
    matches: (message: Extract<ServerMessage, { type: K }>) => boolean = () => true,
  ): Promise<Extract<ServerMessage, { type: K }>> {
    return vi.waitFor(
      () => {
        const found = this.messages.find(
          (each): each is Extract<ServerMessage, { type: K }> =>
            each.type === type && matches(each as Extract<ServerMessage, { type: K }>),
        )
        if (!found)
          throw new Error(`no matching "${type}" message; the last ones are ${JSON.stringify(this.messages.slice(-5))}`)
        return found
      },
      { timeout: 10_000, interval: 10 },
    )
  }

  /** Waits for a message that a step has reached a state. */
  async step(id: string, state: StepStatus['state']): Promise<StepStatus> {
    return (await this.message('step', (each) => each.step === id && each.status.state === state)).status
  }

  /** Removes all stored messages, so that `message` waits for a new one. */
  forget(): void {
    this.messages.length = 0
  }

  /** Waits until a terminal has shown a text. */
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
