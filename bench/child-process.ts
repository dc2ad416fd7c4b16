import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A process of a benchmark: each part has one of its own, as in life, so that none delays another. */
export interface Part<Ready> {
  child: ChildProcess
  pid: number
  /** What it said first. */
  ready: Ready
  end: () => Promise<void>
}

/**
 * Starts a file of this folder as a process.
 *
 * @param file relative to this folder
 * @returns once it has sent its first message
 */
export async function startPart<Ready>(
  file: string,
  args: string[] = [],
  ready: (message: unknown) => Ready,
): Promise<Part<Ready>> {
  // Node itself knows TypeScript since 22.18 only.
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: ['--import', 'jiti/register'],
  })
  const ended = once(child, 'exit')
  const first = await Promise.race([once(child, 'message'), ended.then(() => undefined)])
  if (!first) throw new Error(`bench/${file} ended before it was ready.`)
  return {
    child,
    pid: child.pid ?? 0,
    ready: ready(first[0]),
    async end() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** Resident memory of a process in bytes (VmRSS of proc(5)). */
export function residentMemory(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN) * 1024
}

/** Seconds of processor time that a process has used (fields 14 and 15 of /proc/<pid>/stat, in ticks of 1/100 s). */
export function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

export const sleep = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds))
