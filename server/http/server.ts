import { createReadStream } from 'node:fs'
import { dirname } from 'node:path'
import { watch } from 'chokidar'
import type { WebSocket } from 'ws'
import { type Deck, readDeck } from '../deck/deck.ts'
import { DeckError, describeProblem } from '../deck/problems.ts'
import { type DeckServer, type FrontDoor, INSECURE_REMOTE, openFrontDoor, type Sharing } from './front-door.ts'
import { CAST_PATH, CLOSE, PAGE_PATH, type ServerMessage, THUMBNAIL_PATH } from '../../shared/protocol/talk.ts'
import { type DeckState, type ShareInfo } from '../../shared/protocol/state.ts'
import type { Diagnosis } from '../../shared/diagnosis.ts'
import { diagnose } from '../rehearsal/doctor.ts'
import type { DeckPaths } from '../lib/paths.ts'
import type { ProfileRuntime } from '../environment/profile.ts'
import type { Recordings } from '../recording/recordings.ts'
import type { Access } from '../../shared/roles.ts'
import { deckVersion } from '../deck/build-version.ts'
import { BuildError, buildDeck } from '../deck/slidev.ts'
import { serveBuilt } from './built-deck.ts'
import { Room } from './room.ts'
import { serveSocket } from './socket.ts'
import type { Stage } from '../steps/stage.ts'
import type { GuestRole } from './token.ts'
import { Classroom, instructorPermissions } from '../workshop/classroom.ts'
import { type StepPageId, StepPages } from './step-pages.ts'
import type { Learner } from '../workshop/learner.ts'
import type { LearnerWindows } from '../workshop/learner-windows.ts'
import { PATCH_PATH } from '../../shared/protocol/workshop.ts'

export interface ServerOptions {
  deck: Deck
  port: number
  /** The presenter's; absent: there is none. */
  token?: string
  /** The tokens of the other roles; absent: nobody but the presenter is let in. */
  guests?: Record<GuestRole, string>
  /** Absent: only this machine is served. */
  share?: Sharing
  /** Where a proxy serves it to others: see `FrontDoorOptions`. */
  at?: string
  /** `https://*.<domain>`: what that proxy calls the pages of steps. Absent: they are seen on this machine alone. */
  pagesAt?: string
  /** Of the talk, for everybody but learners. */
  stage?: Stage
  /** The learners of a workshop, each with the token of their link. */
  learners?: readonly { learner: Learner; token: string }[]
  /** Values that only who types may see. */
  secrets?: readonly string[]
  profile: ProfileRuntime
  /** Folder of built decks; unused where `develop` is given. */
  built: string
  /** Slidev's development server, for authors. */
  develop?: DeckServer
  recordings?: Recordings
  /** Where the doctor looks. */
  paths?: DeckPaths
  /** Told what happens to the deck while it is served. */
  log: (line: string) => void
}

/** Serves the deck: its pages, its terminals, and its edits. */
export class TalkServer {
  private deck: Deck
  private state: DeckState = { state: 'current' }
  private version = ''
  private folder = ''
  private door: FrontDoor | undefined
  private watcher: ReturnType<typeof watch> | undefined
  /** By the name of their learner; the talk's has none. */
  private readonly rooms = new Map<string | undefined, Room>()
  /** Where there is a presenter for the learners. */
  private classroom: Classroom | undefined
  private readonly options: ServerOptions
  private updating: Promise<void> = Promise.resolve()
  private readonly closing = new AbortController()
  private readonly pages: StepPages | undefined

  constructor(options: ServerOptions) {
    this.options = options
    this.pages =
      options.pagesAt === undefined ? undefined : new StepPages(options.pagesAt, (place) => this.pageOf(place))
    this.deck = options.deck
    const { stage, learners = [], secrets = [] } = options
    if (stage) this.rooms.set(undefined, new Room({ stage, secrets }))
    for (const { learner } of learners)
      this.rooms.set(learner.name, new Room({ stage: learner.stage, course: learner.course, secrets }))
  }

