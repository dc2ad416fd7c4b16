import { createHash, randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { constants } from 'node:fs'
import { chmod, type FileHandle, lstat, mkdir, open, readlink, realpath, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import { type FileInfo, MAX_FILE_BYTES } from '../../shared/protocol/workshop.ts'
import { writeFlushed } from '../lib/atomic-write.ts'
import { errorCode } from '../lib/error-code.ts'
import { RefusedError } from '../steps/refused-error.ts'
import type { WorkspaceHistory } from './workspace-history.ts'

/**
 * The result of a save. If the file has changed since it was opened, nothing is written, and `theirs` is the file on
 * the disk.
 */
export type SaveResult = { saved: true; hash: string } | { saved: false; theirs: { text: string; hash: string } | null }

type WorkspaceEvents = {
  /** The content of a file has changed; `hash` is null if the file was removed. */
  file: [path: string, hash: string | null]
  /** Files have changed, and no further change has followed within `QUIET_PERIOD_MS`. */
  settled: []
}

/** Time without another change before `settled` is emitted, since editors save in several steps. */
const QUIET_PERIOD_MS = 100

/** Longest file name of common file systems. */
const MAX_NAME_BYTES = 255

/** Git's own files, and build results, which may be large. */
const UNWATCHED =
  /^\.git($|\/)|(^|\/)(node_modules|result(-[^/]*)?|\.direnv|\.git)($|\/)|\.(qcow2|vmdk|img|raw|iso|lock)$/

/**
 * The files of a learner's copy of the flake. No operation reads or writes outside the folder, even through symbolic
 * links.
 */
export class Workspace extends EventEmitter<WorkspaceEvents> {
  readonly folder: string
  readonly history: WorkspaceHistory
  /** Folder for new contents, which are then renamed. It is on the same file system as `folder` and not watched. */
  private readonly scratch: string
  /** The last hash that was opened or emitted, by path. */
  private readonly knownHashes = new Map<string, string | null>()
  private listing: { commit: string; files: FileInfo[] } | undefined
  private watcher: FSWatcher | undefined
  private readonly changedPaths = new Set<string>()
  private timer: NodeJS.Timeout | undefined

  /**
   * @param folder absolute
   * @param scratch absolute, on the same file system
   */
  constructor(folder: string, history: WorkspaceHistory, scratch: string) {
    super()
    this.folder = folder
    this.history = history
    this.scratch = scratch
  }

  /** Starts to watch for changes by other programs. */
  async watch(): Promise<void> {
    const watcher = watch(this.folder, {
      ignoreInitial: true,
      followSymlinks: false,
      ignored: (path) => UNWATCHED.test(this.relativePath(path)),
    })
    this.watcher = watcher
    watcher.on('all', (event, path) => {
      if (event === 'add' || event === 'change' || event === 'unlink') this.noteChange(this.relativePath(path))
    })
    // Errors are ignored: editing also works without the watcher.
    watcher.on('error', () => {})
    await new Promise<void>((resolve) => watcher.once('ready', resolve))
  }

  async close(): Promise<void> {
    clearTimeout(this.timer)
    await this.watcher?.close()
  }

  private relativePath(path: string): string {
    return relative(this.folder, path).split(sep).join('/')
  }

  private noteChange(path: string): void {
    this.changedPaths.add(path)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.emitChanges(), QUIET_PERIOD_MS)
  }

  private async emitChanges(): Promise<void> {
    const paths = [...this.changedPaths]
    this.changedPaths.clear()
    for (const path of paths) {
      const bytes = await this.read(path).catch(() => undefined)
      this.emitFile(path, bytes ? hashOf(bytes) : null)
    }
    this.emit('settled')
  }

  /** Emits each content once, even if several events report the same change. */
  private emitFile(path: string, hash: string | null): void {
    if (this.knownHashes.get(path) === hash) return
    this.knownHashes.set(path, hash)
    this.emit('file', path, hash)
  }

  /** @returns all files, compared with the start of the course */
  async list(): Promise<FileInfo[]> {
    const commit = await this.history.snapshot()
    if (this.listing?.commit !== commit) {
      const start = (await this.history.start()) ?? commit
      this.listing = { commit, files: await this.history.files(start, commit, MAX_FILE_BYTES) }
    }
    return this.listing.files
  }

  /** @throws RefusedError if the file does not exist, is not text, or is too large */
  async open(path: string): Promise<{ text: string; hash: string }> {
    const bytes = await this.read(path)
    if (!bytes) throw new RefusedError({ kind: 'file-missing', path })
    const hash = hashOf(bytes)
    this.knownHashes.set(path, hash)
    return { text: textOf(path, bytes), hash }
  }

  /**
   * @param base hash of the content that was edited; null for a new file
   * @throws RefusedError if the path is invalid or the text too large
   */
  async save(path: string, text: string, base: string | null): Promise<SaveResult> {
    const bytes = Buffer.from(text)
    if (bytes.length > MAX_FILE_BYTES)
      throw new RefusedError({ kind: 'text-too-large', path, maxBytes: MAX_FILE_BYTES })
    return this.history.exclusively(async () => {
      const current = await this.read(path)
      const hash = hashOf(bytes)
      if ((current ? hashOf(current) : null) !== base && !current?.equals(bytes))
        return { saved: false, theirs: current ? { text: textOf(path, current), hash: hashOf(current) } : null }
      await this.write(path, bytes)
      this.emitFile(path, hash)
      // On some file systems the watcher receives no events.
      this.noteChange(path)
      return { saved: true, hash }
    })
  }

  /**
   * Restores a file from a state in the history; a file that did not exist then is removed. The current content is kept
   * in the history.
   *
   * @throws RefusedError if the path is invalid
   */
  async reset(path: string, commit: string): Promise<void> {
    checkPath(path)
    await this.history.snapshot()
    const before = await this.history.file(commit, path)
    await this.history.exclusively(async () => {
      if (!before) return this.inside(path, { createFolders: false }, (file) => rm(file, { force: true }))
      if (!before.link) return this.write(path, before.content, before.executable)
      await this.inside(path, { createFolders: true }, async (file) => {
        await rm(file, { force: true })
        await symlink(String(before.content), file)
      })
    })
    this.noteChange(path)
  }

  /** @returns the bytes of a file; undefined if it does not exist */
  private read(path: string): Promise<Buffer | undefined> {
    return this.inside(path, { createFolders: false }, async (file) => {
      const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      try {
        if ((await sizeOf(handle, path)) > MAX_FILE_BYTES)
          throw new RefusedError({ kind: 'file-too-large', path, maxBytes: MAX_FILE_BYTES })
        return await handle.readFile()
      } finally {
        await handle.close()
      }
    }).catch((error: unknown) => {
      const code = errorCode(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      if (code === 'ELOOP') throw new RefusedError({ kind: 'symbolic-link', path })
      throw error
    })
  }

  private async write(path: string, bytes: Uint8Array, executable?: boolean): Promise<void> {
    await this.inside(path, { createFolders: true }, async (file) => {
      const present = await lstat(file).catch(() => undefined)
      if (present?.isDirectory()) throw new RefusedError({ kind: 'is-folder', path })
      await mkdir(this.scratch, { recursive: true, mode: 0o700 })
      const temporary = join(this.scratch, randomBytes(8).toString('hex'))
      await writeFlushed(temporary, bytes)
      const mode = (executable ?? (present?.isFile() === true && (present.mode & 0o100) !== 0)) ? 0o755 : 0o644
      await chmod(temporary, mode)
      await rename(temporary, file)
    })
  }

  /**
   * Uses a file of the workspace. During the use, its folder is kept open and addressed through `/proc/self/fd`, so
   * that no program can replace it with a symbolic link between the check and the use. Systems without `/proc` only
   * perform the check.
   *
   * @throws RefusedError if the path is invalid or a folder of it is a symbolic link
   */
  private async inside<T>(
    path: string,
    { createFolders }: { createFolders: boolean },
    use: (file: string) => Promise<T>,
  ): Promise<T> {
    checkPath(path)
    const root = await realpath(this.folder)
    const parent = dirname(join(root, path))
    if (createFolders) await createFoldersIn(root, relative(root, parent).split(sep).filter(Boolean))
    const folder = await open(parent, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(
      (error: unknown) => {
        if (['ENOTDIR', 'ELOOP'].includes(errorCode(error) ?? ''))
          throw new RefusedError({ kind: 'behind-symbolic-link', path })
        throw error
      },
    )
    try {
      const descriptor = `/proc/self/fd/${folder.fd}`
      const target = await readlink(descriptor).catch(() => undefined)
      if ((target ?? (await realpath(parent))) !== parent)
        throw new RefusedError({ kind: 'behind-symbolic-link', path })
      return await use(join(target === undefined ? parent : descriptor, path.split('/').at(-1) ?? ''))
    } finally {
      await folder.close()
    }
  }
}

/** Creates nested folders one by one, and checks that none of them is a symbolic link. */
async function createFoldersIn(root: string, names: string[]): Promise<void> {
  let folder = root
  for (const name of names) {
    folder = join(folder, name)
    await mkdir(folder).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error
    })
    if (!(await lstat(folder)).isDirectory())
      throw new RefusedError({ kind: 'behind-symbolic-link', path: relative(root, folder) })
  }
}

/** Accepts relative paths inside the workspace, except Git's own folder, whose configuration can run programs. */
function checkPath(path: string): void {
  const isValidName = (name: string) =>
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    name.toLowerCase() !== '.git' &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES
  if (/[\0\\]/.test(path) || !path.split('/').every(isValidName))
    throw new RefusedError({ kind: 'invalid-path', path: path.slice(0, 100) })
}

async function sizeOf(handle: FileHandle, path: string): Promise<number> {
  const stat = await handle.stat()
  if (!stat.isFile()) throw new RefusedError({ kind: 'not-a-file', path })
  return stat.size
}

function textOf(path: string, bytes: Buffer): string {
  try {
    if (!bytes.includes(0)) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // Not UTF-8.
  }
  throw new RefusedError({ kind: 'not-text', path })
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
