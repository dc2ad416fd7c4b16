import { execa } from 'execa'

/** The folder and environment in which Nix runs for a deck. */
export interface NixContext {
  /** The workdir, absolute: `.` in an installable is the flake in it. */
  workdir: string
  /** The environment of the steps' shells. */
  env: Record<string, string>
  signal?: AbortSignal
}

/** Thrown if Nix fails. The message is the end of Nix's error output. */
export class NixError extends Error {
  override name = 'NixError'
}

/** Lines that do not help the user: warnings about retries, and the hint about --show-trace. */
const NOISE = /^warning:|^\(use '--show-trace'/
/** Lines that are not progress: noise, and errors, which the final message contains. */
const NOT_PROGRESS = /^warning:|^error:|^\(use '--show-trace'/

/** Lines of the error output that a message contains. */
const MAX_MESSAGE_LINES = 12

/**
 * Runs a Nix program.
 *
 * @param onLine receives each line of progress
 * @returns its standard output
 * @throws NixError
 */
export async function nix(
  context: NixContext,
  program: 'nix' | 'nix-store',
  args: string[],
  onLine: (line: string) => void = () => {},
): Promise<string> {
  const running = execa(program, args, {
    cwd: context.workdir,
    env: context.env,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    ...(context.signal && { cancelSignal: context.signal }),
  })
  for await (const line of running.iterable({ from: 'stderr' })) if (!NOT_PROGRESS.test(line)) onLine(line)
  const { exitCode, stdout, stderr, isCanceled, shortMessage } = await running
  context.signal?.throwIfAborted()
  if (exitCode === 0 && !isCanceled) return stdout
  const lines = stderr
    .trim()
    .split('\n')
    .filter((line) => !NOISE.test(line))
  throw new NixError(
    [...new Set(lines)].slice(-MAX_MESSAGE_LINES).join('\n') || shortMessage || `${program} ${args[0]} failed.`,
  )
}
