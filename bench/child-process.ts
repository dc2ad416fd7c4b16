import { fork, type ChildProcess as NodeChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A process of a benchmark. Server, viewers and references run in separate processes, so that none delays another. */
export interface ChildProcess<Ready> {
  child: NodeChildProcess
  pid: number
  /** The first message of the process. */
  ready: Ready
  /** Disconnects from the process and waits until it has exited. */
  end: () => Promise<void>
}

/**
 * Runs a TypeScript file of this folder in a child process.
 *
 * @param file path relative to this folder
 * @param parseReady parses the first message
 * @returns the process, once it has sent its first message
 * @throws Error if the process exits before that
 */
export async function startChildProcess<Ready>(
  file: string,
  args: string[],
  parseReady: (message: unknown) => Ready,
): Promise<ChildProcess<Ready>> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Node runs TypeScript by itself only since 22.18.
    execArgv: ['--import', 'jiti/register'],
  })
  const exited = once(child, 'exit')
  const first = await Promise.race([once(child, 'message'), exited.then(() => undefined)])
  if (!first) throw new Error(`bench/${file} exited with status ${child.exitCode} before it was ready.`)
  return {
    child,
    pid: child.pid ?? 0,
    ready: parseReady(first[0]),
    async end() {
      if (child.connected) child.disconnect()
      await exited
    },
  }
}

/** @returns resident memory of a process in bytes (VmRSS of proc(5)) */
export function residentMemory(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN) * 1024
}

/** @returns processor time of a process in seconds (fields 14 and 15 of /proc/<pid>/stat, in ticks of 1/100 s) */
export function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))
