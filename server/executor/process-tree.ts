import { readdirSync, readFileSync } from 'node:fs'
import { uptime } from 'node:os'

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

/**
 * Files of /proc that are read in one go: a read takes some hundredths of a millisecond, and many times that by Node's threads. Keys that
 * are typed meanwhile wait a tenth of a millisecond.
 */
const AT_ONCE = 8

async function processes(): Promise<Process[]> {
  const pids = namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const found: Process[] = []
  for (const [index, pid] of pids.entries()) {
    if (index % AT_ONCE === 0) await othersFirst()
    const process = parseStat(pid, textOf(`/proc/${pid}/stat`))
    if (process) found.push(process)
  }
  return found
}

const othersFirst = () => new Promise<void>((done) => setImmediate(done))

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The text of a file of /proc; none where the process is gone, or somebody else's. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

function parseStat(pid: number, stat: string): Process | undefined {
  // The name in brackets may hold anything, brackets and spaces too: the fields count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 20) return undefined
  return {
    pid,
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    session: Number(fields[3]),
    start: Number(fields[19]),
  }
}

/** A living process; undefined where there is none. At once, so that a new shell is known before anything else happens. */
export function identify(pid: number): ProcessId | undefined {
  const process = parseStat(pid, textOf(`/proc/${pid}/stat`))
  return process && process.state !== 'Z' ? { pid, start: process.start } : undefined
}

/** Whether a shell is the foreground of its own terminal (fields 1 and 8 of /proc/<pid>/stat: a shell leads its process group). */
export function hasTerminal(shell: number): boolean {
  const stat = textOf(`/proc/${shell}/stat`)
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[5]) === shell
}

/** Processes that are of no session, each with when it started: those that are as they will stay are not read again. */
const strangers = new Map<number, number>()
/** Clock ticks (1/100 s, proc(5)) after which a process that was forked has become the program that it was forked for. */
const SETTLED = 200

/** The session that a process is of, by its environment; undefined where it is of none. */
function markerOf({ pid, start }: Process): string | undefined {
  if (strangers.get(pid) === start) return undefined
  const prefix = `${MARKER}=`
  const entry = textOf(`/proc/${pid}/environ`)
    .split('\0')
    .find((text) => text.startsWith(prefix))
  if (entry === undefined && uptime() * 100 - start > SETTLED) strangers.set(pid, start)
  return entry?.slice(prefix.length)
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
  for (const [index, each] of all.entries()) {
    if (index % AT_ONCE === 0) await othersFirst()
    if (starts.get(each.pid) === each.start || markerOf(each) === marker) {
      members.set(each.pid, each)
      // The leader of a session of its own: what it left there is its own too.
      if (each.session === each.pid) sessions.add(each.session)
    }
  }
  for (let grown = true; grown;) {
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
    for (
      const end = performance.now() + PATIENCE[signal];
      left.length > 0 && performance.now() < end;
      left = await find()
    )
      await new Promise((done) => setTimeout(done, 25))
    if (left.length === 0) break
  }
  return first
}
