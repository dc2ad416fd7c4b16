import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { endSession, identify, type ProcessId } from './process-tree.ts'

const processId = z.object({ pid: z.number().int(), start: z.number() })
const ledgerFile = z.object({ boot: z.string(), server: processId, sessions: z.record(z.string(), z.array(processId)) })

/**
 * The processes that this server has started, in a file: a server that was killed cannot end them, the next one can. Each server has
 * a file of its own in the folder, so that several servers of one deck never write the same one.
 *
 * Format of `<pid>-<start>.json`: `{ "boot": "<id>", "server": { "pid": 1, "start": 2 }, "sessions": { "<marker>": [{ "pid": 3, "start": 4 }] } }`:
 * the server and the processes of each session, `boot` as in /proc/sys/kernel/random/boot_id, `start` as in /proc/<pid>/stat.
 */
export class ProcessRegistry {
  private readonly folder: string
  private readonly sessions = new Map<string, ProcessId[]>()
  private writing: Promise<void> = Promise.resolve()

  /** @param folder of the files, absolute; it is made when it is needed */
  constructor(folder: string) {
    this.folder = folder
  }

  /** The processes last seen of a session. */
  known(marker: string): ProcessId[] {
    return this.sessions.get(marker) ?? []
  }

  /**
   * Notes the processes of a session; none of them removes it. Never throws: with a full disk the talk goes on, and only what a
   * killed server leaves behind is not found again.
   */
  async note(marker: string, processes: ProcessId[]): Promise<void> {
    if (processes.length === 0) this.sessions.delete(marker)
    else this.sessions.set(marker, processes)
    this.writing = this.writing.then(() => this.write()).catch(() => {})
    await this.writing
  }

  /**
   * Ends what earlier servers have left behind, and returns it. The sessions of a server that runs are its own to end. A file from
   * before the machine was started counts as empty; one that cannot be read is left alone: it may be another version's.
   */
  async cleanUp(): Promise<ProcessId[]> {
    const boot = await bootId()
    const names = (await readdir(this.folder).catch(() => [])).filter((name) => name.endsWith('.json'))
    const ended = await Promise.all(
      names.map(async (name) => {
        const file = join(this.folder, name)
        const { success, data } = ledgerFile.safeParse(json(await readFile(file, 'utf8').catch(() => '')))
        if (!success || (data.boot === boot && identify(data.server.pid)?.start === data.server.start)) return []
        const sessions = data.boot === boot ? Object.entries(data.sessions) : []
        const processes = await Promise.all(sessions.map(([marker, processes]) => endSession(marker, processes)))
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
    await writeFile(`${file}.new`, text, { mode: 0o600 })
    await rename(`${file}.new`, file)
  }
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim()
}
