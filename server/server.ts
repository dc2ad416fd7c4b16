import { createReadStream } from 'node:fs'
import { dirname } from 'node:path'
import { watch } from 'chokidar'
import { WebSocket } from 'ws'
import { type Deck, DeckError, readDeck } from './deck/deck.ts'
import { type DeckServer, type FrontDoor, INSECURE_REMOTE, openFrontDoor, type Sharing } from './front-door.ts'
import { CAST_PATH, type DeckState, type ServerMessage, type ShareInfo, STILL_PATH } from './protocol.ts'
import type { Diagnosis } from './diagnosis.ts'
import { examine } from './doctor.ts'
import type { DeckPaths } from './paths.ts'
import type { ProfileRuntime } from './profile.ts'
import { masked } from './recording/mask.ts'
import type { Recordings } from './recording/recordings.ts'
import type { Access } from './roles.ts'
import { BuildError, buildDeck, deckVersion, serveBuilt } from './slidev.ts'
import { serveSocket } from './socket.ts'
import { RefusedError, type Stage } from './stage.ts'
import type { GuestRole } from './token.ts'

export interface ServerOptions {
  deck: Deck
  port: number
  /** The presenter's. */
  token: string
  /** The tokens of the other roles; absent: nobody but the presenter is let in. */
  guests?: Record<GuestRole, string>
  /** Absent: only this machine is served. */
  share?: Sharing
  stage: Stage
  /** Values that only who types may see. */
  secrets?: readonly string[]
  profile: ProfileRuntime
  /** Folder of built decks; unused where `develop` is given. */
  built: string
  /** Build the learner's page into the deck. */
  workshop?: boolean
  /** Slidev's development server, for authors. */
  develop?: DeckServer
  recordings?: Recordings
  /** Where the doctor looks. */
  paths?: DeckPaths
  /** Told what happens to the deck while it is served. */
  log(line: string): void
}

/** Serves the deck: its pages, its terminals, and its edits. */
export class TalkServer {
  private deck: Deck
  private state: DeckState = { state: 'current' }
  private version = ''
  private folder = ''
  private door: FrontDoor | undefined
  private watcher: ReturnType<typeof watch> | undefined
  private readonly windows = new Map<WebSocket, Access>()
  /** The window of the presenter that has told last where it is. */
  private leading: WebSocket | undefined
  private readonly sync = new Map<string, Record<string, unknown>>()
  private readonly options: ServerOptions
  private updating: Promise<void> = Promise.resolve()
  private readonly closing = new AbortController()

  constructor(options: ServerOptions) {
    this.options = options
    this.deck = options.deck
    const { stage } = options
    stage.on('step', (step, status) => this.broadcast({ type: 'step', step, status }))
    stage.on('replay', (terminal, replay) => this.broadcast({ type: 'replay', terminal, ...(replay && { replay }) }))
    stage.on('terminal', (terminal, state) => this.broadcast({ type: 'terminal', terminal, state }))
  }

  /**
   * Opens the front door of a deck that was built.
   *
   * @returns the links that let a browser in: the presenter's, and what the presenter may show to others
   * @throws an Error that names who holds the port
   */
  async open(): Promise<{ link: string; share: ShareInfo }> {
    const { port, token, guests, share, develop, stage } = this.options
    this.door = await openFrontDoor({
      port,
      token,
      ...(guests && { guests }),
      ...(share && { share }),
      deck: withRecordings(develop ?? serveBuilt(() => this.folder), this.options.recordings),
      onSocket: (socket, access) => {
        this.windows.set(socket, access)
        socket.on('close', () => this.windows.delete(socket))
        serveSocket(socket, { stage, access, encode: (message) => this.encode(message), hello: () => this.hello(access), examine: () => this.examine(), onSync: (from, channel, state) => this.onSync(from, access, channel, state), onTurn: (by) => this.onTurn(by) })
      },
    })
    this.watch()
    return { link: `${this.door.origin}/?token=${token}`, share: this.links({ role: 'presenter' }) }
  }

  async close(): Promise<void> {
    this.closing.abort()
    await this.watcher?.close()
    await this.door?.close()
    await this.updating
  }

  private hello(access: Access): ServerMessage {
    const { stage, profile } = this.options
    const { role, rights, because } = access
    return { type: 'hello', profile: profile.name, role, rights: [...rights], ...(because !== undefined && { because }), share: this.links(access), version: this.version, deck: this.state, steps: stage.steps(), terminals: stage.terminals(), sync: Object.fromEntries(this.sync) }
  }

  /** The audience's link is everybody's; with the remote's others could act. */
  private links({ role }: Pick<Access, 'role'>): ShareInfo {
    const { guests, share } = this.options
    const { origin, shared } = this.door ?? {}
    return {
      ...(shared && { beyond: shared, ...(guests && { audience: `${shared}/?token=${guests.audience}` }) }),
      ...(role === 'presenter' && guests && { remote: { link: `${shared ?? origin}/remote?token=${guests.remote}`, ...(share && !share.insecureRemote && { because: INSECURE_REMOTE }) } }),
    }
  }

  private async examine(): Promise<Diagnosis> {
    const { stage, profile, recordings, paths } = this.options
    if (!recordings || !paths) throw new Error('There is no doctor here.')
    return examine({ deck: this.deck, profile, stage, recordings, paths })
  }

