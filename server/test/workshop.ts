import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { vi } from 'vitest'
import { readDeck } from '../deck/deck.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { LocalExecutor } from '../executor/local.ts'
import { hostProfile } from '../environment/profile.ts'
import type { ServerMessage } from '../../shared/protocol/talk.ts'
import { TalkServer } from '../http/server.ts'
import { deckVersion } from '../deck/build-version.ts'
import { Stage } from '../steps/stage.ts'
import { Learner, workspaceIn } from '../workshop/learner.ts'
import type { TaskLine, TaskProgress } from '../../shared/protocol/workshop.ts'
import { freePort } from './free-port.ts'
import { TestWindow } from './talk.ts'

/** A small deck: two tasks, and a flake with two files. */
export const FILES = {
  'slides.md': `---
title: A small workshop
---

# Welcome

\`\`\`sh {step=show}
cat service.nix
\`\`\`

---
task: port
---

# Another port

---
task: header
---

# A header
`,
  'nix/service.nix': '{\n  port = 80;\n}\n',
  'nix/docs/read me.txt': 'Grüezi\n',
  'tasks/port/task.md':
    '---\ntitle: Another port\nteaches: What an option is\nfiles: [service.nix]\ntimeout: 20s\n---\nMake the service listen on **8081**.\n',
  'tasks/port/setup': `sed -i 's/port = .*/port = 8080;/' service.nix
echo 'LOOK: service.nix now listens on 8080'
`,
  'tasks/port/check': `echo 'LOOK: the port in service.nix'
if [ -e slow ]; then echo "slow: $(cat service.nix | grep port)"; sleep 30; fi
port=$(sed -n 's/.*port = \\(.*\\);/\\1/p' service.nix)
if [ "$port" = 8081 ]; then echo "OK: The port is 8081, in the profile $TASK_PROFILE"; exit 0; fi
echo "FAIL: The port is $port, not 8081."
exit 1
`,
  'tasks/port/solve': `grep -q 'port = ' service.nix || { echo 'service.nix has no port' >&2; exit 1; }
sed -i 's/port = .*/port = 8081;/' service.nix
`,
  'tasks/port/hints/1.md': 'Open `service.nix`.\n',
  'tasks/port/hints/2.md': 'Change the number.\n',
  'tasks/header/task.md':
    '---\ntitle: A header\nteaches: How a file is added\ndepends: [port]\n---\nAdd `headers/csp.txt`.\n',
  'tasks/header/setup': 'rm -rf headers\n',
  'tasks/header/check': '[ -s headers/csp.txt ]\n',
  'tasks/header/solve': 'mkdir -p headers\necho "default-src self" > headers/csp.txt\n',
  'tasks/header/reset': 'touch was-reset\n',
  'tasks/header/hints/1.md': 'Create the folder first.\n',
} satisfies Record<string, string>

/** A workshop for one learner, with a real folder, Git and Bash. */
export class TestWorkshop {
  learner!: Learner
  readonly messages: ServerMessage[] = []
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** @param files to add to `FILES` or replace; undefined removes a file */
  static async create(
    files: Record<string, string | undefined> = {},
    options: { sequential?: boolean; name?: string } = {},
  ): Promise<TestWorkshop> {
    const workshop = new TestWorkshop(await mkdtemp(join(tmpdir(), 'understudy-workshop-')))
    for (const [name, text] of Object.entries<string | undefined>({ ...FILES, ...files }))
      if (text !== undefined) await workshop.write(name, text)
    await workshop.open(options)
    return workshop
  }

  async open({ sequential = false, name = 'me' } = {}): Promise<void> {
    const folder = join(this.folder, 'learner')
    const executor = new LocalExecutor({
      cwd: workspaceIn(folder),
      env: { PATH: process.env.PATH ?? '', HOME: this.folder, TMPDIR: this.folder },
      registry: new ProcessRegistry(join(this.folder, 'processes')),
    })
    this.learner = await Learner.open({
      name,
      folder,
      deck: await readDeck(join(this.folder, 'slides.md')),
      flake: join(this.folder, 'nix'),
      profile: hostProfile(),
      executor,
      sequential,
    })
    this.learner.course.on('message', (message) => this.messages.push(message))
  }

