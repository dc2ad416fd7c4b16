import { commandLine, commandLines } from '../../shared/command-line.ts'
import { dirname } from 'node:path'
import { watch } from 'chokidar'
import type { WebSocket } from 'ws'
import { type Deck, readDeck } from '../deck/deck.ts'
import { DeckError, newProblems } from '../deck/problems.ts'
import { type DeckProblem, describeDeckProblem } from '../../shared/failures/deck-problem.ts'
import { type DeckServer, type FrontDoor, INSECURE_REMOTE, openFrontDoor, type Sharing } from './front-door.ts'
import { CLOSE, type ServerMessage } from '../../shared/protocol/talk.ts'
import { type DeckState, type ShareInfo } from '../../shared/protocol/state.ts'
import type { Diagnosis } from '../../shared/diagnosis.ts'
import { checkDeck } from '../rehearsal/check-deck.ts'
import { diagnose } from '../rehearsal/doctor.ts'
import type { DeckPaths } from '../lib/paths.ts'
import type { ProfileRuntime } from '../environment/profile.ts'
import type { Recordings } from '../recording/recordings.ts'
import type { Access, Role } from '../../shared/roles.ts'
import { deckVersion } from '../deck/build-version.ts'
import { buildDeck } from '../deck/build.ts'
import { BuildError } from '../deck/build-errors.ts'
import { SlidevError } from '../deck/slidev.ts'
import type { StepListFile } from '../deck/step-list.ts'
import { serveBuilt } from './built-deck.ts'
import { Room } from './room.ts'
import { changesRoute, recordingRoute, stepPageRoute, thumbnailRoute, withRoutes } from './routes.ts'
import { serveSocket } from './socket.ts'
import type { Stage } from '../steps/stage.ts'
import type { GuestRole } from './token.ts'
import { Classroom, instructorPermissions } from '../workshop/classroom.ts'
import { type StepPageId, StepPages } from './step-pages.ts'
import type { Learner } from '../workshop/learner.ts'
import type { LearnerWindows } from '../workshop/learner-windows.ts'

export interface ServerOptions {
  deck: Deck
  port: number
  /** The presenter's token; absent if there is no presenter. */
  token?: string
  /** The tokens of the guests; absent if there are none. */
  guests?: Record<GuestRole, string>
  /** Absent if only this machine is served. */
  share?: Sharing
  /** `https://<host>`: the public URL of a reverse proxy with TLS on this machine. */
  publicUrl?: string
  /** `https://*.<domain>`: that proxy's URL for the pages of steps. If absent, only this machine can open them. */
  pageUrl?: string
  /** The stage of everyone who is not a learner. */
  stage?: Stage
  /** The learners of a workshop, each with the token of their link. */
  learners?: readonly { learner: Learner; token: string }[]
  /** Values that are redacted for windows that may not type. */
  secrets?: readonly string[]
  profile: ProfileRuntime
  /** Folder of built decks; unused with `develop`. */
  built: string
  /** Slidev's development server, which replaces the built deck. */
  develop?: DeckServer
  /** The list with which the development server compares the steps of its pages. */
  stepList?: StepListFile
  /** Without recordings and paths, there is no doctor. */
  recordings?: Recordings
  paths?: DeckPaths
  /** Receives messages for the terminal of the user who started the server. */
  log: (line: string) => void
}

/** The links of a server. Whoever opens one has the permissions of its role. */
export interface ServerLinks {
  /** The presenter's link; the server's origin if there is no presenter. */
  link: string
  /** What the presenter may show to others. */
  share: ShareInfo
  /** The learners' links, by name. */
  learners: Map<string, string>
}

/** How long a deck's files must stay unchanged before it is read again: editors save in several steps. */
const SETTLE_MS = 150

/** Folders beside the deck that are not part of it. */
const IGNORED_FOLDERS = /(^|\/)(node_modules|\.git|dist|test-results|recordings|docs|e2e|bench)(\/|$)/

/** Serves a deck and its terminals, and updates both when the deck is edited. */
export class TalkServer {
  private readonly options: ServerOptions
  /** The rooms of the learners, by name; the talk's own room has the key undefined. */
  private readonly rooms = new Map<string | undefined, Room>()
  private readonly stepPages: StepPages | undefined
  private readonly closing = new AbortController()
  /** The last valid deck. */
  private deck: Deck
  /** All problems of the deck's files; undefined unless the deck is being developed. */
  private problems: readonly DeckProblem[] | undefined
  private deckState: DeckState = { state: 'current' }
  /** The errors of the deck that were logged last; undefined if it is valid. */
  private reportedErrors: string | undefined
  /** Identifies the build that is served. */
  private version = ''
  /** Folder of that build. */
  private folder = ''
  private frontDoor: FrontDoor | undefined
  /** The class, if there are learners and a presenter. */
  private classroom: Classroom | undefined
  private watcher: ReturnType<typeof watch> | undefined
  /** Ends with the last update. Updates run one after the other. */
  private updates: Promise<void> = Promise.resolve()

