import { existsSync } from 'node:fs'
import { lstat, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import type { FileInfo } from '../../shared/protocol/workshop.ts'

const START_REF = 'refs/understudy/start'
const TASK_REFS = 'refs/understudy/tasks/'
const HISTORY_REF = 'refs/understudy/history'

/** Hash of Git's empty tree, which exists in every repository. */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

/** Larger files are not stored in the history. */
const MAX_STORED_BYTES = 1024 * 1024

/**
 * Build results. The lock file is excluded because the profile updates it (see environment/profile.ts): it is not a
 * change of the learner, and it would contain paths of this machine.
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

/** Overrides the workspace's Git configuration, which could convert files or run programs. */
const SAFE_CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.autocrlf=false',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'core.quotePath=false',
  'core.fileMode=true',
  'gc.auto=0',
].flatMap((setting) => ['-c', setting])

/**
 * States of a learner's workspace, stored in a separate Git repository beside it. The learner's own repository, with
 * its HEAD, branches and index, is never changed, and its configuration is never used.
 *
 *     refs/understudy/start           the workspace when it was created
 *     refs/understudy/tasks/<id>      the workspace when the task was begun
 *     refs/understudy/history         the last state; its ancestors are all earlier ones, so that a reset loses nothing
 */
export class WorkspaceHistory {
  private readonly gitDir: string
  private readonly workspace: string
  /** The last state, as long as the index matches it. */
  private last: string | undefined
  /** Tree hashes by commit. */
  private readonly trees = new Map<string, string>()
  private queue: Promise<unknown> = Promise.resolve()

  /**
   * @param gitDir the repository of the history, absolute
   * @param workspace absolute
   */
  constructor(gitDir: string, workspace: string) {
    this.gitDir = gitDir
    this.workspace = workspace
  }

  /** Creates the repository if it is missing; the current workspace becomes the start of the course. */
  async prepare(): Promise<void> {
    if (!existsSync(join(this.gitDir, 'HEAD'))) {
      await mkdir(this.gitDir, { recursive: true, mode: 0o700 })
      await this.git(['init', '--quiet'])
    } else {
      // Each state adds a few small files. Git packs them when there are many.
      await this.git(['-c', 'gc.auto=5000', '-c', 'gc.autoDetach=false', 'gc', '--auto', '--quiet']).catch(() => {})
    }
    await mkdir(join(this.gitDir, 'info'), { recursive: true })
    await writeFile(join(this.gitDir, 'info', 'exclude'), `${EXCLUDED.join('\n')}\n`)
    // Removes the locks of a server that was killed while writing. The learner's folder is locked, so no other process
    // uses them.
    for (const lock of ['index.lock', `${HISTORY_REF}.lock`]) await rm(join(this.gitDir, lock), { force: true })
    if ((await this.start()) === undefined) await this.git(['update-ref', START_REF, await this.snapshot()])
  }

  /**
   * Runs operations one after the other: Git's index allows no concurrent use, and a save compares the file before it
   * writes.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work)
    this.queue = result.catch(() => {})
    return result
  }

  /**
   * Stores the current state of the workspace.
   *
   * @returns its commit; the same as before if nothing has changed
   */
  snapshot(): Promise<string> {
    return this.exclusively(() => this.takeSnapshot())
  }

  private async takeSnapshot(): Promise<string> {
    const { removed, updated } = await this.changedPaths()
    if (removed.length > 0) await this.git(['update-index', '-z', '--force-remove', '--stdin'], removed.join('\0'))
    // --replace: a folder may have become a file, or the reverse.
    if (updated.length > 0)
      await this.git(['update-index', '-z', '--add', '--remove', '--replace', '--stdin'], updated.join('\0'))
    if (this.last && removed.length + updated.length === 0) return this.last
    const { stdout: tree } = await this.git(['write-tree'])
    const last = this.last ?? (await this.commit(HISTORY_REF))
    if (last && (await this.tree(last)) === tree) return (this.last = last)
    const parent = last ? ['-p', last] : []
    const { stdout: commit } = await this.git(['commit-tree', tree, ...parent, '-m', 'Workspace state'])
    await this.git(['update-ref', HISTORY_REF, commit])
    this.trees.set(commit, tree)
    return (this.last = commit)
  }

