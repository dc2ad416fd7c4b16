import { execa } from 'execa'

/** How Nix is called for a deck: where, and with which environment. */
export interface NixPlace {
  /** The workdir, absolute: `.` in an installable is the flake in it. */
  workdir: string
  /** The environment of the steps' shells. */
  env: Record<string, string>
  signal?: AbortSignal
}

/** Nix ended with an error. The message is the end of what it said. */
export class NixError extends Error {
  override name = 'NixError'
}

/** What helps nobody: each failed try, and how to have more said. */
const NOISE = /^warning:|^\(use '--show-trace'/
/** That, and the error, which the end tells. */
const SAID_AGAIN = /^warning:|^error:|^\(use '--show-trace'/

/**
 * Runs a Nix program.
 *
 * @param onLine called with each line that it says about its progress
 * @returns what it wrote to its standard output
 * @throws NixError
 */
export async function nix(
  place: NixPlace,
  program: 'nix' | 'nix-store',
  args: string[],
  onLine: (line: string) => void = () => {},
): Promise<string> {
  const running = execa(program, args, {
    cwd: place.workdir,
    env: place.env,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    ...(place.signal && { cancelSignal: place.signal }),
  })
  for await (const line of running.iterable({ from: 'stderr' }))
    if (!SAID_AGAIN.test(String(line))) onLine(String(line))
  const { exitCode, stdout, stderr, isCanceled, shortMessage } = await running
  place.signal?.throwIfAborted()
  if (exitCode === 0 && !isCanceled) return stdout
  const said = stderr
    .trim()
    .split('\n')
    .filter((line) => !NOISE.test(line))
  throw new NixError([...new Set(said)].slice(-12).join('\n') || shortMessage || `${program} ${args[0]} failed.`)
}