  constructor(options: ServerOptions) {
    const { deck, pageUrl, stage, learners = [], secrets = [] } = options
    this.options = options
    this.deck = deck
    if (pageUrl !== undefined) this.stepPages = new StepPages(pageUrl, (page) => this.findStepPage(page))
    if (stage) this.rooms.set(undefined, new Room({ stage, secrets }))
    for (const { learner } of learners)
      this.rooms.set(learner.name, new Room({ stage: learner.stage, course: learner.course, secrets }))
  }

  /**
   * Opens the port and watches the deck. Call `build` first.
   *
   * @throws an Error that names the process that has the port
   */
  async open(): Promise<ServerLinks> {
    const { port, token, guests, share, publicUrl, develop, recordings, learners = [] } = this.options
    const deck = develop ?? serveBuilt(() => this.folder)
    this.frontDoor = await openFrontDoor({
      port,
      ...(token !== undefined && { token }),
      learners: learners.map(({ learner: { name }, token }) => ({ name, token })),
      ...(guests && { guests }),
      ...(share && { share }),
      ...(publicUrl !== undefined && { publicUrl }),
      ...(this.stepPages && { pages: this.stepPages }),
      deck: withRoutes(deck, [
        stepPageRoute(this.stepPages),
        changesRoute((learner) => this.rooms.get(learner)?.course),
        thumbnailRoute(recordings),
        recordingRoute(recordings),
      ]),
      onSocket: (socket, access) => this.onSocket(socket, access),
    })
    this.watch()

    const { origin } = this.frontDoor
    const linksByLearner = new Map(
      learners.map(({ learner: { name }, token }) => [name, `${origin}/workshop?token=${token}`]),
    )
    if (token !== undefined && learners.length > 0)
      this.classroom = new Classroom(
        this.deck,
        learners.map(({ learner }) => ({
          learner,
          windows: learnerWindows(this.roomOf(learner.name)),
          link: linksByLearner.get(learner.name) ?? '',
        })),
      )
    return {
      link: token === undefined ? origin : `${origin}/?token=${token}`,
      share: this.shareInfo('presenter'),
      learners: linksByLearner,
    }
  }

  async close(): Promise<void> {
    this.closing.abort()
    this.classroom?.close()
    await this.watcher?.close()
    await this.frontDoor?.close()
    await this.updates
  }

  /**
   * Builds the deck, unless its current version is already built.
   *
   * @throws BuildError
   */
  async build(signal?: AbortSignal): Promise<void> {
    // Slidev's live reload shows every edit of the slides.
    if (this.options.develop) {
      this.version = 'development'
      await this.options.stepList?.write(this.deck.slides)
      this.problems ??= await checkDeck(this.deck.file)
    } else {
      const { version, folder } = await buildDeck(this.deck, this.options.built, {
        workshop: this.isWorkshop,
        ...(signal && { signal }),
      })
      this.folder = folder
      this.version = version
    }
  }

  private get isWorkshop(): boolean {
    return (this.options.learners ?? []).length > 0
  }

  private onSocket(socket: WebSocket, access: Access): void {
    const { classroom } = this
    const room = this.rooms.get(access.learner)
    if (!room) return socket.close(CLOSE.goodbye, 'There is no such learner. Choose one on the class page.')
    if (access.role === 'instructor')
      access.permissions = instructorPermissions(classroom?.joined(access.learner ?? '') ?? false)
    const window = serveSocket(socket, {
      room,
      access,
      classroom,
      hello: () => this.hello(room, access),
      diagnose: () => this.diagnose(room),
    })
    if (access.role === 'presenter' && classroom)
      socket.on('close', classroom.subscribe({ send: (message) => window.tell(message) }))
    const membership = access.learner !== undefined ? classroom?.membership(access.learner) : undefined
    if (membership) window.tell(membership)
  }

  private hello({ stage, course, sync }: Room, { role, permissions, reason }: Access): ServerMessage {
    return {
      type: 'hello',
      profile: this.options.profile.name,
      role,
      permissions: [...permissions],
      ...(reason !== undefined && { reason }),
      share: this.shareInfo(role),
      commands: commandLines(),
      version: this.version,
      deck: this.deckState,
      steps: stage.steps(),
      terminals: stage.terminals.list(),
      sync: Object.fromEntries(sync),
      ...(course && permissions.includes('learn') && { course: course.info() }),
      ...(this.problems && { problems: [...this.problems] }),
    }
  }

