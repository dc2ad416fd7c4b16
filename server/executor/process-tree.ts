import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'

/**
 * Finds and ends the processes that a shell has started, also those that wanted to outlive it (`setsid`, `nohup`, double
 * forks). Linux only: everything is read from /proc (proc(5)).
 */

/** A process, told apart from a later one with the same number by when it started. */
export interface ProcessId {
  pid: number
  /** Clock ticks since boot: field 22 of /proc/<pid>/stat. */
  start: number
}

interface Process extends ProcessId {
  parent: number
  session: number
  /** Field 3 of /proc/<pid>/stat: Z is dead and waits to be reaped. */
  state: string
}

/** Names the variable in the environment of every process of a session. */
export const MARKER = 'UNDERSTUDY_SESSION'

async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(pids.map((pid) => readProcess(Number(pid))))
  return found.filter((process) => process !== undefined)
}

async function readProcess(pid: number): Promise<Process | undefined> {
  return parseStat(pid, await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))
}

function parseStat(pid: number, stat: string): Process | undefined {
  // The name in brackets may hold anything, brackets and spaces too: the fields count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 20) return undefined
  return { pid, state: fields[0] ?? '', parent: Number(fields[1]), session: Number(fields[3]), start: Number(fields[19]) }
}

/** A living process; undefined where there is none. At once, so that a new shell is known before anything else happens. */
export function identify(pid: number): ProcessId | undefined {
  try {
    const process = parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'utf8'))
    return process && process.state !== 'Z' ? { pid, start: process.start } : undefined
  } catch {
    return undefined
  }
}

/** Whether a shell is the foreground of its own terminal (fields 1 and 8 of /proc/<pid>/stat: a shell leads its process group). */
export function hasTerminal(shell: number): boolean {
  try {
    const stat = readFileSync(`/proc/${shell}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[5]) === shell
  } catch {
    return false
  }
}

async function hasMarker(pid: number, marker: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
  return environment.split('\0').includes(`${MARKER}=${marker}`)
}

/**
 * The living processes of a session.
 *
 * @param marker value of `UNDERSTUDY_SESSION` in its environment
 * @param known processes that belong to it for sure: the shell, and what was seen before (Nix starts builders with an empty
 *   environment, and they may lose their parent)
 */
export async function membersOf(marker: string, known: Iterable<ProcessId>): Promise<ProcessId[]> {
  const all = (await processes()).filter((each) => each.state !== 'Z' && each.pid !== process.pid)
  const starts = new Map([...known].map(({ pid, start }) => [pid, start]))
  const members = new Map<number, Process>()
  const sessions = new Set<number>()
  for (const each of all)
    if (starts.get(each.pid) === each.start || (await hasMarker(each.pid, marker))) {
      members.set(each.pid, each)
      // The leader of a session of its own: what it left there is its own too.
      if (each.session === each.pid) sessions.add(each.session)
    }
  for (let grown = true; grown; ) {
    grown = false
    for (const each of all)
      if (!members.has(each.pid) && (members.has(each.parent) || sessions.has(each.session))) {
        members.set(each.pid, each)
        if (each.session === each.pid) sessions.add(each.session)
        grown = true
      }
  }
  return [...members.values()].map(({ pid, start }) => ({ pid, start }))
}

/**
 * Ends a session, also what its processes start meanwhile, and what loses its parent and its marker while they end.
 *
 * @param known as for `membersOf`
 * @returns those that were there at first
 */
export function endSession(marker: string, known: Iterable<ProcessId>): Promise<ProcessId[]> {
  const seen = new Map([...known].map((process) => [process.pid, process]))
  return endProcesses(async () => {
    const members = await membersOf(marker, seen.values())
    for (const member of members) seen.set(member.pid, member)
    return members
  })
}

/** How long a process has to end by itself after a signal, in milliseconds, before the next, stronger one. */
const PATIENCE = { SIGHUP: 300, SIGTERM: 1500, SIGKILL: 3000 } as const

/**
 * Ends processes: a hang-up first, as when a terminal is closed, then harder.
 *
 * @param find asked again before every signal: what is being ended may start others
 * @returns those that were there at first
 */
async function endProcesses(find: () => Promise<ProcessId[]>): Promise<ProcessId[]> {
  const first = await find()
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGKILL'] as const) {
    let left = await find()
    for (const { pid } of left)
      try {
        process.kill(pid, signal)
      } catch {
        // It ended on its own meanwhile.
      }
    for (const end = performance.now() + PATIENCE[signal]; left.length > 0 && performance.now() < end; left = await find())
      await new Promise((done) => setTimeout(done, 25))
    if (left.length === 0) break
  }
  return first
}