  /**
   * Opens the front door of a deck that was built.
   *
   * @returns the links that let a browser in: the presenter's, what the presenter may show to others, and those of the learners by name
   * @throws an Error that names who holds the port
   */
  async open(): Promise<{ link: string; share: ShareInfo; learners: Map<string, string> }> {
    const { port, token, guests, share, at, develop, learners = [] } = this.options
    this.door = await openFrontDoor({
      port,
      ...(token !== undefined && { token }),
      learners: learners.map(({ learner: { name }, token }) => ({ name, token })),
      ...(guests && { guests }),
      ...(share && { share }),
      ...(at !== undefined && { at }),
      ...(this.pages && { pages: this.pages }),
      deck: this.withPages(
        this.withChanges(withRecordings(develop ?? serveBuilt(() => this.folder), this.options.recordings)),
      ),
      onSocket: (socket, access) => this.onSocket(socket, access),
    })
    this.watch()
    const { origin } = this.door
    const linkOf = ({ learner: { name }, token }: { learner: Learner; token: string }) =>
      `${origin}/workshop?token=${token}`
    if (token !== undefined && learners.length > 0)
      this.classroom = new Classroom(
        this.deck,
        learners.map((each) => ({
          learner: each.learner,
          windows: learnerWindows(this.roomOf({ learner: each.learner.name })),
          link: linkOf(each),
        })),
      )
    return {
      link: token === undefined ? origin : `${origin}/?token=${token}`,
      share: this.links({ role: 'presenter' }),
      learners: new Map(learners.map((each) => [each.learner.name, linkOf(each)])),
    }
  }

  async close(): Promise<void> {
    this.closing.abort()
    this.classroom?.close()
    await this.watcher?.close()
    await this.door?.close()
    await this.updating
  }

  private onSocket(socket: WebSocket, access: Access): void {
    const { classroom } = this
    const room = this.rooms.get(access.learner)
    if (!room) return socket.close(CLOSE.goodbye, 'There is no such learner.')
    if (access.role === 'instructor')
      access.permissions = instructorPermissions(classroom?.joined(access.learner ?? '') ?? false)
    const window = serveSocket(socket, {
      room,
      access,
      classroom,
      hello: () => this.hello(access),
      diagnose: () => this.diagnose(room),
    })
    if (access.role === 'presenter' && classroom)
      socket.on('close', classroom.subscribe({ send: (message) => window.tell(message) }))
    const membership = access.learner !== undefined ? classroom?.membership(access.learner) : undefined
    if (membership) window.tell(membership)
  }

  private roomOf({ learner }: Pick<Access, 'learner'>): Room {
    const room = this.rooms.get(learner)
    if (!room) throw new Error('This link leads to no stage.')
    return room
  }

  private hello(access: Access): ServerMessage {
    const { profile } = this.options
    const { stage, course, sync } = this.roomOf(access)
    const { role, permissions, reason } = access
    return {
      type: 'hello',
      profile: profile.name,
      role,
      permissions: [...permissions],
      ...(reason !== undefined && { reason }),
      share: this.links(access),
      version: this.version,
      deck: this.state,
      steps: stage.steps(),
      terminals: stage.terminals.list(),
      sync: Object.fromEntries(sync),
      ...(course && permissions.includes('learn') && { course: course.info() }),
    }
  }

  /** The audience's link is everybody's; with the remote's others could act. */
  private links({ role }: Pick<Access, 'role'>): ShareInfo {
    const { guests, share } = this.options
    const { origin, shared } = this.door ?? {}
    return {
      ...(this.pages && { pages: true }),
      ...(shared && { lanUrl: shared, ...(guests && { audience: `${shared}/?token=${guests.audience}` }) }),
      ...(role === 'presenter' &&
        guests && {
          remote: {
            link: `${shared ?? origin}/remote?token=${guests.remote}`,
            ...(share && !share.insecureRemote && { reason: INSECURE_REMOTE }),
          },
        }),
    }
  }

  private async diagnose({ stage }: Room): Promise<Diagnosis> {
    const { profile, recordings, paths } = this.options
    if (!recordings || !paths) throw new Error('There is no doctor here.')
    return diagnose({ deck: this.deck, profile, stage, recordings, paths })
  }

  /** Where a step serves its page on this machine at the moment. */
  private pageOf({ learner, step }: StepPageId): string | undefined {
    const status = this.rooms
      .get(learner)
      ?.stage.steps()
      .find(({ id }) => id === step)?.status
    return status?.state === 'ready' && status.url?.startsWith('http://127.0.0.1') ? status.url : undefined
  }

  /** Adds the way to the pages of steps. */
  private withPages(deck: DeckServer): DeckServer {
    return {
      ...(deck.upgrade && { upgrade: deck.upgrade.bind(deck) }),
      request: (request, response, access) => {
        const { pathname } = new URL(request.url ?? '', 'http://localhost')
        if (!this.pages || !pathname.startsWith(PAGE_PATH)) return deck.request(request, response, access)
        const link = this.pages.link({ learner: access.learner, step: pathname.slice(PAGE_PATH.length) })
        if (link === undefined)
          return void response
            .writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' })
            .end('This step serves no page at the moment. Run it first.\n')
        response.writeHead(303, { Location: link, 'Cache-Control': 'no-store' }).end()
      },
    }
  }

