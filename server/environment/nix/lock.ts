import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nix, type NixPlace } from './nix.ts'

/** The lock files of the bundled flake: its own, and that of the flake in `spa/`. */
const LOCKS = ['flake.lock', join('spa', 'flake.lock')]

/**
 * Locks the flake in the workdir and writes its lock files into the project's tree, to be committed. The only thing that writes there.
 *
 * @param flake the deck's flake (`nix/`), absolute
 * @param update take newer versions of every input
 * @returns the lock files that changed, relative to the flake
 * @throws NixError
 */
export async function writeLock(
  place: NixPlace,
  flake: string,
  update: boolean,
  onLine?: (line: string) => void,
): Promise<string[]> {
  const changed: string[] = []
  // The inner flake first: the outer one follows it.
  for (const lock of LOCKS.toReversed()) {
    const folder = join(place.workdir, lock, '..')
    const manifest = await readFile(join(folder, 'flake.nix'), 'utf8').catch(() => undefined)
    if (manifest === undefined) continue
    await nix({ ...place, workdir: folder }, 'nix', ['flake', update ? 'update' : 'lock'], onLine)
    const fresh = await readFile(join(folder, 'flake.lock'), 'utf8').catch(() => undefined)
    if (fresh === undefined || fresh === (await readFile(join(flake, lock), 'utf8').catch(() => undefined))) continue
    await copyFile(join(folder, 'flake.lock'), join(flake, lock))
    changed.push(lock)
  }
  return changed
}
