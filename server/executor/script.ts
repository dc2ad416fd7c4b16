import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { StringDecoder } from 'node:string_decoder'
import type { OutputListener, ScriptResult } from './executor.ts'
import type { ProcessRegistry } from './process-registry.ts'
import { endSession, identify } from './process-tree.ts'

export interface ScriptOptions {
  cwd: string
  /** The complete environment, including the session marker. */
  env: Record<string, string>
  /** Session marker of the script's processes. */
  marker: string
  registry: ProcessRegistry
  timeoutSeconds: number
  signal?: AbortSignal | undefined
  onOutput?: OutputListener | undefined
  /** Ends processes that the program has started in another environment, before those on this machine are ended. */
  endRemoteProcesses?: () => Promise<void>
}

/** Characters of output that a result contains: enough for a captured value, or for the last lines before an error. */
const MAX_OUTPUT_LENGTH = 16_384
/** Time limit for reading the remaining output after all processes have ended. */
const DRAIN_TIMEOUT_MS = 2000

/** Runs a program without a terminal, then ends every process that it has started. */
export async function runScript(
  program: string,
  args: string[],
  { cwd, env, marker, registry, timeoutSeconds, signal, onOutput, endRemoteProcesses }: ScriptOptions,
): Promise<ScriptResult> {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let output = ''
  for (const stream of ['stdout', 'stderr'] as const) {
    // One decoder per stream, because the bytes of a character may be split between two reads.
    const decoder = new StringDecoder('utf8')
    const append = (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT_LENGTH)
      if (stream === 'stdout') stdout = (stdout + text).slice(-MAX_OUTPUT_LENGTH)
    }
    child[stream]
      .on('data', (chunk: Buffer) => {
        append(decoder.write(chunk))
        onOutput?.(chunk, stream)
      })
      .on('end', () => append(decoder.end()))
  }
  const closed = once(child, 'close').catch(() => {})
  const leader = identify(child.pid ?? 0)
  const known = leader ? [leader] : []
  void registry.record(marker, known)
  let ended = false as boolean
  const end = async () => {
    ended = true
    await endRemoteProcesses?.()
    await endSession(marker, known)
  }
  const timer = setTimeout(() => void end(), timeoutSeconds * 1000)
  const onAbort = () => void end()
  signal?.addEventListener('abort', onAbort, { once: true })
  // "exit", not "close": background processes may keep the output streams open.
  const status = await new Promise<number | null>((resolve) =>
    child.once('error', () => resolve(null)).once('exit', (code) => resolve(code)),
  )
  clearTimeout(timer)
  signal?.removeEventListener('abort', onAbort)
  const exit = ended ? null : status
  await end()
  await registry.record(marker, [])
  if (status !== null)
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, DRAIN_TIMEOUT_MS).unref())])
  return { exit, stdout: stdout.trim(), output: output.trim() }
}
