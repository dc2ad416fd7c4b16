import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { nix, type NixPlace } from './nix.ts'

/** What `nix print-dev-env --json` prints, as far as it is used (Nix manual, "nix print-dev-env"). */
const printed = z.object({
  variables: z.record(
    z.string(),
    z.union([z.object({ type: z.literal('exported'), value: z.string() }), z.object({ type: z.string() })]),
  ),
})

/** What belongs to the build of the shell, or to the user, and not to the programs in it. */
const NOT_OURS = new Set([
  'HOME',
  'TMP',
  'TMPDIR',
  'TEMP',
  'TEMPDIR',
  'NIX_BUILD_TOP',
  'NIX_BUILD_CORES',
  'NIX_LOG_FD',
  'NIX_STORE',
  'TERM',
  'TZ',
  'SHELL',
  'PWD',
  'OLDPWD',
  'SHLVL',
  'PS1',
  'out',
  'outputs',
  'name',
  'system',
  'builder',
  'stdenv',
  'shellHook',
  'phases',
  'buildPhase',
  'SSL_CERT_FILE',
  'NIX_SSL_CERT_FILE',
  'SOURCE_DATE_EPOCH',
  'IN_NIX_SHELL',
  '__structuredAttrs',
  'strictDeps',
])

/**
 * The environment of the flake's development shell, so that steps find its programs on a machine that has only Nix.
 *
 * @param profile link that keeps the shell from being collected as garbage, absolute
 * @returns the exported variables, its PATH before that of the user
 * @throws NixError, among others where the flake has no `devShells.<system>.default`
 */
export async function devShellEnvironment(
  place: NixPlace,
  profile: string,
  onLine?: (line: string) => void,
): Promise<Record<string, string>> {
  // Nix makes a folder for the shell that is not entered, and leaves it.
  const folder = await mkdtemp(join(tmpdir(), 'understudy-shell-'))
  const text = await nix(
    { ...place, env: { ...place.env, TMPDIR: folder } },
    'nix',
    ['print-dev-env', '--json', '--profile', profile, '.#default'],
    onLine,
  ).finally(() => rm(folder, { recursive: true, force: true }))
  const { variables } = printed.parse(JSON.parse(text))
  const env: Record<string, string> = {}
  for (const [name, variable] of Object.entries(variables))
    if (
      'value' in variable &&
      !NOT_OURS.has(name) &&
      !/^(dont|do|deps|native|propagated|preferLocal|build|configure|cmake|meson|patches)/.test(name)
    )
      env[name] = variable.value
  return { ...env, PATH: [env.PATH, place.env.PATH].filter(Boolean).join(':') }
}
