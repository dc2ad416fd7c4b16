import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { identify, type ProcessId } from '../executor/process-tree.ts'
import { json } from '../../shared/json.ts'

const FILE = 'server.json'
const claimFile = z.object({ pid: z.number().int(), start: z.number() })

/**
 * Takes a folder of a workshop for this process: two servers would overwrite each other's progress, and end each other's containers. One that
 * has died holds nothing.
 *
 * @returns gives it back
 * @throws an Error where another process has it
 */
export async function claim(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, FILE)
  const holder = claimFile.safeParse(json(await readFile(file, 'utf8').catch(() => ''))).data
  if (holder && holder.pid !== process.pid && identify(holder.pid)?.start === holder.start)
    throw new Error(
      `This workshop is open already, in process ${holder.pid}. Use its link, or end it first: kill ${holder.pid}`,
    )
  const itself = identify(process.pid)
  if (itself) await writeFile(file, JSON.stringify(itself satisfies ProcessId))
  return () => rm(file, { force: true })
}