  /** Paths that differ from the index. */
  private async changedPaths(): Promise<{ removed: string[]; updated: string[] }> {
    const options = ['-t', '-z', '--others', '--modified', '--deleted', '--exclude-standard']
    const { stdout } = await this.git(['ls-files', ...options])
    // Each entry is a status letter, a space and the path. A removed file (R) is listed as modified (C) as well.
    const entries = stdout.split('\0').filter(Boolean)
    const removed = new Set(entries.filter((entry) => entry.startsWith('R ')).map((entry) => entry.slice(2)))
    const updated: string[] = []
    for (const path of new Set(entries.map((entry) => entry.slice(2))))
      if (!removed.has(path) && (await this.isStored(path))) updated.push(path)
    return { removed: [...removed], updated }
  }

  /** Whether a file is stored: only source files are, not the disk image of a VM, for example. */
  private async isStored(path: string): Promise<boolean> {
    // A repository that was cloned into the workspace is listed as a folder.
    if (path.endsWith('/') || (await this.isBehindLink(path))) return false
    const stat = await lstat(join(this.workspace, path)).catch(() => undefined)
    return !stat || stat.isSymbolicLink() || (stat.isFile() && stat.size <= MAX_STORED_BYTES)
  }

  /**
   * Whether a folder of the path was replaced by a symbolic link; Git then stores the link and refuses the paths behind
   * it.
   */
  private async isBehindLink(path: string): Promise<boolean> {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      const stat = await lstat(join(this.workspace, folder)).catch(() => undefined)
      if (stat?.isSymbolicLink()) return true
    }
    return false
  }

  /** @returns the hash of all files of a state; equal hashes mean equal files */
  async tree(commit: string): Promise<string> {
    const tree = this.trees.get(commit) ?? (await this.git(['rev-parse', `${commit}^{tree}`])).stdout
    this.trees.set(commit, tree)
    return tree
  }

  /** Stores a state as the start of a task. */
  async markTask(task: string, commit: string): Promise<void> {
    await this.git(['update-ref', `${TASK_REFS}${task}`, commit])
  }

  /**
   * @returns the commit of the start of a task, or of the course if `task` is absent; undefined for a task that was
   * never begun
   */
  start(task?: string): Promise<string | undefined> {
    return this.commit(task === undefined ? START_REF : `${TASK_REFS}${task}`)
  }

  private async commit(ref: string): Promise<string | undefined> {
    return (await this.git(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`]).catch(() => undefined))?.stdout
  }

  /** Stores the current state, then restores all files of another one. */
  restore(commit: string): Promise<void> {
    return this.exclusively(async () => {
      // The learner may have removed the workspace folder.
      await mkdir(this.workspace, { recursive: true })
      await this.takeSnapshot()
      await this.git(['read-tree', '--reset', '-u', commit])
      // The index now matches `commit`.
      this.last = undefined
    })
  }

  /**
   * Reads a file of a state.
   *
   * @returns undefined if it does not exist; `link` means a symbolic link, with its target as the content
   */
  async file(
    commit: string,
    path: string,
  ): Promise<{ content: Buffer; executable: boolean; link: boolean } | undefined> {
    const { stdout } = await this.git(['ls-tree', '-z', commit, '--', path])
    const [, mode, object] = /^(\d{6}) blob ([0-9a-f]+)\t/.exec(stdout) ?? []
    if (mode === undefined || object === undefined) return undefined
    const { stdout: content } = await execa('git', [...SAFE_CONFIG, 'cat-file', 'blob', object], {
      ...this.gitOptions(),
      encoding: 'buffer',
      stripFinalNewline: false,
    })
    return { content: Buffer.from(content), executable: mode === '100755', link: mode === '120000' }
  }

  /** @returns the changes from one state to another as a patch for `git apply`; empty if the states are equal */
  async patch(from: string, to: string): Promise<string> {
    const options = ['--no-color', '--no-ext-diff', '--no-textconv', '--no-renames', '--binary']
    return (await this.git(['diff', ...options, from, to], undefined, false)).stdout
  }

  /**
   * Lists the files of state `to`, compared with state `from`.
   *
   * @param maxBytes larger files are marked as too large for the editor
   */
  async files(from: string, to: string, maxBytes: number): Promise<FileInfo[]> {
    const [listing, changes, binary] = await Promise.all([
      this.git(['ls-tree', '-r', '-z', '--long', to]),
      this.changesBetween(from, to),
      this.binaryFiles(to),
    ])
    const files: FileInfo[] = [...changes]
      .filter(([, change]) => change === 'removed')
      .map(([path, change]) => ({ path, change }))
    for (const entry of listing.stdout.split('\0')) {
      const [, mode, size, path] = /^(\d{6}) blob [0-9a-f]+ +(\d+)\t(.*)$/s.exec(entry) ?? []
      if (mode === undefined || path === undefined) continue
      const blocked = blockedReason({ link: mode === '120000', binary: binary.has(path), size: Number(size) }, maxBytes)
      files.push({ path, change: changes.get(path) ?? 'none', ...(blocked && { blocked }) })
    }
    return files.sort((one, other) => (one.path < other.path ? -1 : 1))
  }

  private async changesBetween(from: string, to: string): Promise<Map<string, FileInfo['change']>> {
    const { stdout } = await this.git(['diff', '--no-renames', '--name-status', '-z', from, to])
    // Status letters and paths alternate.
    const fields = stdout.split('\0')
    const changes = new Map<string, FileInfo['change']>()
    for (let index = 0; index + 1 < fields.length; index += 2) {
      const status = fields[index]
      changes.set(fields[index + 1] ?? '', status === 'A' ? 'added' : status === 'D' ? 'removed' : 'changed')
    }
    return changes
  }

  private async binaryFiles(commit: string): Promise<Set<string>> {
    // Git counts `-` added lines for a binary file.
    const { stdout } = await this.git(['diff', '--no-renames', '--no-textconv', '--numstat', '-z', EMPTY_TREE, commit])
    const entries = stdout.split('\0').filter((entry) => entry.startsWith('-\t-\t'))
    return new Set(entries.map((entry) => entry.slice('-\t-\t'.length)))
  }

  private async git(args: string[], input?: string, stripFinalNewline = true): Promise<{ stdout: string }> {
    return execa('git', [...SAFE_CONFIG, ...args], {
      ...this.gitOptions(),
      stripFinalNewline,
      ...(input !== undefined ? { input } : { stdin: 'ignore' as const }),
    })
  }

  private gitOptions() {
    return {
      cwd: this.workspace,
      env: {
        GIT_DIR: this.gitDir,
        GIT_WORK_TREE: this.workspace,
        GIT_INDEX_FILE: join(this.gitDir, 'index'),
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_LITERAL_PATHSPECS: '1',
        LC_ALL: 'C',
        // A fixed author, independent of the user's Git identity.
        GIT_AUTHOR_NAME: 'understudy',
        GIT_AUTHOR_EMAIL: 'understudy@localhost',
        GIT_COMMITTER_NAME: 'understudy',
        GIT_COMMITTER_EMAIL: 'understudy@localhost',
      },
      maxBuffer: 64 * 1024 * 1024,
    }
  }
}

function blockedReason(
  { link, binary, size }: { link: boolean; binary: boolean; size: number },
  maxBytes: number,
): FileInfo['blocked'] {
  if (link) return 'symbolic-link'
  if (binary) return 'not-text'
  return size > maxBytes ? 'too-large' : undefined
}
