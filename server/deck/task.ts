import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMap, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { profileSchema, time } from '../../shared/deck/contract.ts'

/**
 * A task: an exercise of the workshop, in a folder of its own beside the deck.
 *
 *     tasks/<id>/task.md           frontmatter (see `taskSchema`), and the instructions as Markdown
 *     tasks/<id>/hints/1.md …      two or three hints
 *     tasks/<id>/setup             brings the copy to the task's start, and says what it changed
 *     tasks/<id>/check             exit status 0: solved. Lines `FAIL: …`, `OK: …`, `LOOK: …` are for the learner
 *     tasks/<id>/solve             makes the check pass
 *     tasks/<id>/reset             optional: what is to do besides bringing the files back, such as ending what runs
 *
 * The scripts are run by bash in the learner's copy with the environment of the steps, and `TASK_PROFILE` besides.
 */
export interface Task {
  id: string
  title: string
  /** In one line. */
  teaches: string
  /** Ids of the tasks that must be done before. */
  depends: string[]
  /** Seconds that a check may take. */
  timeout: number
  /** Paths in the copy that the editor offers first. */
  files: string[]
  /** In which it can be done. */
  profiles: z.infer<typeof profileSchema>[]
  /** The instructions, as Markdown. */
  text: string
  /** As Markdown, in their order. */
  hints: string[]
  scripts: { setup: string; check: string; solve: string; reset?: string }
  /** Every file it was read from, absolute. */
  sources: string[]
}

/** A path in the copy, as the author writes it. */
const path = z
  .string()
  .regex(/^(?!\/)(?!(.*\/)?\.\.?(\/|$))[^\\]+$/, 'must be a path in the flake: nixos/services/hello.nix')

const taskSchema = z.strictObject({
  title: z.string().min(1),
  teaches: z
    .string()
    .min(1)
    .refine((text) => !text.includes('\n'), 'must be one line'),
  depends: z.array(z.string().min(1)).default([]),
  timeout: time.default(120),
  files: z.array(path).default([]),
  profiles: z
    .array(profileSchema)
    .min(1)
    .default([...profileSchema.options]),
})

/** What may stand in the folder of a task; a script of another name would never be run. */
const KNOWN = new Set(['task.md', 'hints', 'setup', 'check', 'solve', 'reset'])

/** A task cannot be used. Each problem names its file, and the line where it has one. */
export class TaskError extends Error {
  override name = 'TaskError'
  readonly problems: string[]
  constructor(problems: string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/**
 * Reads a task.
 *
 * @param root the folder of the deck, absolute
 * @throws TaskError with every problem found
 */
export async function readTask(root: string, id: string): Promise<Task> {
  const name = `tasks/${id}`
  const folder = join(root, 'tasks', id)
  const present = await readdir(folder).catch(() => undefined)
  if (!present) throw new TaskError([`there is no task "${id}": make ${name}/task.md, or remove the line`])

  const problems: string[] = []
  const sources: string[] = []
  const read = async (file: string): Promise<string> => {
    sources.push(join(folder, file))
    return (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n')
  }
  const wanted = async (file: string, why: string): Promise<string> => {
    const text = await read(file).catch(() => '')
    if (text.trim() === '') problems.push(`${name}/${file}: is missing or empty: ${why}`)
    return text
  }
  for (const entry of present)
    if (!KNOWN.has(entry) && !entry.startsWith('.'))
      problems.push(`${name}/${entry}: is no part of a task: it has ${[...KNOWN].join(', ')}`)

  const { facts, text } = parseTaskFile(
    `${name}/task.md`,
    await wanted('task.md', 'write the title, what it teaches, and the instructions'),
    problems,
  )
  const scripts = {
    setup: await wanted('setup', 'write what brings the flake to the start of the task'),
    check: await wanted('check', 'write what finds out whether the task is solved'),
    solve: await wanted('solve', 'write what makes the check pass'),
    ...(present.includes('reset') && { reset: await read('reset') }),
  }
  const hints: string[] = []
  const pages =
    present.includes('hints') && (await stat(join(folder, 'hints'))).isDirectory()
      ? await readdir(join(folder, 'hints'))
      : []
  for (const page of pages.filter((page) => !page.startsWith('.')).sort()) {
    const number = hints.length + 1
    if (page === `${number}.md` && number <= 9) hints.push((await wanted(`hints/${page}`, 'write the hint')).trim())
    else problems.push(`${name}/hints/${page}: hints are 1.md, 2.md, 3.md, without a gap`)
  }
  if (hints.length === 0) problems.push(`${name}/hints/1.md: is missing: write at least one hint`)

  if (!facts || problems.length > 0) throw new TaskError(problems)
  return { id, ...facts, text, hints, scripts, sources }
}

/** Takes task.md apart: frontmatter between two lines `---`, then the instructions. */
function parseTaskFile(
  name: string,
  content: string,
  problems: string[],
): { facts?: z.infer<typeof taskSchema>; text: string } {
  if (content.trim() === '') return { text: '' }
  const match = /^---\n(.*?\n)?---[ \t]*(?:\n|$)(.*)$/s.exec(content)
  if (!match) {
    problems.push(`${name}:1: must begin with its frontmatter: a line ---, then title and teaches, then a line ---`)
    return { text: '' }
  }
  const [, yaml = '', text = ''] = match
  if (text.trim() === '') problems.push(`${name}: has no instructions: write them below the frontmatter`)
  const counter = new LineCounter()
  const document = parseDocument(yaml, { lineCounter: counter })
  // The frontmatter begins on the second line.
  for (const error of document.errors)
    problems.push(`${name}:${counter.linePos(error.pos[0]).line + 1}: ${error.message.split('\n')[0]}`)
  if (document.errors.length > 0) return { text }
  const parsed = taskSchema.safeParse(document.toJS() ?? {})
  if (parsed.success) return { facts: parsed.data, text: text.trim() }
  for (const issue of parsed.error.issues) {
    const at = issue.code === 'unrecognized_keys' ? issue.keys[0] : issue.path[0]
    const pair = isMap(document.contents)
      ? document.contents.items.find(({ key }) => String(key) === String(at))
      : undefined
    const offset =
      pair && typeof pair.key === 'object' && pair.key !== null && 'range' in pair.key && Array.isArray(pair.key.range)
        ? Number(pair.key.range[0])
        : 0
    problems.push(
      `${name}:${counter.linePos(offset).line + 1}: ${issue.path.map((key) => `${String(key)}: `).join('')}${issue.message}`,
    )
  }
  return { text }
}
