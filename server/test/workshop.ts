import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { vi } from 'vitest'
import { readDeck } from '../deck/deck.ts'
import { Ledger } from '../executor/ledger.ts'
import { LocalExecutor } from '../executor/local.ts'
import { hostProfile } from '../profile.ts'
import type { ServerMessage } from '../protocol.ts'
import { copyIn, Learner } from '../workshop/learner.ts'
import type { TaskLine, TaskProgress } from '../workshop/messages.ts'

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
  'tasks/port/task.md': '---\ntitle: Another port\nteaches: What an option is\nfiles: [service.nix]\ntimeout: 20s\n---\nLet it listen on **8081**.\n',
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
  'tasks/header/task.md': '---\ntitle: A header\nteaches: How a file is added\ndepends: [port]\n---\nAdd `headers/csp.txt`.\n',
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
  static async make(files: Record<string, string | undefined> = {}, options: { gated?: boolean; name?: string } = {}): Promise<TestWorkshop> {
    const workshop = new TestWorkshop(await mkdtemp(join(tmpdir(), 'understudy-workshop-')))
    for (const [name, text] of Object.entries<string | undefined>({ ...FILES, ...files })) if (text !== undefined) await workshop.write(name, text)
    await workshop.open(options)
    return workshop
  }

  async open({ gated = false, name = 'me' } = {}): Promise<void> {
    const folder = join(this.folder, 'learner')
    const executor = new LocalExecutor({ cwd: copyIn(folder), env: { PATH: process.env.PATH ?? '', HOME: this.folder, TMPDIR: this.folder }, ledger: new Ledger(join(this.folder, 'processes')) })
    this.learner = await Learner.open({ name, folder, deck: await readDeck(join(this.folder, 'slides.md')), flake: join(this.folder, 'nix'), profile: hostProfile(), executor, gated })
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
    return vi.waitFor(() => {
      if (!fits()) throw new Error(`not yet, after ${JSON.stringify(this.messages.slice(-5))}`)
    }, { timeout: 10_000, interval: 10 })
  }

  async close(): Promise<void> {
    await this.learner.end()
    await rm(this.folder, { recursive: true })
  }
}
