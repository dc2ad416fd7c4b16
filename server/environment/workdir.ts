import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { execa } from 'execa'

/**
 * The workdir: a Git repository in the user's cache in which the steps run, created from the deck's flake. It keeps
 * everything that steps write (lock file, images, `result` links, edits) out of the project's tree.
 */

/** Fixed author for the initial commit; ignores the user's Git identity. */
const COMMITTER = ['-c', 'user.name=understudy', '-c', 'user.email=understudy@localhost', '-c', 'commit.gpgsign=false']

/** Whether a file is part of the flake. The lab, tests and build results are not. */
function belongsToFlake(source: string, path: string): boolean {
  const [top] = relative(source, path).split(sep)
  return top !== 'lab' && !/(^|\/)(node_modules|result(-[^/]*)?|\.git)$/.test(path) && !path.endsWith('.test.ts')
}

/**
 * Computes a hash that changes with every file of the flake.
 *
 * @param source the deck's flake
 * @param withLock whether to include its lock file; the lab uses its own
 */
export async function fingerprint(source: string, withLock: boolean): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(source, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.sort()) {
    const parts = relative(source, file).split(sep)
    if (!withLock && parts.at(-1) === 'flake.lock') continue
    if (parts.some((_, depth) => !belongsToFlake(source, join(source, ...parts.slice(0, depth + 1))))) continue
    hash
      .update(relative(source, file))
      .update('\0')
      .update(await readFile(file))
  }
  return hash.digest('hex')
}

export type WorkdirState = 'created' | 'created-without-git' | 'kept' | 'kept-with-edits'

/**
 * Creates the workdir, or keeps an existing one that is up to date or has edits. Only `resetWorkdir` discards edits.
 *
 * @param source the deck's flake (`nix/`), absolute; if it does not exist, the workdir is an empty repository
 * @param workdir absolute
 */
export async function prepareWorkdir(source: string, workdir: string): Promise<WorkdirState> {
  const expected = await fingerprint(source, true)
  const present = await readFile(join(workdir, '.git', 'understudy-source'), 'utf8').catch(() => undefined)
  if (present !== undefined) {
    if (present === expected) return 'kept'
    const { failed, stdout } = await execa('git', ['status', '--porcelain', '--', '.', ':!flake.lock'], {
      cwd: workdir,
      reject: false,
    })
    // The workdir is also kept if git fails, because there may be edits.
    if (failed || stdout.trim() !== '') return 'kept-with-edits'
  }
  return createWorkdir(source, workdir, expected)
}

/** Lists the files of the flake that were edited in the workdir, relative to it, except lock files. */
export async function editedFiles(workdir: string): Promise<string[]> {
  const { failed, stdout } = await execa(
    'git',
    ['status', '--porcelain', '--untracked-files=no', '--', '.', ':!*flake.lock'],
    {
      cwd: workdir,
      reject: false,
    },
  )
  if (failed) return []
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => line.slice(3))
}

/** Discards all changes in the workdir and recreates it from the flake. */
export async function resetWorkdir(source: string, workdir: string): Promise<void> {
  await createWorkdir(source, workdir, await fingerprint(source, true))
}

async function createWorkdir(
  source: string,
  workdir: string,
  expected: string,
): Promise<'created' | 'created-without-git'> {
  // Created under a temporary name, so that an interruption leaves either the old or the new workdir.
  const fresh = `${workdir}.new`
  await rm(fresh, { recursive: true, force: true })
  await mkdir(dirname(workdir), { recursive: true, mode: 0o700 })
  await mkdir(fresh, { mode: 0o700 })
  if (existsSync(source)) await cp(source, fresh, { recursive: true, filter: (path) => belongsToFlake(source, path) })
  const repository = await createRepository(fresh)
  // A project without a lock file keeps the one that was written in the old workdir: without a network, Nix cannot
  // write another. It is not committed, since the profile may have to remove it (`removeLabLock`), but Nix must see it.
  if (!existsSync(join(fresh, 'flake.lock')) && existsSync(join(workdir, 'flake.lock'))) {
    await cp(join(workdir, 'flake.lock'), join(fresh, 'flake.lock'))
    if (repository) await execa('git', ['add', '--intent-to-add', 'flake.lock'], { cwd: fresh })
  }
  if (repository) await writeFile(join(fresh, '.git', 'understudy-source'), expected)
  await rm(workdir, { recursive: true, force: true })
  await rename(fresh, workdir)
  return repository ? 'created' : 'created-without-git'
}

/** @returns whether git is installed */
async function createRepository(folder: string): Promise<boolean> {
  const git = (...args: string[]) =>
    execa('git', args, { cwd: folder, env: { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' } })
  try {
    await git('init', '--quiet', '--initial-branch=main')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
  await git('add', '.')
  await git(...COMMITTER, 'commit', '--quiet', '--allow-empty', '--message', 'Flake of the deck')
  return true
}
