import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { endSession, identify, type ProcessId } from './process-tree.ts'

const processId = z.object({ pid: z.number().int(), start: z.number() })
const registryFile = z.object({
  boot: z.string(),
  server: processId,
  sessions: z.record(z.string(), z.array(processId)),
})

/**
 * Records the processes that this server has started in a file, by session. If the server is killed, the next server
 * finds and ends them. Each server has its own file in the folder, so that several servers of one deck never write to
 * the same file.
 *
 * Format of `<pid>-<start>.json`:
 *
 *     { "boot": "<id>", "server": { "pid": 1, "start": 2 }, "sessions": { "<marker>": [{ "pid": 3, "start": 4 }] } }
 *
 * `boot` is the boot id of the machine (/proc/sys/kernel/random/boot_id), `server` the process of this server.
 */
export class ProcessRegistry {
  private readonly folder: string
  private readonly sessions = new Map<string, ProcessId[]>()
  private writing: Promise<void> = Promise.resolve()

  /** @param folder absolute path of the folder for the files, created when needed */
  constructor(folder: string) {
    this.folder = folder
  }

  /** The processes of a session, as last recorded. */
  recordedProcesses(marker: string): ProcessId[] {
    return this.sessions.get(marker) ?? []
  }

  /**
   * Replaces the recorded processes of a session; an empty list removes the session. Never throws: if the file cannot
   * be written, the talk continues, and only the cleanup after a killed server does not work.
   */
  async record(marker: string, processes: ProcessId[]): Promise<void> {
    if (processes.length === 0) this.sessions.delete(marker)
    else this.sessions.set(marker, processes)
    this.writing = this.writing.then(() => this.write()).catch(() => {})
    await this.writing
  }

  /**
   * Ends the processes that earlier servers have left running. Skips the sessions of servers that still run. A file
   * from before the last boot is removed, since its processes no longer exist. An unreadable file is kept, since
   * another version may have written it.
   *
   * @returns the processes that were ended
   */
  async endOrphans(): Promise<ProcessId[]> {
    const boot = await bootId()
    const names = (await readdir(this.folder).catch(() => [])).filter((name) => name.endsWith('.json'))
    const ended = await Promise.all(
      names.map(async (name) => {
        const file = join(this.folder, name)
        const { success, data } = registryFile.safeParse(json(await readFile(file, 'utf8').catch(() => '')))
        if (!success || (data.boot === boot && identify(data.server.pid)?.start === data.server.start)) return []
        const sessions = data.boot === boot ? Object.entries(data.sessions) : []
        const processes = await Promise.all(sessions.map(([marker, recorded]) => endSession(marker, recorded)))
        await rm(file, { force: true })
        return processes.flat()
      }),
    )
    return ended.flat()
  }

  private async write(): Promise<void> {
    const server = identify(process.pid)
    if (!server) return
    const file = join(this.folder, `${server.pid}-${server.start}.json`)
    if (this.sessions.size === 0) return rm(file, { force: true })
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    const text = JSON.stringify({ boot: await bootId(), server, sessions: Object.fromEntries(this.sessions) })
    // Not flushed to the disk: the file is useless after a crash of the machine.
    await writeFile(`${file}.new`, text, { mode: 0o600 })
    await rename(`${file}.new`, file)
  }
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim()
}
