import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { execa } from 'execa'

/**
 * The workdir: a git repository in the user's cache, made of the deck's flake, in which the steps run. What they write
 * (lock file, images, `result` links, edits on stage) stays out of the project's tree.
 */

/** Who made the first commit: the user's own name has nothing to do with it. */
const COMMITTER = ['-c', 'user.name=understudy', '-c', 'user.email=understudy@localhost', '-c', 'commit.gpgsign=false']

/** The lab is what the flake is locked against, not a part of it; tests and build results have no use there. */
function belongs(source: string, path: string): boolean {
  const [top] = relative(source, path).split(sep)
  return top !== 'lab' && !/(^|\/)(node_modules|result(-[^/]*)?|\.git)$/.test(path) && !path.endsWith('.test.ts')
}

/**
 * Changes with every file of the flake.
 *
 * @param source the deck's flake
 * @param withLock whether its lock file counts; the lab has one of its own
 */
export async function fingerprint(source: string, withLock: boolean): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(source, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.sort()) {
    const parts = relative(source, file).split(sep)
    if (!withLock && parts.at(-1) === 'flake.lock') continue
    if (parts.some((_, depth) => !belongs(source, join(source, ...parts.slice(0, depth + 1))))) continue
    hash
      .update(relative(source, file))
      .update('\0')
      .update(await readFile(file))
  }
  return hash.digest('hex')
}

export type WorkdirState = 'made' | 'made-without-git' | 'kept' | 'kept-with-edits'

/**
 * Makes the workdir, or keeps the one that is there. One with edits is kept even if the flake has moved on: only
 * `resetWorkdir` throws work away.
 *
 * @param source the deck's flake (`nix/`), absolute; where there is none the workdir is an empty repository
 * @param workdir absolute
 */
export async function prepareWorkdir(source: string, workdir: string): Promise<WorkdirState> {
  const wanted = await fingerprint(source, true)
  const present = await readFile(join(workdir, '.git', 'understudy-source'), 'utf8').catch(() => undefined)
  if (present !== undefined) {
    if (present === wanted) return 'kept'
    const { stdout } = await execa('git', ['status', '--porcelain', '--', '.', ':!flake.lock'], {
      cwd: workdir,
      reject: false,
    })
    // What cannot be known to be without edits is kept too.
    if (stdout?.trim() !== '') return 'kept-with-edits'
  }
  return makeWorkdir(source, workdir, wanted)
}

/** Files of the flake that were changed in the workdir, relative to it. Lock files and what steps have built do not count. */
export async function editedFiles(workdir: string): Promise<string[]> {
  const { stdout } = await execa('git', ['status', '--porcelain', '--untracked-files=no', '--', '.', ':!*flake.lock'], {
    cwd: workdir,
    reject: false,
  })
  return (stdout ?? '')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.slice(3))
}

/** Throws away whatever was done in the workdir and makes it anew. */
export async function resetWorkdir(source: string, workdir: string): Promise<void> {
  await makeWorkdir(source, workdir, await fingerprint(source, true))
}

async function makeWorkdir(source: string, workdir: string, wanted: string): Promise<'made' | 'made-without-git'> {
  // Beside it first: an interruption leaves the old workdir or the new one, never half of one.
  const fresh = `${workdir}.new`
  await rm(fresh, { recursive: true, force: true })
  await mkdir(dirname(workdir), { recursive: true, mode: 0o700 })
  await mkdir(fresh, { mode: 0o700 })
  await cp(source, fresh, { recursive: true, filter: (path) => belongs(source, path) }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    },
  )
  const repository = await makeRepository(fresh)
  // Where the project has no lock file yet, the one that was made here is kept: without a network there is no other. It is no part of
  // what the deck brings: the profile may have to drop it (`dropLabLock`). Nix sees it all the same, as it does one that it has written.
  if (!existsSync(join(fresh, 'flake.lock')) && existsSync(join(workdir, 'flake.lock'))) {
    await cp(join(workdir, 'flake.lock'), join(fresh, 'flake.lock'))
    if (repository) await execa('git', ['add', '--intent-to-add', 'flake.lock'], { cwd: fresh })
  }
  if (repository) await writeFile(join(fresh, '.git', 'understudy-source'), wanted)
  await rm(workdir, { recursive: true, force: true })
  await rename(fresh, workdir)
  return repository ? 'made' : 'made-without-git'
}

/** @returns false where there is no git */
async function makeRepository(folder: string): Promise<boolean> {
  const git = (...args: string[]) =>
    execa('git', args, { cwd: folder, env: { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' } })
  try {
    await git('init', '--quiet', '--initial-branch=main')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
  await git('add', '.')
  await git(...COMMITTER, 'commit', '--quiet', '--allow-empty', '--message', 'The flake as the deck brings it')
  return true
}
