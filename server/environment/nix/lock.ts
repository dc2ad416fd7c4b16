import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nix, type NixContext } from './nix.ts'

/** The lock files of the bundled flake and of the flake in its folder `spa/`, whose inputs it follows. */
const LOCKS = ['flake.lock', join('spa', 'flake.lock')]

/**
 * Locks the flake in the workdir and copies its lock files into the project's tree. No other code writes there.
 *
 * @param flake the deck's flake (`nix/`), absolute
 * @param update whether to update all inputs
 * @returns the lock files that changed, relative to the flake
 * @throws NixError
 */
export async function writeLock(
  context: NixContext,
  flake: string,
  update: boolean,
  onLine?: (line: string) => void,
): Promise<string[]> {
  const changed: string[] = []
  // The inner flake is locked first, because the outer one follows its inputs.
  for (const lock of LOCKS.toReversed()) {
    const folder = join(context.workdir, lock, '..')
    const manifest = await readFile(join(folder, 'flake.nix'), 'utf8').catch(() => undefined)
    if (manifest === undefined) continue
    await nix({ ...context, workdir: folder }, 'nix', ['flake', update ? 'update' : 'lock'], onLine)
    const fresh = await readFile(join(folder, 'flake.lock'), 'utf8').catch(() => undefined)
    if (fresh === undefined || fresh === (await readFile(join(flake, lock), 'utf8').catch(() => undefined))) continue
    await copyFile(join(folder, 'flake.lock'), join(flake, lock))
    changed.push(lock)
  }
  return changed
}
