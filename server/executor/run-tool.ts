import { randomBytes } from 'node:crypto'
import { execa } from 'execa'
import type { ProcessRegistry } from './process-registry.ts'
import { endSession, identify, MARKER } from './process-tree.ts'

export interface ToolOptions {
  /** Called with each line of its output. */
  onLine: (line: string) => void
  /** Ends it, and every process that it has started. */
  signal: AbortSignal
  /** Remembers it, so that the next start ends what a killed server has left. */
  registry: ProcessRegistry
  env?: Record<string, string>
}

/** How a tool ended. */
export interface ToolEnd {
  /** undefined where it could not be started, or was ended by a signal. */
  exit: number | undefined
  /** The lines of its error output, and why it could not be started. */
  errors: string[]
}

/**
 * Runs a program that prepares the talk. It never throws but for the signal: a talk starts without what could not be prepared.
 *
 * @throws the signal's reason, once nothing of the program runs any more
 */
export async function runTool(
  program: string,
  args: string[],
  { onLine, signal, registry, env }: ToolOptions,
): Promise<ToolEnd> {
  signal.throwIfAborted()
  const marker = randomBytes(12).toString('hex')
  const child = execa(program, args, { reject: false, lines: true, stdin: 'ignore', env: { ...env, [MARKER]: marker } })
  const itself = identify(child.pid ?? 0)
  const known = itself ? [itself] : []
  void registry.note(marker, known)
  let ending: Promise<unknown> | undefined
  const end = () => (ending = endSession(marker, known))
  signal.addEventListener('abort', end, { once: true })
  try {
    for await (const line of child.iterable({ from: 'stdout' })) onLine(line)
  } catch {
    // It did not end well: the result says how.
  }
  const { exitCode, stderr, failed, shortMessage } = await child
  signal.removeEventListener('abort', end)
  await ending
  await registry.note(marker, [])
  signal.throwIfAborted()
  return { exit: exitCode, errors: stderr.length > 0 || !failed ? stderr : [shortMessage ?? `${program} did not run.`] }
}
