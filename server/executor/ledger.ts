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
  /** Markers of sessions that are over. What else the file holds is another server's, and stays. */
  private readonly over = new Set<string>()
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
    if (processes.length === 0) {
      this.sessions.delete(marker)
      this.over.add(marker)
    } else this.sessions.set(marker, processes)
    this.writing = this.writing.then(() => this.write()).catch(() => {})
    await this.writing
  }

  /**
   * Ends what an earlier server has left behind, and returns it. To be called before the first session. A damaged file, or one
   * from before the machine was started, counts as an empty one.
   */
  async cleanUp(): Promise<ProcessId[]> {
    const { servers, sessions } = await this.read()
    const ended: ProcessId[] = []
    for (const [marker, processes] of Object.entries(sessions)) {
      const server = servers[marker]
      // The sessions of a server that runs are its own to end.
      if (server && identify(server.pid)?.start === server.start) continue
      ended.push(...(await endSession(marker, processes)))
      this.over.add(marker)
    }
    await this.write()
    return ended
  }

  private async read(): Promise<z.infer<typeof ledgerFile>> {
    const boot = await bootId()
    const parsed = ledgerFile.safeParse(parse(await readFile(this.file, 'utf8').catch(() => '')))
    return parsed.success && parsed.data.boot === boot ? parsed.data : { boot, servers: {}, sessions: {} }
  }

  private async write(): Promise<void> {
    const server = identify(process.pid)
    if (!server) return
    const ledger = await this.read()
    // A restarted session keeps its marker: over, and then not.
    for (const marker of this.over) {
      delete ledger.servers[marker]
      delete ledger.sessions[marker]
    }
    for (const [marker, processes] of this.sessions) {
      ledger.servers[marker] = server
      ledger.sessions[marker] = processes
    }
    const text = JSON.stringify(ledger)
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
