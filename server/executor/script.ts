import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { StringDecoder } from 'node:string_decoder'
import type { ScriptEnd } from './executor.ts'
import type { ProcessRegistry } from './process-registry.ts'
import { endSession, identify } from './process-tree.ts'

export interface ScriptOptions {
  cwd: string
  /** The whole environment, with the marker in it. */
  env: Record<string, string>
  marker: string
  registry: ProcessRegistry
  /** That it may take. */
  seconds: number
  signal?: AbortSignal | undefined
  /** Told what it prints, as it prints it: pieces of bytes, cut anywhere. */
  onOutput?: ((bytes: Buffer, from: 'stdout' | 'stderr') => void) | undefined
  /** Ends what runs elsewhere by it, besides the processes of this machine. */
  endElsewhere?: () => Promise<void>
}

/** Characters of a script's output that are kept: a value, or the last lines of what went wrong. */
const KEPT = 16_384
/** Milliseconds that the last output of a script may take to be read. */
const UNREAD = 2000

/** Runs a program outside of any terminal, and ends whatever it has started. */
export async function runScript(
  program: string,
  args: string[],
  { cwd, env, marker, registry, seconds, signal, onOutput, endElsewhere }: ScriptOptions,
): Promise<ScriptEnd> {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let value = ''
  let output = ''
  for (const from of ['stdout', 'stderr'] as const) {
    // One per stream: the bytes of a character may be split between two reads.
    const decoder = new StringDecoder('utf8')
    const append = (text: string) => {
      output = (output + text).slice(-KEPT)
      if (from === 'stdout') value = (value + text).slice(-KEPT)
    }
    child[from]
      .on('data', (chunk: Buffer) => {
        append(decoder.write(chunk))
        onOutput?.(chunk, from)
      })
      .on('end', () => append(decoder.end()))
  }
  const closed = once(child, 'close').catch(() => {})
  const itself = identify(child.pid ?? 0)
  const known = itself ? [itself] : []
  void registry.note(marker, known)
  let ended = false
  const end = async () => {
    ended = true
    await endElsewhere?.()
    await endSession(marker, known)
  }
  const late = setTimeout(() => void end(), seconds * 1000)
  const abort = () => void end()
  signal?.addEventListener('abort', abort, { once: true })
  // Its end, not that of its outputs: what it leaves in the background may hold them open.
  const exit = await new Promise<number | null>((done) =>
    child.once('error', () => done(null)).once('exit', (status) => done(status)),
  )
  clearTimeout(late)
  signal?.removeEventListener('abort', abort)
  const byItself = exit !== null && !ended
  await end()
  await registry.note(marker, [])
  // Nothing holds its outputs open any more: what it has printed last is still to be read.
  if (exit !== null) await Promise.race([closed, new Promise((done) => setTimeout(done, UNREAD).unref())])
  return { exit: byItself ? exit : null, value: value.trim(), output: output.trim() }
}
