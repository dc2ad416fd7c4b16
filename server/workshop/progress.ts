import { mkdir, readFile, rename } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { z } from 'zod'
import { writeAtomically } from '../lib/atomic-write.ts'
import { json } from '../../shared/json.ts'
import { checkResult, taskLine } from '../../shared/protocol/workshop.ts'

/** What a learner has done with one task. A task without a record was not begun. */
const taskRecord = z.strictObject({
  state: z.discriminatedUnion('state', [
    /** Hints were opened before it was begun. */
    z.strictObject({ state: z.literal('open') }),
    z.strictObject({ state: z.literal('begun'), since: z.number() }),
    z.strictObject({ state: z.literal('failed'), since: z.number() }),
    z.strictObject({ state: z.literal('passed'), at: z.number(), by: z.enum(['learner', 'solution']) }),
    z.strictObject({ state: z.literal('skipped'), at: z.number() }),
  ]),
  setup: z.array(taskLine),
  /** How many are open. */
  hints: z.number().int().nonnegative(),
  check: checkResult.optional(),
})
export type TaskRecord = z.infer<typeof taskRecord>

const progressFile = z.strictObject({
  format: z.literal(1),
  checkOnSave: z.boolean(),
  /** The task in work: the one that was begun last. */
  current: z.string().optional(),
  tasks: z.record(z.string(), taskRecord),
})
type ProgressFile = z.infer<typeof progressFile>

const FRESH: ProgressFile = { format: 1, checkOnSave: true, tasks: {} }

/** How far a learner is, kept on the disk: it survives whatever happens to the server and to the machine. */
export class Progress {
  private readonly file: string
  private facts: ProgressFile
  private writing: Promise<void> = Promise.resolve()
  /** What the learner should know about it. */
  readonly notice: string | undefined

  private constructor(file: string, facts: ProgressFile, notice?: string) {
    this.file = file
    this.facts = facts
    this.notice = notice
  }

  /**
   * Reads it. A file that cannot be read as progress is set aside, whole, and the learner begins anew.
   *
   * @param file absolute; its folder is made
   */
  static async read(file: string): Promise<Progress> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (text === undefined) return new Progress(file, structuredClone(FRESH))
    const parsed = progressFile.safeParse(json(text))
    if (parsed.success) return new Progress(file, parsed.data)
    const aside = `${file}.damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`
    await rename(file, aside)
    return new Progress(
      file,
      structuredClone(FRESH),
      `Your progress could not be read, so the list of tasks begins anew. Your files are as they were. What could not be read is kept as ${basename(aside)} in ${dirname(aside)}.`,
    )
  }

  get checkOnSave(): boolean {
    return this.facts.checkOnSave
  }

  get current(): string | undefined {
    return this.facts.current
  }

  task(id: string): TaskRecord | undefined {
    return this.facts.tasks[id]
  }

  /** @param current makes it the task in work */
  setTask(id: string, record: TaskRecord, current = false): Promise<void> {
    this.facts = { ...this.facts, tasks: { ...this.facts.tasks, [id]: record }, ...(current && { current: id }) }
    return this.write()
  }

  setCheckOnSave(on: boolean): Promise<void> {
    this.facts = { ...this.facts, checkOnSave: on }
    return this.write()
  }

  /** Every task is to do again. */
  clear(): Promise<void> {
    this.facts = { ...structuredClone(FRESH), checkOnSave: this.facts.checkOnSave }
    return this.write()
  }

  /** One after the other: the last one that was asked for is the one that stays. */
  private write(): Promise<void> {
    const text = `${JSON.stringify(this.facts, undefined, 2)}\n`
    const written = this.writing.then(() => writeAtomically(this.file, text))
    this.writing = written.catch(() => {})
    return written
  }
}
