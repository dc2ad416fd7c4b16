import { createHash, randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { constants } from 'node:fs'
import { chmod, lstat, mkdir, open, readlink, realpath, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import { RefusedError } from '../steps/refused-error.ts'
import { writeFlushed } from '../lib/atomic-write.ts'
import type { History } from './history.ts'
import { type FileInfo, MAX_FILE } from '../../shared/protocol/workshop.ts'

/** What became of a save: it is on the disk, or somebody else was first, and then both texts are told. */
export type Saved = { saved: true; hash: string } | { saved: false; theirs: { text: string; hash: string } | null }

type CopyEvents = {
  /** A file is another one than it was; `hash` is null where it is gone. */
  file: [path: string, hash: string | null]
  /** Something has changed and no more does at the moment. */
  settled: []
}

/** The files of a learner's copy: none of what is done here leaves its folder, whatever the path and whatever links lead out of it. */
export class Copy extends EventEmitter<CopyEvents> {
  readonly folder: string
  readonly history: History
  /** Where new contents are written before they take their place: on the same disk, and not seen by who watches the copy. */
  private readonly scratch: string
  private readonly known = new Map<string, string | null>()
  /** The list of the last state that was asked for. */
  private listed: { of: string; files: FileInfo[] } | undefined
  private watcher: FSWatcher | undefined
  private readonly changed = new Set<string>()
  private timer: NodeJS.Timeout | undefined

  /** @param folder absolute */
  constructor(folder: string, history: History, scratch: string) {
    super()
    this.folder = folder
    this.history = history
    this.scratch = scratch
  }

  /** Watches for changes by other programs. */
  async watch(): Promise<void> {
    this.watcher = watch(this.folder, {
      ignoreInitial: true,
      followSymlinks: false,
      ignored: (path) => UNWATCHED.test(relative(this.folder, path).split(sep).join('/')),
    })
    this.watcher.on('all', (event, path) => {
      if (event === 'add' || event === 'change' || event === 'unlink')
        this.note(relative(this.folder, path).split(sep).join('/'))
    })
    // A folder that cannot be watched is still edited here.
    this.watcher.on('error', () => {})
    await new Promise<void>((done) => this.watcher?.once('ready', done))
  }

  async close(): Promise<void> {
    clearTimeout(this.timer)
    await this.watcher?.close()
  }

  private note(path: string): void {
    this.changed.add(path)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.tellChanges(), SETTLE)
  }

  private async tellChanges(): Promise<void> {
    const paths = [...this.changed]
    this.changed.clear()
    for (const path of paths)
      this.tell(
        path,
        await this.read(path).then(
          (bytes) => (bytes ? hashOf(bytes) : null),
          () => null,
        ),
      )
    this.emit('settled')
  }

  /** Tells each content once, however often it is noticed. */
  private tell(path: string, hash: string | null): void {
    if (this.known.get(path) === hash) return
    this.known.set(path, hash)
    this.emit('file', path, hash)
  }

  /** The files, against the start of the copy. */
  async list(): Promise<FileInfo[]> {
    const now = await this.history.snapshot()
    if (this.listed?.of !== now)
      this.listed = { of: now, files: await this.history.files((await this.history.start()) ?? now, now, MAX_FILE) }
    return this.listed.files
  }

  /**
   * @throws RefusedError for what is not there, no text, or too large
   */
  async open(path: string): Promise<{ text: string; hash: string }> {
    const bytes = await this.read(path)
    if (!bytes) throw new RefusedError({ kind: 'bad-file', message: `There is no file ${path} in your copy any more.` })
    const hash = hashOf(bytes)
    this.known.set(path, hash)
    return { text: textOf(path, bytes), hash }
  }

  /**
   * @param base hash of what was edited; null for a file that is to be new
   * @throws RefusedError for a path that is none of the copy's, or a text that is too large
   */
  async save(path: string, text: string, base: string | null): Promise<Saved> {
    const bytes = Buffer.from(text)
    if (bytes.length > MAX_FILE)
      throw new RefusedError({
        kind: 'bad-file',
        message: `${path} would be larger than ${MAX_FILE / 1024} KiB. Write it in a terminal.`,
      })
    return this.history.exclusively(async () => {
      const present = await this.read(path)
      const hash = hashOf(bytes)
      if ((present ? hashOf(present) : null) !== base && !present?.equals(bytes))
        return { saved: false, theirs: present ? { text: textOf(path, present), hash: hashOf(present) } : null }
      await this.write(path, bytes)
      this.tell(path, hash)
      // Not by the watcher alone: on some disks it hears nothing.
      this.note(path)
      return { saved: true, hash }
    })
  }

  /** Makes a file what it was in a state of the copy; what was not there is removed. What it is now is kept in the history. */
  async reset(path: string, commit: string): Promise<void> {
    mustBePath(path)
    await this.history.snapshot()
    const before = await this.history.file(commit, path)
    await this.history.exclusively(async () => {
      if (!before) return this.inside(path, false, (place) => rm(place, { force: true }))
      if (!before.link) return this.write(path, before.content, before.executable)
      await this.inside(path, true, async (place) => {
        await rm(place, { force: true })
        await symlink(String(before.content), place)
      })
    })
    this.note(path)
  }

  /** The bytes of a file; undefined where there is none. */
  private read(path: string): Promise<Buffer | undefined> {
    return this.inside(path, false, async (place) => {
      const handle = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      try {
        const { size } = await stat(handle, path)
        if (size > MAX_FILE)
          throw new RefusedError({
            kind: 'bad-file',
            message: `${path} is larger than ${MAX_FILE / 1024} KiB. Edit it in a terminal.`,
          })
        return await handle.readFile()
      } finally {
        await handle.close()
      }
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      if (error.code === 'ELOOP')
        throw new RefusedError({ kind: 'bad-file', message: `${path} is a link, which the editor does not follow.` })
      throw error
    })
  }

  private async write(path: string, bytes: Uint8Array, executable?: boolean): Promise<void> {
    await this.inside(path, true, async (place) => {
      const present = await lstat(place).catch(() => undefined)
      if (present?.isDirectory())
        throw new RefusedError({ kind: 'bad-file', message: `${path} is a folder. Give the file another name.` })
      await mkdir(this.scratch, { recursive: true, mode: 0o700 })
      const fresh = join(this.scratch, randomBytes(8).toString('hex'))
      await writeFlushed(fresh, bytes)
      await chmod(fresh, (executable ?? (present?.isFile() === true && (present.mode & 0o100) !== 0)) ? 0o755 : 0o644)
      await rename(fresh, place)
    })
  }

  /**
   * Does something with a path of the copy. The folder that it is in is held open meanwhile, so that nobody can put a link in its place
   * after it was looked at (where the system has `/proc`; elsewhere it is looked at, and no more).
   *
   * @param make whether to make the folders that are missing
   */
  private async inside<T>(path: string, make: boolean, use: (place: string) => Promise<T>): Promise<T> {
    mustBePath(path)
    const root = await realpath(this.folder)
    const wanted = dirname(join(root, path))
    if (make) await this.makeFolders(root, relative(root, wanted).split(sep).filter(Boolean))
    const folder = await open(wanted, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOTDIR' || error.code === 'ELOOP') throw leadsOut(path)
        throw error
      },
    )
    try {
      const held = `/proc/self/fd/${folder.fd}`
      const real = await readlink(held).catch(() => undefined)
      if ((real ?? (await realpath(wanted))) !== wanted) throw leadsOut(path)
      return await use(join(real === undefined ? wanted : held, path.split('/').at(-1) ?? ''))
    } finally {
      await folder.close()
    }
  }

  /** One after the other, none of them behind a link. */
  private async makeFolders(root: string, names: string[]): Promise<void> {
    let folder = root
    for (const name of names) {
      folder = join(folder, name)
      await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
      })
      if (!(await lstat(folder)).isDirectory()) throw leadsOut(relative(root, folder))
    }
  }
}

