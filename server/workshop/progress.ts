import { mkdir, readFile, rename } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { checkResult, taskLine } from '../../shared/protocol/workshop.ts'
import { writeAtomically } from '../lib/atomic-write.ts'
import { errorCode } from '../lib/error-code.ts'

/** A learner's progress in one task. A task without a record was not begun. */
const taskRecord = z.strictObject({
  state: z.discriminatedUnion('state', [
    /** Not begun, but hints were opened. */
    z.strictObject({ state: z.literal('open') }),
    z.strictObject({ state: z.literal('begun'), since: z.number() }),
    z.strictObject({ state: z.literal('failed'), since: z.number() }),
    z.strictObject({ state: z.literal('passed'), at: z.number(), by: z.enum(['learner', 'solution']) }),
    z.strictObject({ state: z.literal('skipped'), at: z.number() }),
  ]),
  setup: z.array(taskLine),
  /** Number of open hints. */
  hints: z.number().int().nonnegative(),
  check: checkResult.optional(),
})
export type TaskRecord = z.infer<typeof taskRecord>

const progressFile = z.strictObject({
  format: z.literal(1),
  checkOnSave: z.boolean(),
  /** Id of the task that was begun last. */
  current: z.string().optional(),
  tasks: z.record(z.string(), taskRecord),
})
type ProgressFile = z.infer<typeof progressFile>

const EMPTY: ProgressFile = { format: 1, checkOnSave: true, tasks: {} }

/** A learner's progress, stored in a file that survives crashes of the server and of the machine. */
export class Progress {
  private readonly file: string
  private data: ProgressFile
  private writing: Promise<void> = Promise.resolve()
  /** A message for the learner if the file was damaged. */
  readonly notice: string | undefined

  private constructor(file: string, data: ProgressFile, notice?: string) {
    this.file = file
    this.data = data
    this.notice = notice
  }

  /**
   * Reads the progress file. A damaged file is renamed and kept, and the progress starts empty.
   *
   * @param file absolute path; its folder is created
   */
  static async read(file: string): Promise<Progress> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (text === undefined) return new Progress(file, structuredClone(EMPTY))
    const parsed = progressFile.safeParse(json(text))
    if (parsed.success) return new Progress(file, parsed.data)
    const backup = `${file}.damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`
    await rename(file, backup)
    return new Progress(
      file,
      structuredClone(EMPTY),
      `Your progress file is damaged, so all tasks were reset. Your files have not changed. The damaged file is kept as ${basename(backup)} in ${dirname(backup)}.`,
    )
  }

  get checkOnSave(): boolean {
    return this.data.checkOnSave
  }

  get current(): string | undefined {
    return this.data.current
  }

  task(id: string): TaskRecord | undefined {
    return this.data.tasks[id]
  }

  /** @param current whether it becomes the current task */
  setTask(id: string, record: TaskRecord, current = false): Promise<void> {
    this.data = { ...this.data, tasks: { ...this.data.tasks, [id]: record }, ...(current && { current: id }) }
    return this.write()
  }

  setCheckOnSave(on: boolean): Promise<void> {
    this.data = { ...this.data, checkOnSave: on }
    return this.write()
  }

  /** Resets the state of every task. */
  clear(): Promise<void> {
    this.data = { ...structuredClone(EMPTY), checkOnSave: this.data.checkOnSave }
    return this.write()
  }

  /** Writes are queued, so that the file contains the last change. */
  private write(): Promise<void> {
    const text = `${JSON.stringify(this.data, undefined, 2)}\n`
    const written = this.writing.then(() => writeAtomically(this.file, text))
    this.writing = written.catch(() => {})
    return written
  }
}
