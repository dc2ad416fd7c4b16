import { readdir, readFile } from 'node:fs/promises'

/** A running process of this machine. */
export interface RunningProcess {
  pid: number
  /** The program and its arguments, separated by spaces. */
  command: string
}

/** Finds the running processes whose command line matches a pattern. */
export async function findProcesses(pattern: RegExp): Promise<RunningProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const processes = await Promise.all(
    pids.map(async (pid) => {
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return { pid, command: commandLine.replaceAll('\0', ' ').trim() }
    }),
  )
  return processes.filter(({ command }) => pattern.test(command))
}

/** Counts the running processes that a session has started, which have its marker in their environment. */
export async function countSessionProcesses(sessionId: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')))
  return environments.filter((environment) => environment.includes(`UNDERSTUDY_SESSION=${sessionId}`)).length
}