/** Milliseconds without another change: editors write in several steps. */
const SETTLE = 100

/** What no learner writes, and what may be large. */
const UNWATCHED =
  /^\.git($|\/)|(^|\/)(node_modules|result(-[^/]*)?|\.direnv|\.git)($|\/)|\.(qcow2|vmdk|img|raw|iso|lock)$/

const leadsOut = (path: string) =>
  new RefusedError({
    kind: 'bad-file',
    message: `${path} is behind a link, which may lead out of your copy. The editor does not follow it.`,
  })

/** Relative, downwards, and not into git's own folder, where a line can name a program to run. */
function mustBePath(path: string): void {
  const isPath =
    path !== '' &&
    !/[\0\\]/.test(path) &&
    path
      .split('/')
      .every(
        (name) =>
          name !== '' &&
          name !== '.' &&
          name !== '..' &&
          name.toLowerCase() !== '.git' &&
          Buffer.byteLength(name) <= 255,
      )
  if (!isPath)
    throw new RefusedError({
      kind: 'bad-file',
      message: `"${path.slice(0, 100)}" is no path of your copy: write it as nixos/services/hello.nix.`,
    })
}

async function stat(handle: Awaited<ReturnType<typeof open>>, path: string) {
  const found = await handle.stat()
  if (!found.isFile()) throw new RefusedError({ kind: 'bad-file', message: `${path} is no file.` })
  return found
}

function textOf(path: string, bytes: Buffer): string {
  try {
    if (!bytes.includes(0)) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // Said below.
  }
  throw new RefusedError({ kind: 'bad-file', message: `${path} is no text.` })
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
