import { readdirSync, readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/**
 * Finds and ends all processes of a session, including those that try to outlive its shell (`setsid`, `nohup`, double
 * forks). Linux only: reads /proc (proc(5)).
 *
 * Every session (a shell, a script, a tool) has a marker: a random value in the environment variable MARKER_VARIABLE of
 * its first process. Processes inherit it, so it identifies their session even after their parent has exited. A process
 * belongs to a session if
 *
 * - it has the session's marker, or
 * - it was recorded as a process of the session before, or
 * - its parent, or the leader of its POSIX session, belongs to the session.
 *
 * The last two rules find processes that have cleared their environment: Nix, for example, starts builders with an
 * empty one.
 */

/** A process. The start time distinguishes it from a later process with the same pid. */
export interface ProcessId {
  pid: number
  /** Clock ticks since boot: field 22 of /proc/<pid>/stat. */
  start: number
}

interface Process extends ProcessId {
  parent: number
  /** The POSIX session: the pid of its leader. */
  session: number
  /** Field 3 of /proc/<pid>/stat. Z (zombie): the process has ended but is not yet reaped. */
  state: string
}

/** The environment variable that contains the session marker. */
export const MARKER_VARIABLE = 'UNDERSTUDY_SESSION'

/**
 * Files of /proc that are read before the event loop handles other events. Synchronous reads take some 10 µs each;
 * asynchronous ones take many times as long. Typed keys are delayed by at most 0.1 ms.
 */
const READS_PER_TURN = 8

async function listProcesses(): Promise<Process[]> {
  const pids = listFolder('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const found: Process[] = []
  for (const [index, pid] of pids.entries()) {
    if (index % READS_PER_TURN === 0) await nextTurn()
    const process = parseStat(pid, readText(`/proc/${pid}/stat`))
    if (process) found.push(process)
  }
  return found
}

/** Lets the event loop handle pending events. */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The text of a file in /proc; empty if the process has ended or belongs to another user. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

/** The fields of /proc/<pid>/stat from the third one on. */
function statFields(stat: string): string[] {
  // The second field, the program's name in parentheses, may itself contain parentheses and spaces.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function parseStat(pid: number, stat: string): Process | undefined {
  const fields = statFields(stat)
  if (fields.length < 20) return undefined
  return {
    pid,
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    session: Number(fields[3]),
    start: Number(fields[19]),
  }
}

/**
 * Identifies a running process. Synchronous, so that a new process is recorded before anything else happens.
 *
 * @returns undefined if no process with this pid runs
 */
export function identify(pid: number): ProcessId | undefined {
  const process = parseStat(pid, readText(`/proc/${pid}/stat`))
  return process && process.state !== 'Z' ? { pid, start: process.start } : undefined
}

/**
 * Whether a shell is the foreground process group of its terminal (field 8 of /proc/<pid>/stat; a shell leads its
 * process group).
 */
export function isForeground(shellPid: number): boolean {
  return Number(statFields(readText(`/proc/${shellPid}/stat`))[5]) === shellPid
}

/**
 * Start times, by pid, of processes that have no marker and will not get one. Their environment is not read again.
 */
const unmarked = new Map<number, number>()
/**
 * Clock ticks (1/100 s, proc(5)) after which a forked process has certainly called exec, so that its environment is
 * final.
 */
const EXEC_TICKS = 200

/** The session marker in a process's environment; undefined if there is none. */
function markerOf({ pid, start }: Process): string | undefined {
  if (unmarked.get(pid) === start) return undefined
  const prefix = `${MARKER_VARIABLE}=`
  const entry = readText(`/proc/${pid}/environ`)
    .split('\0')
    .find((text) => text.startsWith(prefix))
  if (entry === undefined && uptime() * 100 - start > EXEC_TICKS) unmarked.set(pid, start)
  return entry?.slice(prefix.length)
}

/**
 * Finds the running processes of a session.
 *
 * @param known processes that are known to belong to the session: the shell, and those found earlier
 */
export async function findSessionProcesses(marker: string, known: Iterable<ProcessId>): Promise<ProcessId[]> {
  const running = (await listProcesses()).filter((each) => each.state !== 'Z' && each.pid !== process.pid)
  const knownStarts = new Map([...known].map(({ pid, start }) => [pid, start]))
  const members = new Map<number, Process>()
  const posixSessions = new Set<number>()
  const add = (each: Process) => {
    members.set(each.pid, each)
    if (each.session === each.pid) posixSessions.add(each.session)
  }
  for (const [index, each] of running.entries()) {
    if (index % READS_PER_TURN === 0) await nextTurn()
    if (knownStarts.get(each.pid) === each.start || markerOf(each) === marker) add(each)
  }
  for (let grown = true; grown;) {
    grown = false
    for (const each of running)
      if (!members.has(each.pid) && (members.has(each.parent) || posixSessions.has(each.session))) {
        add(each)
        grown = true
      }
  }
  return [...members.values()].map(({ pid, start }) => ({ pid, start }))
}

/**
 * Ends all processes of a session, including those that start, or that lose their parent or their marker, while others
 * are being ended.
 *
 * @param known as for `findSessionProcesses`
 * @returns the processes that ran at the time of the call
 */
export function endSession(marker: string, known: Iterable<ProcessId>): Promise<ProcessId[]> {
  const seen = new Map([...known].map((process) => [process.pid, process]))
  return endProcesses(async () => {
    const processes = await findSessionProcesses(marker, seen.values())
    for (const process of processes) seen.set(process.pid, process)
    return processes
  })
}

/** Time that processes have to exit after each signal, before the next signal is sent. */
const SIGNAL_TIMEOUT_MS = { SIGHUP: 300, SIGTERM: 1500, SIGKILL: 3000 } as const

const POLL_INTERVAL_MS = 25

/**
 * Ends processes with SIGHUP, as closing a terminal does, then with SIGTERM and SIGKILL.
 *
 * @param find called again before each signal, since processes that are being ended may start others
 * @returns the processes that ran at the time of the call
 */
async function endProcesses(find: () => Promise<ProcessId[]>): Promise<ProcessId[]> {
  const initial = await find()
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGKILL'] as const) {
    let remaining = await find()
    for (const { pid } of remaining)
      try {
        process.kill(pid, signal)
      } catch {
        // The process has exited in the meantime.
      }
    for (
      const deadline = performance.now() + SIGNAL_TIMEOUT_MS[signal];
      remaining.length > 0 && performance.now() < deadline;
      remaining = await find()
    )
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS))
    if (remaining.length === 0) break
  }
  return initial
}
