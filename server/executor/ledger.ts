import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { endProcesses, membersOf, type ProcessId } from './process-tree.ts'

const processId = z.object({ pid: z.number().int(), start: z.number() })
const ledgerFile = z.object({ sessions: z.record(z.string(), z.array(processId)) })

/**
 * The processes that this server has started, in a file: a server that was killed cannot end them, the next one can.
 *
 * Format: `{ "sessions": { "<marker>": [{ "pid": 1, "start": 2 }] } }`, `start` as in /proc/<pid>/stat.
 */
export class Ledger {
  private readonly file: string
  private readonly sessions = new Map<string, ProcessId[]>()
  private writing: Promise<void> = Promise.resolve()

  constructor(file: string) {
    this.file = file
  }

  /** The processes last seen of a session. */
  known(marker: string): ProcessId[] {
    return this.sessions.get(marker) ?? []
  }

  /** Notes the processes of a session; none of them removes it. */
  async note(marker: string, processes: ProcessId[]): Promise<void> {
    if (processes.length === 0) this.sessions.delete(marker)
    else this.sessions.set(marker, processes)
    this.writing = this.writing.then(() => this.write())
    await this.writing
  }

  /** Ends what an earlier server has left behind, and returns it. A damaged file counts as an empty one. */
  async cleanUp(): Promise<ProcessId[]> {
    const text = await readFile(this.file, 'utf8').catch(() => '')
    const parsed = ledgerFile.safeParse(parse(text))
    if (!parsed.success) return []
    const ended = await Promise.all(
      Object.entries(parsed.data.sessions).map(([marker, known]) => endProcesses(() => membersOf(marker, known))),
    )
    await this.write()
    return ended.flat()
  }

  private async write(): Promise<void> {
    const text = JSON.stringify({ sessions: Object.fromEntries(this.sessions) })
    await mkdir(dirname(this.file), { recursive: true, mode: 0o700 })
    await writeFile(`${this.file}.new`, text, { mode: 0o600 })
    await rename(`${this.file}.new`, this.file)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
