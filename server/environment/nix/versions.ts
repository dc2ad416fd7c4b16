import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { z } from 'zod'
import { json } from '../../../shared/json.ts'

const lock = z.object({
  nodes: z.object({
    nixpkgs: z.object({ locked: z.object({ rev: z.string().optional(), path: z.string().optional() }) }),
  }),
})

/**
 * Reads the versions that a run depends on besides the flake: that of Nix, and the locked nixpkgs (a revision; a path
 * in the lab).
 *
 * @param env environment of the steps' shells
 */
export async function nixVersions(
  workdir: string,
  env: Record<string, string>,
): Promise<{ nix?: string; nixpkgs?: string }> {
  const { stdout } = await execa('nix', ['--version'], { env, extendEnv: false, reject: false })
  const nix = /\d[\w.]*/.exec(typeof stdout === 'string' ? stdout : '')?.[0]
  // Unknown if the lock file is missing or invalid.
  const locked = lock.safeParse(json(await readFile(join(workdir, 'flake.lock'), 'utf8').catch(() => '')))
  const nixpkgs = locked.success
    ? (locked.data.nodes.nixpkgs.locked.rev ?? locked.data.nodes.nixpkgs.locked.path)
    : undefined
  return { ...(nix !== undefined && { nix }), ...(nixpkgs !== undefined && { nixpkgs }) }
}