  /** Closes and opens the workshop again. */
  async restart(): Promise<void> {
    await this.learner.close()
    this.messages.length = 0
    await this.open()
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, name)), { recursive: true })
    await writeFile(join(this.folder, name), text)
  }

  /** @returns the absolute path of a file in the workspace */
  file(path: string): string {
    return join(workspaceIn(join(this.folder, 'learner')), path)
  }

  progress(task: string): TaskProgress {
    const info = this.learner.course.info().tasks.find(({ id }) => id === task)
    if (!info) throw new Error(`unknown task ${task}`)
    return info.progress
  }

  state(task: string): string {
    return this.progress(task).state.state
  }

  /** The script lines that were sent so far. */
  lines(): TaskLine[] {
    return this.messages.flatMap((message) => (message.type === 'activity-line' ? [message.line] : []))
  }

  waitFor(condition: () => boolean): Promise<void> {
    return vi.waitFor(
      () => {
        if (!condition())
          throw new Error(`condition not met; last messages: ${JSON.stringify(this.messages.slice(-5))}`)
      },
      { timeout: 10_000, interval: 10 },
    )
  }

  async close(): Promise<void> {
    await this.learner.close()
    await rm(this.folder, { recursive: true })
  }
}

/** The tokens of every `TestClass`. */
export const TOKENS = { ada: 'e'.repeat(43), bob: 'f'.repeat(43), presenter: 'g'.repeat(43) }

/** A server with two learners, each with their own folder. */
export class TestClass {
  port!: number
  links!: Map<string, string>
  readonly ada: TestWorkshop
  readonly bob: TestWorkshop
  private server!: TalkServer
  private stage: Stage | undefined
  private deckFolder!: string
  private readonly windows: TestWindow[] = []

  private constructor(ada: TestWorkshop, bob: TestWorkshop) {
    this.ada = ada
    this.bob = bob
  }

  /** @param withInstructor also serves the talk, to an instructor */
  static async create({ withInstructor = false } = {}): Promise<TestClass> {
    const created = new TestClass(
      await TestWorkshop.create({}, { name: 'ada' }),
      await TestWorkshop.create({}, { name: 'bob' }),
    )
    await created.open(withInstructor)
    return created
  }

  private async open(withInstructor: boolean): Promise<void> {
    const { ada, bob } = this
    // The deck has its own folder, because any file beside its slides may be part of the build.
    this.deckFolder = await mkdtemp(join(tmpdir(), 'understudy-deck-'))
    for (const [name, text] of Object.entries(FILES)) await this.writeDeck(name, text)
    const deck = await readDeck(join(this.deckFolder, 'slides.md'))
    // The server finds this build by its version and does not build the deck.
    const built = join(ada.folder, 'built')
    const pages = join(built, await deckVersion(deck.file, deck.files))
    await mkdir(pages, { recursive: true })
    await writeFile(join(pages, 'index.html'), 'the deck')
    const learners = [
      { learner: ada.learner, token: TOKENS.ada },
      { learner: bob.learner, token: TOKENS.bob },
    ]
    if (withInstructor) {
      const executor = new LocalExecutor({
        cwd: ada.folder,
        env: { PATH: process.env.PATH ?? '' },
        registry: new ProcessRegistry(join(ada.folder, 'talk-processes')),
      })
      this.stage = new Stage({ deck, profile: hostProfile(), executor, resetWorkdir: async () => {} })
      await this.stage.checkRequirements()
    }
    this.port = await freePort()
    this.server = new TalkServer({
      deck,
      port: this.port,
      ...(this.stage && { stage: this.stage, token: TOKENS.presenter }),
      learners,
      profile: hostProfile(),
      built,
      log: () => {},
    })
    await this.server.build()
    this.links = (await this.server.open()).learners
  }

  /** Writes a file of the deck that the server presents. */
  async writeDeck(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.deckFolder, name)), { recursive: true })
    await writeFile(join(this.deckFolder, name), text)
  }

  /**
   * Connects a window, which the server may reject.
   *
   * @param learner the learner that a window of the instructor shows
   */
  connect(user: keyof typeof TOKENS, learner?: string): TestWindow {
    const window = new TestWindow(
      this.port,
      TOKENS[user],
      user === 'presenter' ? 'presenter' : 'learner',
      'localhost',
      learner,
    )
    this.windows.push(window)
    return window
  }

  /** Connects a window and waits until the server has accepted it. */
  async window(user: keyof typeof TOKENS, learner?: string): Promise<TestWindow> {
    const window = this.connect(user, learner)
    await window.message('hello')
    return window
  }

  async close(): Promise<void> {
    for (const { socket } of this.windows) socket.terminate()
    await this.server.close()
    await this.stage?.end()
    await Promise.all([this.ada.close(), this.bob.close()])
    await rm(this.deckFolder, { recursive: true })
  }
}
