import { lstat, mkdir, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import type { FileInfo } from '../../shared/protocol/workshop.ts'

/**
 * Every state of a learner's copy that mattered, in a git repository of its own beside the copy. The learner's repository, with its HEAD,
 * branches and index, is never touched, and nothing that is written in its configuration is ever carried out by the server.
 *
 *     refs/understudy/start           the copy as it was made
 *     refs/understudy/tasks/<id>      the copy as it was when the task was begun
 *     refs/understudy/history         the last state, and behind it all others: whatever is reset can be had back from there
 */
export class History {
  private readonly gitDir: string
  private readonly copy: string
  /** The last state, as long as the index is as it was written for it. */
  private last: string | undefined
  /** The hashes of the files of states. */
  private readonly trees = new Map<string, string>()
  private queue: Promise<unknown> = Promise.resolve()

  /**
   * @param gitDir where the states are kept, absolute
   * @param copy the learner's copy, absolute
   */
  constructor(gitDir: string, copy: string) {
    this.gitDir = gitDir
    this.copy = copy
  }

  /** Makes the repository, with the copy as it is for its start, unless it is there. */
  async prepare(): Promise<void> {
    if (!existsSync(join(this.gitDir, 'HEAD'))) {
      await mkdir(this.gitDir, { recursive: true, mode: 0o700 })
      await this.git(['init', '--quiet'])
    } else {
      // Each state leaves some small files, which git packs into one once they are many.
      await this.git(['-c', 'gc.auto=5000', '-c', 'gc.autoDetach=false', 'gc', '--auto', '--quiet']).catch(() => {})
    }
    await mkdir(join(this.gitDir, 'info'), { recursive: true })
    await writeFile(join(this.gitDir, 'info', 'exclude'), `${EXCLUDED.join('\n')}\n`)
    // A server that was killed while it wrote has left its locks; there is no other that could hold them.
    for (const lock of ['index.lock', `${HISTORY}.lock`]) await rm(join(this.gitDir, lock), { force: true })
    await this.git(['rev-parse', '--verify', '--quiet', START]).catch(async () => {
      const commit = await this.snapshot()
      await this.git(['update-ref', START, commit])
    })
  }

  /** One after the other: git's index stands no two at once, and nothing may be written between looking and writing. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work)
    this.queue = result.catch(() => {})
    return result
  }

  /**
   * Keeps the copy as it is.
   *
   * @returns the commit: the last one again where nothing has changed
   */
  snapshot(): Promise<string> {
    return this.exclusively(() => this.takeSnapshot())
  }

  private async takeSnapshot(): Promise<string> {
    const { stdout } = await this.git([
      'ls-files',
      '-t',
      '-z',
      '--others',
      '--modified',
      '--deleted',
      '--exclude-standard',
    ])
    // A letter, a space, the path. What is gone is listed as modified too.
    const listed = stdout.split('\0').filter(Boolean)
    const gone = new Set(listed.filter((line) => line.startsWith('R ')).map((line) => line.slice(2)))
    const there: string[] = []
    for (const path of new Set(listed.map((line) => line.slice(2))))
      if (!gone.has(path) && (await this.isKept(path))) there.push(path)
    if (gone.size > 0) await this.git(['update-index', '-z', '--force-remove', '--stdin'], [...gone].join('\0'))
    // A folder may have become a file, or the other way round.
    if (there.length > 0)
      await this.git(['update-index', '-z', '--add', '--remove', '--replace', '--stdin'], there.join('\0'))
    if (this.last && gone.size + there.length === 0) return this.last
    const { stdout: tree } = await this.git(['write-tree'])
    const last = this.last ?? (await this.commit(HISTORY))
    if (last && (await this.tree(last)) === tree) return (this.last = last)
    const { stdout: commit } = await this.git([
      'commit-tree',
      tree,
      ...(last ? ['-p', last] : []),
      '-m',
      'A state of the copy',
    ])
    await this.git(['update-ref', HISTORY, commit])
    this.trees.set(commit, tree)
    return (this.last = commit)
  }

  /** Sources only: the disk of a machine that somebody has started is no work of theirs. */
  private async isKept(path: string): Promise<boolean> {
    // The repository of somebody else, cloned into the copy, is listed as a folder.
    if (path.endsWith('/')) return false
    const found = await lstat(join(this.copy, path)).catch(() => undefined)
    return !found || found.isSymbolicLink() || (found.isFile() && found.size <= LARGEST)
  }

  /** The hash of all files of a state: two states with the same one are the same. */
  async tree(commit: string): Promise<string> {
    const known = this.trees.get(commit) ?? (await this.git(['rev-parse', `${commit}^{tree}`])).stdout
    this.trees.set(commit, known)
    return known
  }

  /** Keeps a state as the start of a task. */
  async markTask(task: string, commit: string): Promise<void> {
    await this.git(['update-ref', `${TASKS}${task}`, commit])
  }

  /** The start of a task, or of the copy. Undefined for a task that was never begun. */
  start(task?: string): Promise<string | undefined> {
    return this.commit(task === undefined ? START : `${TASKS}${task}`)
  }

  private async commit(ref: string): Promise<string | undefined> {
    return (await this.git(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`]).catch(() => undefined))?.stdout
  }

  /** Makes all files what they were. What they are is kept before. */
  restore(commit: string): Promise<void> {
    return this.exclusively(async () => {
      // A learner who has removed all of it gets all of it back.
      await mkdir(this.copy, { recursive: true })
      await this.takeSnapshot()
      await this.git(['read-tree', '--reset', '-u', commit])
      // The index is that of another state now.
      this.last = undefined
    })
  }

  /**
   * A file of a state.
   *
   * @returns undefined where there is none; `link` for a symbolic link, whose content is where it leads
   */
  async file(
    commit: string,
    path: string,
  ): Promise<{ content: Buffer; executable: boolean; link: boolean } | undefined> {
    const { stdout } = await this.git(['ls-tree', '-z', commit, '--', path])
    const [, mode, object] = /^(\d{6}) blob ([0-9a-f]+)\t/.exec(stdout) ?? []
    if (mode === undefined || object === undefined) return undefined
    const { stdout: content } = await execa('git', [...SAFE, 'cat-file', 'blob', object], {
      ...this.place(),
      encoding: 'buffer',
      stripFinalNewline: false,
    })
    return { content: Buffer.from(content), executable: mode === '100755', link: mode === '120000' }
  }

  /** What leads from one state to another, for `git apply`; empty where they are the same. */
  async patch(from: string, to: string): Promise<string> {
    return (
      await this.git(
        ['diff', '--no-color', '--no-ext-diff', '--no-textconv', '--no-renames', '--binary', from, to],
        undefined,
        false,
      )
    ).stdout
  }

  /**
   * The files of a state against another one.
   *
   * @param tooLarge bytes from which the editor does not open a file
   */
  async files(from: string, to: string, tooLarge: number): Promise<FileInfo[]> {
    const [listed, changed, counted] = await Promise.all([
      this.git(['ls-tree', '-r', '-z', '--long', to]),
      this.git(['diff', '--no-renames', '--name-status', '-z', from, to]),
      // Lines added since nothing: `-` for what is no text.
      this.git(['diff', '--no-renames', '--no-textconv', '--numstat', '-z', NOTHING, to]),
    ])
    const words = changed.stdout.split('\0')
    const changes = new Map<string, FileInfo['change']>()
    for (let at = 0; at + 1 < words.length; at += 2)
      changes.set(words[at + 1] ?? '', words[at] === 'A' ? 'added' : words[at] === 'D' ? 'removed' : 'changed')
    const binary = new Set(
      counted.stdout
        .split('\0')
        .filter((line) => line.startsWith('-\t-\t'))
        .map((line) => line.slice(4)),
    )

    const files: FileInfo[] = [...changes]
      .filter(([, change]) => change === 'removed')
      .map(([path, change]) => ({ path, change }))
    for (const line of listed.stdout.split('\0')) {
      const [, mode, size, path] = /^(\d{6}) blob [0-9a-f]+ +(\d+)\t(.*)$/s.exec(line) ?? []
      if (mode === undefined || path === undefined) continue
      const closed =
        mode === '120000' ? 'link' : binary.has(path) ? 'not text' : Number(size) > tooLarge ? 'too large' : undefined
      files.push({ path, change: changes.get(path) ?? 'none', ...(closed && { closed }) })
    }
    return files.sort((one, other) => (one.path < other.path ? -1 : 1))
  }

  private async git(args: string[], input?: string, stripFinalNewline = true): Promise<{ stdout: string }> {
    return execa('git', [...SAFE, ...args], {
      ...this.place(),
      stripFinalNewline,
      ...(input !== undefined ? { input } : { stdin: 'ignore' as const }),
    })
  }

  private place() {
    return {
      cwd: this.copy,
      env: {
        GIT_DIR: this.gitDir,
        GIT_WORK_TREE: this.copy,
        GIT_INDEX_FILE: join(this.gitDir, 'index'),
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_LITERAL_PATHSPECS: '1',
        LC_ALL: 'C',
        ...Object.fromEntries(
          ['AUTHOR', 'COMMITTER'].flatMap((who) => [
            [`GIT_${who}_NAME`, 'understudy'],
            [`GIT_${who}_EMAIL`, 'understudy@localhost'],
          ]),
        ),
      },
      maxBuffer: 64 * 1024 * 1024,
    }
  }
}

const START = 'refs/understudy/start'
const TASKS = 'refs/understudy/tasks/'
const HISTORY = 'refs/understudy/history'

/** The tree without files, which every repository knows. */
const NOTHING = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

/** Bytes. */
const LARGEST = 1024 * 1024

/**
 * What is made, not written. The lock file follows the flake by itself (see profile.ts): it is no part of what a learner does, and would
 * name what is on this machine alone.
 */
const EXCLUDED = [
  'flake.lock',
  'result',
  'result-*',
  'node_modules/',
  '.direnv/',
  '*.qcow2',
  '*.vmdk',
  '*.img',
  '*.raw',
  '*.iso',
  '.nixos-test-history',
]

/** Files are what they are, and no program but git itself has a say. */
const SAFE = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.autocrlf=false',
  '-c',
  'core.attributesFile=/dev/null',
  '-c',
  'core.excludesFile=/dev/null',
  '-c',
  'core.quotePath=false',
  '-c',
  'core.fileMode=true',
  '-c',
  'gc.auto=0',
]
