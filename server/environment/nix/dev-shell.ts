import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { nix, type NixContext } from './nix.ts'

/** The used part of the output of `nix print-dev-env --json` (Nix manual, "nix print-dev-env"). */
const devEnvSchema = z.object({
  variables: z.record(
    z.string(),
    z.union([z.object({ type: z.literal('exported'), value: z.string() }), z.object({ type: z.string() })]),
  ),
})

/** Variables that belong to the build of the shell or to the user, not to the programs in the shell. */
const EXCLUDED_VARIABLES = new Set([
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
 * Reads the environment of the flake's development shell. With it, steps require only Nix on the machine.
 *
 * @param profile link that protects the shell from garbage collection, absolute
 * @returns the exported variables; PATH begins with the programs of the shell
 * @throws NixError, for example if the flake has no `devShells.<system>.default`
 */
export async function devShellEnvironment(
  context: NixContext,
  profile: string,
  onLine?: (line: string) => void,
): Promise<Record<string, string>> {
  // Nix does not remove the temporary folder of a shell that is printed but not entered.
  const folder = await mkdtemp(join(tmpdir(), 'understudy-shell-'))
  const text = await nix(
    { ...context, env: { ...context.env, TMPDIR: folder } },
    'nix',
    ['print-dev-env', '--json', '--profile', profile, '.#default'],
    onLine,
  ).finally(() => rm(folder, { recursive: true, force: true }))
  const { variables } = devEnvSchema.parse(JSON.parse(text))
  const env: Record<string, string> = {}
  for (const [name, variable] of Object.entries(variables))
    if (
      'value' in variable &&
      !EXCLUDED_VARIABLES.has(name) &&
      !/^(dont|do|deps|native|propagated|preferLocal|build|configure|cmake|meson|patches)/.test(name)
    )
      env[name] = variable.value
  return { ...env, PATH: [env.PATH, context.env.PATH].filter(Boolean).join(':') }
}
