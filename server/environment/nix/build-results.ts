import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { nix, type NixContext } from './nix.ts'

/** A build result that Nix could not delete. */
export interface KeptResult {
  installable: string
  /** The garbage collection roots that refer to it; empty if another store path does. */
  roots: string[]
}

/**
 * Deletes the build results of installables from the store, so that the next build runs again. Removes the `result`
 * links in the workdir, which would protect them.
 *
 * @returns the results that could not be deleted because they are in use
 */
export async function deleteBuildResults(context: NixContext, installables: Iterable<string>): Promise<KeptResult[]> {
  for (const name of await readdir(context.workdir))
    if (/^result(-|$)/.test(name)) await rm(join(context.workdir, name))
  const kept: KeptResult[] = []
  for (const installable of installables) {
    const path = await nix(context, 'nix', ['eval', '--raw', `${installable}.outPath`]).catch(() => '')
    if (path === '' || !existsSync(path)) continue
    const deleted = await nix(context, 'nix-store', ['--delete', path]).then(
      () => true,
      () => false,
    )
    if (!deleted) kept.push({ installable, roots: await rootsOf(context, path) })
  }
  return kept
}

/** The links that protect a store path from garbage collection. */
async function rootsOf(context: NixContext, path: string): Promise<string[]> {
  const output = await nix(context, 'nix-store', ['--query', '--roots', path]).catch(() => '')
  return output
    .split('\n')
    .map((line) => line.split(' -> ')[0] ?? '')
    .filter(Boolean)
}
