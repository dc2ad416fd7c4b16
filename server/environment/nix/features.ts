import { execa } from 'execa'

/** A reason why commands such as `nix build` fail on a machine that has Nix. */
export type NixProblem =
  /** These experimental features are not enabled, which is the default of Nix. */
  | { kind: 'disabled-features'; features: readonly string[] }
  /** `message` is that of Nix. */
  | { kind: 'failure'; message: string }

/** A call of Nix with a subcommand, which is experimental. */
const SUBCOMMAND = /^(\s*(sudo|exec|time|\w+=\S*))*\s*nix\s+(-\S+\s+)*[a-z]/

/** The setting that enables the experimental features. */
export const ENABLE_FEATURES = 'Add to nix.conf: experimental-features = nix-command flakes'

/**
 * Checks whether Nix has the features that its subcommands need. Takes some milliseconds. `nix config show` has another
 * name in versions before 2.17; an evaluation works in all of them.
 *
 * @param env the complete environment of the steps
 */
export async function findNixProblem(env: Record<string, string>): Promise<NixProblem | undefined> {
  const { stdout, stderr, exitCode } = await execa('nix', ['eval', '--expr', 'builtins ? getFlake'], {
    env,
    extendEnv: false,
    reject: false,
  })
  if (stdout === 'true') return undefined
  if (exitCode === 0) return { kind: 'disabled-features', features: ['flakes'] }
  if (stderr.includes("'nix-command' is disabled"))
    return { kind: 'disabled-features', features: ['nix-command', 'flakes'] }
  return {
    kind: 'failure',
    message: stderr.split('\n').find((line) => line.startsWith('error')) ?? stderr.slice(0, 200),
  }
}

/** Describes the problem in a sentence. */
export function describeNixProblem(problem: NixProblem): string {
  switch (problem.kind) {
    case 'disabled-features':
      return `Nix has ${problem.features.map((name) => `"${name}"`).join(' and ')} disabled`
    case 'failure':
      return `Nix does not work: ${problem.message}`
  }
}

/** Whether a problem makes a command fail. */
export function affectsCommand(problem: NixProblem, command: string): boolean {
  // `nix eval --expr 1` needs no flakes.
  const needsFlakes = (part: string) => !/\s(--expr|--file|-f)\s/.test(part)
  const onlyFlakes = problem.kind === 'disabled-features' && !problem.features.includes('nix-command')
  return command
    .split(/[\n;|&()]+/)
    .filter((part) => SUBCOMMAND.test(part) && !part.includes('experimental-features'))
    .some((part) => !onlyFlakes || needsFlakes(part))
}
