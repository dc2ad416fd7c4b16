import { randomBytes } from 'node:crypto'
import { execa } from 'execa'
import type { ProcessRegistry } from './process-registry.ts'
import { endSession, identify, MARKER_VARIABLE } from './process-tree.ts'

export interface ToolOptions {
  /** Receives each line of standard output. */
  onLine: (line: string) => void
  /** Ends the tool and every process that it has started. */
  signal: AbortSignal
  /** Records the tool, so that the next start can end it if this server is killed. */
  registry: ProcessRegistry
  /** Environment variables in addition to the server's. */
  env?: Record<string, string>
}

export interface ToolResult {
  /** Exit status; undefined if the tool could not be started or was ended by a signal. */
  exit: number | undefined
  /** The lines of standard error, or the reason why the tool could not be started. */
  errors: string[]
}

/**
 * Runs a program that prepares the talk. A failure is a result, not an error: the talk starts even if a preparation
 * fails.
 *
 * @throws the reason of `signal`, after all processes of the tool have ended
 */
export async function runTool(
  program: string,
  args: string[],
  { onLine, signal, registry, env }: ToolOptions,
): Promise<ToolResult> {
  signal.throwIfAborted()
  const marker = randomBytes(12).toString('hex')
  const child = execa(program, args, {
    reject: false,
    lines: true,
    stdin: 'ignore',
    env: { ...env, [MARKER_VARIABLE]: marker },
  })
  const leader = identify(child.pid ?? 0)
  const known = leader ? [leader] : []
  void registry.record(marker, known)
  let ending: Promise<unknown> | undefined
  const onAbort = () => void (ending = endSession(marker, known))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for await (const line of child.iterable({ from: 'stdout' })) onLine(line)
  } catch {
    // The tool has failed: the result below describes it.
  }
  const { exitCode, stderr, failed, shortMessage } = await child
  signal.removeEventListener('abort', onAbort)
  await ending
  await registry.record(marker, [])
  signal.throwIfAborted()
  return { exit: exitCode, errors: stderr.length > 0 || !failed ? stderr : [shortMessage ?? `${program} did not run.`] }
}