  private onSync(from: WebSocket, { role }: Access, channel: string, state: Record<string, unknown>): void {
    // Slidev has a handful of channels; a page that invents more is not ours.
    if (!this.sync.has(channel) && this.sync.size >= 16) return
    this.sync.set(channel, state)
    if (role === 'presenter') this.leading = from
    this.broadcast({ type: 'sync', channel, state }, from)
  }

  /** One window turns the slides, and all others follow it: were all to turn, they would do so twice. */
  private onTurn(by: 1 | -1): void {
    if (this.leading?.readyState !== WebSocket.OPEN) this.leading = undefined
    if (!this.leading) throw new RefusedError('failed', "No window of the presenter's is open. Open the slides on the presenter's machine.")
    this.leading.send(JSON.stringify({ type: 'turn', by } satisfies ServerMessage))
  }

  private broadcast(message: ServerMessage, except?: WebSocket): void {
    const text = this.encode(message)
    for (const window of this.windows.keys()) if (window !== except && window.readyState === window.OPEN) window.send(text)
  }

  /** A message as it may be shown on a slide: what went wrong may quote the output of a script. */
  private encode(message: ServerMessage): string {
    const { secrets = [] } = this.options
    if (secrets.length === 0) return JSON.stringify(message)
    const hide = (value: unknown): unknown => (typeof value === 'string' ? masked(value, secrets) : Array.isArray(value) ? value.map(hide) : value)
    return JSON.stringify(message, (key, value: unknown) => (QUOTING.has(key) ? hide(value) : value))
  }

  /**
   * Builds the deck, unless this version was built before.
   *
   * @throws BuildError
   */
  async build(signal?: AbortSignal): Promise<void> {
    const version = await deckVersion(this.deck.file, this.deck.files)
    // Authors see every edit by Slidev's own live reload; only the steps are the server's.
    if (this.options.develop) this.version = 'development'
    else {
      this.folder = await buildDeck(this.deck.file, version, this.options.built, { ...(this.options.workshop && { workshop: true }), ...(signal && { signal }) })
      this.version = version
    }
  }

  private watch(): void {
    const root = dirname(this.deck.file)
    this.watcher = watch([root], {
      ignoreInitial: true,
      ignored: (path) => /(^|\/)(node_modules|\.git|dist|test-results|recordings|docs|e2e|bench)(\/|$)/.test(path.slice(root.length)),
      awaitWriteFinish: { stabilityThreshold: 100, pollInterval: 25 },
    })
    let timer: NodeJS.Timeout | undefined
    this.watcher.on('all', () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        this.updating = this.updating.then(() => this.update())
      }, SETTLE)
    })
  }

  /** Takes an edit of the deck. A broken one changes nothing but the banner: the last good deck stays on the stage. */
  private async update(): Promise<void> {
    try {
      const deck = await readDeck(this.deck.file)
      const same = (await deckVersion(deck.file, deck.files)) === this.version
      if (same && this.state.state === 'current') return
      this.tell({ state: 'building' })
      this.deck = deck
      await this.build(this.closing.signal)
      await this.options.stage.useDeck(deck)
      this.tell({ state: 'current' })
    } catch (error) {
      if (this.closing.signal.aborted) return
      const errors = error instanceof DeckError ? error.problems : [error instanceof Error ? error.message : String(error)]
      if (!(error instanceof DeckError || error instanceof BuildError)) this.options.log(String(error))
      this.tell({ state: 'broken', errors })
    }
  }

  private tell(state: DeckState): void {
    this.state = state
    if (state.state === 'broken') this.options.log(`The edit of the deck cannot be used; the last good one stays:\n${state.errors.join('\n')}`)
    const { stage } = this.options
    this.broadcast({ type: 'deck', version: this.version, deck: state, steps: stage.steps(), terminals: stage.terminals() })
  }
}

/** The fields of messages that quote what programs say. */
const QUOTING = new Set(['problems', 'reasons', 'reason', 'because', 'message'])

/** Milliseconds without another change before an edit is taken: editors write in several steps. */
const SETTLE = 150

/** Adds the recordings, and the pictures of the pages that steps have served. */
function withRecordings(deck: DeckServer, recordings: Recordings | undefined): DeckServer {
  const kinds = [
    { path: STILL_PATH, ending: '.png', type: 'image/png', find: (step: string) => recordings?.still(step) },
    { path: CAST_PATH, ending: '.cast', type: 'application/x-asciicast', find: (step: string) => recordings?.cast(step) },
  ]
  return {
    ...(deck.upgrade && { upgrade: deck.upgrade.bind(deck) }),
    request(request, response) {
      const { pathname } = new URL(request.url ?? '', 'http://localhost')
      const kind = kinds.find(({ path }) => pathname.startsWith(path))
      if (!kind) return deck.request(request, response)
      // Only steps of the deck have one: no path of a request reaches the disk.
      const file = pathname.endsWith(kind.ending) ? kind.find(pathname.slice(kind.path.length, -kind.ending.length)) : undefined
      const stream = file === undefined ? undefined : createReadStream(file)
      if (!stream) return void response.writeHead(404, { 'Content-Type': 'text/plain' }).end('There is no such recording.\n')
      stream.once('open', () => response.writeHead(200, { 'Content-Type': kind.type, 'Cache-Control': 'no-cache' }))
      stream.once('error', () => (response.headersSent ? response.destroy() : response.writeHead(404).end()))
      stream.pipe(response)
    },
  }
}
