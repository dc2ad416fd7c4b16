import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { chooseProfile } from './profile.ts'

test('without a network, Nix tries to download nixpkgs once, and the profile is lab', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'))
  try {
    // Acts as a Nix that is recent enough for the profile nixos and cannot reach nixpkgs.
    await writeFile(
      join(folder, 'nix'),
      `#!/bin/sh\nif [ "$1" = --version ]; then echo 'nix (Nix) 2.34.8'; else echo "$@" >'${folder}/arguments'; exit 1; fi\n`,
    )
    await chmod(join(folder, 'nix'), 0o755)
    vi.stubEnv('PATH', `${folder}:${process.env.PATH ?? ''}`)
    expect(await chooseProfile(folder, new AbortController().signal)).toBe('lab')
    expect(await readFile(join(folder, 'arguments'), 'utf8')).toContain('--option download-attempts 1 ')
  } finally {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  }
})