  /**
   * Every window may show the audience's link. Only the presenter receives the remote's, which gives permission to run
   * steps.
   */
  private shareInfo(role: Role): ShareInfo {
    const { guests, share } = this.options
    const { origin, lanUrl } = this.frontDoor ?? {}
    return {
      ...(this.stepPages && { pages: true }),
      ...(lanUrl && { lanUrl, ...(guests && { audience: `${lanUrl}/?token=${guests.audience}` }) }),
      ...(role === 'presenter' &&
        guests && {
          remote: {
            link: `${lanUrl ?? origin}/remote?token=${guests.remote}`,
            ...(share && !share.insecureRemote && { reason: INSECURE_REMOTE }),
          },
        }),
    }
  }

  private async diagnose({ stage }: Room): Promise<Diagnosis> {
    const { profile, recordings, paths } = this.options
    if (!recordings || !paths)
      throw new Error(`The doctor is not available on this server. Run: ${commandLine('doctor')}`)
    return diagnose({ deck: this.deck, profile, stage, recordings, paths })
  }

  private roomOf(learner: string): Room {
    const room = this.rooms.get(learner)
    if (!room) throw new Error(`Learner "${learner}" has no room.`)
    return room
  }

  /** The URL at which a step serves its page on this machine; undefined if it does not serve one now. */
  private findStepPage({ learner, step }: StepPageId): string | undefined {
    const steps = this.rooms.get(learner)?.stage.steps() ?? []
    const status = steps.find(({ id }) => id === step)?.status
    return status?.state === 'ready' && status.url?.startsWith('http://127.0.0.1') ? status.url : undefined
  }

  private watch(): void {
    const root = dirname(this.deck.file)
    this.watcher = watch([root], {
      ignoreInitial: true,
      ignored: (path) => IGNORED_FOLDERS.test(path.slice(root.length)),
      awaitWriteFinish: { stabilityThreshold: 100, pollInterval: 25 },
    })
    let timer: NodeJS.Timeout | undefined
    this.watcher.on('all', () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        this.updates = this.updates.then(() => this.update()).then(() => this.updateProblems())
      }, SETTLE_MS)
    })
  }

  /**
   * Applies an edit of the deck. If the edited deck is invalid, windows show why, and the last valid one is still
   * served.
   */
  private async update(): Promise<void> {
    try {
      const deck = await readDeck(this.deck.file)
      for (const warning of newProblems(deck.warnings, this.deck.warnings))
        this.options.log(`Warning: ${describeDeckProblem(warning)}`)
      const isBuilt = (await deckVersion(deck.file, deck.files, this.isWorkshop ? 'workshop' : 'talk')) === this.version
      if (isBuilt && this.deckState.state === 'current' && deck.version === this.deck.version) return
      // An edited task changes the deck but not its build.
      if (!isBuilt) this.publish({ state: 'building' })
      this.deck = deck
      await this.build(this.closing.signal)
      for (const { stage, course } of this.rooms.values()) {
        await stage.useDeck(deck)
        course?.useDeck(deck)
      }
      this.classroom?.useDeck(deck)
      this.publish({ state: 'current' })
    } catch (error) {
      if (this.closing.signal.aborted) return
      await this.options.stepList?.write(undefined)
      const errors =
        error instanceof DeckError
          ? error.problems.map(describeDeckProblem)
          : [error instanceof Error ? error.message : String(error)]
      if (!(error instanceof DeckError || error instanceof BuildError)) this.options.log(String(error))
      this.publish({ state: 'broken', errors })
    }
  }

  /** During development: finds the problems of the edited deck, and sends them to all windows. */
  private async updateProblems(): Promise<void> {
    if (!this.problems || this.closing.signal.aborted) return
    try {
      this.problems = await checkDeck(this.deck.file)
    } catch (error) {
      // The installation of Slidev may be incomplete while npm changes it.
      if (!(error instanceof SlidevError)) this.options.log(String(error))
      return
    }
    for (const room of this.rooms.values()) room.broadcast({ type: 'deck-problems', problems: [...this.problems] })
  }

  /** Sends the state of the deck to all windows. */
  private publish(deckState: DeckState): void {
    this.deckState = deckState
    if (deckState.state === 'broken') this.reportErrors(deckState.errors.join('\n'))
    else if (deckState.state === 'current') this.reportErrors(undefined)
    for (const room of this.rooms.values())
      room.broadcast({
        type: 'deck',
        version: this.version,
        deck: deckState,
        steps: room.stage.steps(),
        terminals: room.stage.terminals.list(),
      })
  }

  /** Logs the errors of the deck once, however often it is saved with them, and when it is fixed. */
  private reportErrors(errors: string | undefined): void {
    if (errors === this.reportedErrors) return
    this.reportedErrors = errors
    this.options.log(
      errors === undefined
        ? 'Fixed: the edited deck is valid and served.'
        : `The edited deck is invalid; the last valid version is still served. Fix the deck:\n${errors}`,
    )
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
