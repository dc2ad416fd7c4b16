import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { endSession, identify, type ProcessId } from './process-tree.ts'

const processId = z.object({ pid: z.number().int(), start: z.number() })
const ledgerFile = z.object({
  boot: z.string(),
  servers: z.record(z.string(), processId),
  sessions: z.record(z.string(), z.array(processId)),
})

/**
 * The processes that this server has started, in a file: a server that was killed cannot end them, the next one can.
 *
 * Format: `{ "boot": "<id>", "servers": { "<marker>": { "pid": 1, "start": 2 } }, "sessions": { "<marker>": [{ "pid": 3, "start": 4 }] } }`:
 * the server and the processes of each session, `boot` as in /proc/sys/kernel/random/boot_id, `start` as in /proc/<pid>/stat.
 */
export class Ledger {
  private readonly file: string
  private readonly sessions = new Map<string, ProcessId[]>()
  /** Sessions of another server that runs: they are its own to end. */
  private readonly others = new Map<string, { server: ProcessId; processes: ProcessId[] }>()
  private writing: Promise<void> = Promise.resolve()

  constructor(file: string) {
    this.file = file
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
   * Ends what an earlier server has left behind, and returns it. To be called before the first session. A damaged file, or one
   * from before the machine was started, counts as an empty one.
   */
  async cleanUp(): Promise<ProcessId[]> {
    const parsed = ledgerFile.safeParse(parse(await readFile(this.file, 'utf8').catch(() => '')))
    if (!parsed.success || parsed.data.boot !== (await bootId())) return []
    const ended: ProcessId[] = []
    for (const [marker, processes] of Object.entries(parsed.data.sessions)) {
      const server = parsed.data.servers[marker]
      if (server && identify(server.pid)?.start === server.start) this.others.set(marker, { server, processes })
      else ended.push(...(await endSession(marker, processes)))
    }
    await this.write()
    return ended
  }

  private async write(): Promise<void> {
    const server = identify(process.pid)
    if (!server) return
    const all = new Map([...this.others, ...[...this.sessions].map(([marker, processes]) => [marker, { server, processes }] as const)])
    const text = JSON.stringify({
      boot: await bootId(),
      servers: Object.fromEntries([...all].map(([marker, each]) => [marker, each.server])),
      sessions: Object.fromEntries([...all].map(([marker, each]) => [marker, each.processes])),
    })
    await mkdir(dirname(this.file), { recursive: true, mode: 0o700 })
    const next = `${this.file}.${process.pid}`
    await writeFile(next, text, { mode: 0o600 })
    await rename(next, this.file)
  }
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
