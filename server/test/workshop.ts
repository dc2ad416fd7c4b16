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
import { deckVersion } from '../deck/slidev.ts'
import { Stage } from '../steps/stage.ts'
import { copyIn, Learner } from '../workshop/learner.ts'
import type { TaskLine, TaskProgress } from '../../shared/protocol/workshop.ts'
import { freePort } from './free-port.ts'
import { TestWindow } from './talk.ts'

/** Two small tasks over a flake of two small files. */
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
    '---\ntitle: Another port\nteaches: What an option is\nfiles: [service.nix]\ntimeout: 20s\n---\nLet it listen on **8081**.\n',
  'tasks/port/setup': `sed -i 's/port = .*/port = 8080;/' service.nix
echo 'LOOK: service.nix listens on 8080 now'
`,
  'tasks/port/check': `echo 'LOOK: the port in service.nix'
if [ -e slow ]; then echo "slow: $(cat service.nix | grep port)"; sleep 30; fi
port=$(sed -n 's/.*port = \\(.*\\);/\\1/p' service.nix)
if [ "$port" = 8081 ]; then echo "OK: it is 8081, in the profile $TASK_PROFILE"; exit 0; fi
echo "FAIL: The port is $port, not 8081."
exit 1
`,
  'tasks/port/solve': `grep -q 'port = ' service.nix || { echo 'there is no port in service.nix' >&2; exit 1; }
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
  'tasks/header/hints/1.md': 'Make the folder first.\n',
} satisfies Record<string, string>

/** A workshop for one learner: folder, git and bash are the real ones. */
export class TestWorkshop {
  learner!: Learner
  readonly messages: ServerMessage[] = []
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** @param files besides, or instead of, those of the small workshop; undefined: without it */
  static async make(
    files: Record<string, string | undefined> = {},
    options: { gated?: boolean; name?: string } = {},
  ): Promise<TestWorkshop> {
    const workshop = new TestWorkshop(await mkdtemp(join(tmpdir(), 'understudy-workshop-')))
    for (const [name, text] of Object.entries<string | undefined>({ ...FILES, ...files }))
      if (text !== undefined) await workshop.write(name, text)
    await workshop.open(options)
    return workshop
  }

  async open({ gated = false, name = 'me' } = {}): Promise<void> {
    const folder = join(this.folder, 'learner')
    const executor = new LocalExecutor({
      cwd: copyIn(folder),
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
      gated,
    })
    this.learner.course.on('message', (message) => this.messages.push(message))
  }

  /** As after a crash, or the next day. */
  async restart(): Promise<void> {
    await this.learner.end()
    this.messages.length = 0
    await this.open()
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, name)), { recursive: true })
    await writeFile(join(this.folder, name), text)
  }

  /** A path in the copy. */
  copy(path: string): string {
    return join(copyIn(join(this.folder, 'learner')), path)
  }

  progress(task: string): TaskProgress {
    const found = this.learner.course.info().tasks.find(({ id }) => id === task)
    if (!found) throw new Error(`no task ${task}`)
    return found.progress
  }

  state(task: string): string {
    return this.progress(task).state.state
  }

  /** The lines of an activity that were told so far. */
  lines(): TaskLine[] {
    return this.messages.flatMap((message) => (message.type === 'activity-line' ? [message.line] : []))
  }

  until(fits: () => boolean): Promise<void> {
    return vi.waitFor(
      () => {
        if (!fits()) throw new Error(`not yet, after ${JSON.stringify(this.messages.slice(-5))}`)
      },
      { timeout: 10_000, interval: 10 },
    )
  }

  async close(): Promise<void> {
    await this.learner.end()
    await rm(this.folder, { recursive: true })
  }
}

/** The tokens of every `TestClass`. */
export const TOKENS = { ada: 'e'.repeat(43), bob: 'f'.repeat(43), presenter: 'g'.repeat(43) }

/** Two learners at one server, each with a folder of their own. */
export class TestClass {
  port!: number
  links!: Map<string, string>
  readonly ada: TestWorkshop
  readonly bob: TestWorkshop
  private server!: TalkServer
  private stage: Stage | undefined
  private readonly windows: TestWindow[] = []

  private constructor(ada: TestWorkshop, bob: TestWorkshop) {
    this.ada = ada
    this.bob = bob
  }

  /** @param withTalk there is an instructor, who gives the talk besides */
  static async make({ withTalk = false } = {}): Promise<TestClass> {
    const opened = new TestClass(
      await TestWorkshop.make({}, { name: 'ada' }),
      await TestWorkshop.make({}, { name: 'bob' }),
    )
    await opened.open(withTalk)
    return opened
  }

  private async open(withTalk: boolean): Promise<void> {
    const { ada, bob } = this
    const deck = await readDeck(join(ada.folder, 'slides.md'))
    // As if this deck had been built before.
    const built = join(ada.folder, 'built')
    const pages = join(built, await deckVersion(deck.file, deck.files))
    await mkdir(pages, { recursive: true })
    await writeFile(join(pages, 'index.html'), 'the deck')
    const learners = [
      { learner: ada.learner, token: TOKENS.ada },
      { learner: bob.learner, token: TOKENS.bob },
    ]
    if (withTalk) {
      const executor = new LocalExecutor({
        cwd: ada.folder,
        env: { PATH: process.env.PATH ?? '' },
        registry: new ProcessRegistry(join(ada.folder, 'processes-of-the-talk')),
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

  /**
   * A window, which may not be let in.
   *
   * @param learner whom a window of the instructor looks at
   */
  connect(who: keyof typeof TOKENS, learner?: string): TestWindow {
    const window = new TestWindow(
      this.port,
      TOKENS[who],
      who === 'presenter' ? 'presenter' : 'learner',
      'localhost',
      learner,
    )
    this.windows.push(window)
    return window
  }

  /** A window that was let in. */
  async window(who: keyof typeof TOKENS, learner?: string): Promise<TestWindow> {
    const window = this.connect(who, learner)
    await window.message('hello')
    return window
  }

  async close(): Promise<void> {
    for (const { socket } of this.windows) socket.terminate()
    await this.server.close()
    await this.stage?.end()
    await Promise.all([this.ada.close(), this.bob.close()])
  }
}