  /** Adds the download of what a learner has changed. */
  private withChanges(deck: DeckServer): DeckServer {
    return {
      ...(deck.upgrade && { upgrade: deck.upgrade.bind(deck) }),
      request: (request, response, access) => {
        const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
        if (pathname !== PATCH_PATH) return deck.request(request, response, access)
        const { course } = this.roomOf(access)
        if (!course || !access.permissions.includes('learn'))
          return void response
            .writeHead(403, { 'Content-Type': 'text/plain' })
            .end('This link is not that of a learner.\n')
        course.changes(searchParams.get('task') ?? undefined).then(
          (patch) =>
            response
              .writeHead(200, {
                'Content-Type': 'text/x-patch; charset=utf-8',
                'Content-Disposition': 'attachment; filename="changes.patch"',
                'Cache-Control': 'no-store',
              })
              .end(patch),
          (error: unknown) =>
            response
              .writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' })
              .end(`${error instanceof Error ? error.message : String(error)}\n`),
        )
      },
    }
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
      this.folder = await buildDeck(this.deck.file, version, this.options.built, {
        workshop: (this.options.learners ?? []).length > 0,
        ...(signal && { signal }),
      })
      this.version = version
    }
  }

  private watch(): void {
    const root = dirname(this.deck.file)
    this.watcher = watch([root], {
      ignoreInitial: true,
      ignored: (path) =>
        /(^|\/)(node_modules|\.git|dist|test-results|recordings|docs|e2e|bench)(\/|$)/.test(path.slice(root.length)),
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
      if (same && this.state.state === 'current' && deck.version === this.deck.version) return
      // An edited task is on no slide.
      if (!same) this.tell({ state: 'building' })
      this.deck = deck
      await this.build(this.closing.signal)
      for (const { stage, course } of this.rooms.values()) {
        await stage.useDeck(deck)
        course?.useDeck(deck)
      }
      this.classroom?.useDeck(deck)
      this.tell({ state: 'current' })
    } catch (error) {
      if (this.closing.signal.aborted) return
      const errors =
        error instanceof DeckError
          ? error.problems.map(describeProblem)
          : [error instanceof Error ? error.message : String(error)]
      if (!(error instanceof DeckError || error instanceof BuildError)) this.options.log(String(error))
      this.tell({ state: 'broken', errors })
    }
  }

  private tell(state: DeckState): void {
    this.state = state
    if (state.state === 'broken')
      this.options.log(`The edit of the deck cannot be used; the last good one stays:\n${state.errors.join('\n')}`)
    for (const room of this.rooms.values())
      room.broadcast({
        type: 'deck',
        version: this.version,
        deck: state,
        steps: room.stage.steps(),
        terminals: room.stage.terminals.list(),
      })
  }
}

/** The windows of a room, as the class uses them. */
function learnerWindows(room: Room): LearnerWindows {
  return {
    count: () => room.count('learner'),
    broadcast: (message) => room.broadcast(message),
    setInstructorPermissions: (permissions) => room.setPermissions('instructor', permissions),
    onChange: (listener) => room.onWindows(listener),
  }
}

/** Milliseconds without another change before an edit is taken: editors write in several steps. */
const SETTLE = 150

/** Adds the recordings, and the pictures of the pages that steps have served. */
function withRecordings(deck: DeckServer, recordings: Recordings | undefined): DeckServer {
  const kinds = [
    {
      path: THUMBNAIL_PATH,
      ending: '.png',
      type: 'image/png',
      find: (step: string) => recordings?.thumbnailFile(step),
    },
    {
      path: CAST_PATH,
      ending: '.cast',
      type: 'application/x-asciicast',
      find: (step: string) => recordings?.castFile(step),
    },
  ]
  return {
    ...(deck.upgrade && { upgrade: deck.upgrade.bind(deck) }),
    request(request, response, access) {
      const { pathname } = new URL(request.url ?? '', 'http://localhost')
      const kind = kinds.find(({ path }) => pathname.startsWith(path))
      if (!kind) return deck.request(request, response, access)
      // Only steps of the deck have one: no path of a request reaches the disk.
      const file = pathname.endsWith(kind.ending)
        ? kind.find(pathname.slice(kind.path.length, -kind.ending.length))
        : undefined
      const stream = file === undefined ? undefined : createReadStream(file)
      if (!stream)
        return void response.writeHead(404, { 'Content-Type': 'text/plain' }).end('There is no such recording.\n')
      stream.once('open', () => response.writeHead(200, { 'Content-Type': kind.type, 'Cache-Control': 'no-cache' }))
      stream.once('error', () => (response.headersSent ? response.destroy() : response.writeHead(404).end()))
      stream.pipe(response)
    },
  }
}
