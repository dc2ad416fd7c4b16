import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMap, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { profileSchema, time } from '../../shared/deck/contract.ts'

/**
 * A task: an exercise of the workshop, in its own folder beside the deck.
 *
 *     tasks/<id>/task.md           frontmatter (see `taskSchema`) and the instructions as Markdown
 *     tasks/<id>/hints/1.md …      hints, usually two or three
 *     tasks/<id>/setup             brings the workspace to the start of the task and prints its changes
 *     tasks/<id>/check             exits with 0 if the task is solved; prints `FAIL: …`, `OK: …` and `LOOK: …` lines
 *     tasks/<id>/solve             makes the check pass
 *     tasks/<id>/reset             optional; runs after the files were reset, for example to stop processes
 *
 * Bash runs the scripts in the learner's workspace, with the environment of the steps plus `TASK` and `TASK_PROFILE`.
 */
export interface Task {
  id: string
  title: string
  /** The subject of the task, in one line. */
  teaches: string
  /** Ids of the tasks that must be done first. */
  depends: string[]
  /** Time limit of a check, in seconds. */
  timeout: number
  /** Workspace paths of the files that the editor lists first. */
  files: string[]
  /** The profiles in which the task can be done. */
  profiles: z.infer<typeof profileSchema>[]
  /** The instructions, as Markdown. */
  text: string
  /** As Markdown, in order. */
  hints: string[]
  scripts: { setup: string; check: string; solve: string; reset?: string }
  /** All files that the task was read from, absolute. */
  sources: string[]
}

/** A path in the flake, as written by the author. */
const path = z
  .string()
  .regex(
    /^(?!\/)(?!(.*\/)?\.\.?(\/|$))[^\\]+$/,
    'must be a relative path in the flake, such as nixos/services/hello.nix',
  )

/** The frontmatter of task.md. */
export const taskSchema = z.strictObject({
  title: z.string().min(1).describe('Title of the task.'),
  teaches: z
    .string()
    .min(1)
    .refine((text) => !text.includes('\n'), 'must be a single line')
    .describe('The subject of the task, in one line.'),
  depends: z.array(z.string().min(1)).default([]).describe('Ids of the tasks that must be done first.'),
  timeout: time.default(120).describe('Time limit of a check, such as 90s or 5m; by default 2m.'),
  files: z.array(path).default([]).describe('Workspace paths of the files that the editor lists first.'),
  profiles: z
    .array(profileSchema)
    .min(1)
    .default([...profileSchema.options])
    .describe('The profiles in which the task can be done; all of them by default.'),
})

/** The files of a task. Any other file is an error, since a misspelled script would never run. */
const TASK_FILES = new Set(['task.md', 'hints', 'setup', 'check', 'solve', 'reset'])

/** Thrown for an invalid task. Each problem contains the file and, if known, the line. */
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
 * @param root folder of the deck, absolute
 * @throws TaskError with all problems
 */
export async function readTask(root: string, id: string): Promise<Task> {
  const name = `tasks/${id}`
  const folder = join(root, 'tasks', id)
  const present = await readdir(folder).catch(() => undefined)
  if (!present) throw new TaskError([`task "${id}" does not exist: create ${name}/task.md, or remove the line`])

  const problems: string[] = []
  const sources: string[] = []
  const read = async (file: string): Promise<string> => {
    sources.push(join(folder, file))
    return (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n')
  }
  const required = async (file: string, instruction: string): Promise<string> => {
    const text = await read(file).catch(() => '')
    if (text.trim() === '') problems.push(`${name}/${file}: is missing or empty: ${instruction}`)
    return text
  }
  for (const entry of present)
    if (!TASK_FILES.has(entry) && !entry.startsWith('.'))
      problems.push(
        `${name}/${entry}: is not part of a task: remove or rename it. A task has ${[...TASK_FILES].join(', ')}`,
      )

  const { frontmatter, text } = parseTaskFile(
    `${name}/task.md`,
    await required('task.md', 'write the title, the subject of the task (teaches), and the instructions'),
    problems,
  )
  const scripts = {
    setup: await required('setup', 'write a script that brings the flake to the start of the task'),
    check: await required('check', 'write a script that exits with 0 if the task is solved'),
    solve: await required('solve', 'write a script that makes the check pass'),
    ...(present.includes('reset') && { reset: await read('reset') }),
  }
  const hints: string[] = []
  const pages =
    present.includes('hints') && (await stat(join(folder, 'hints'))).isDirectory()
      ? await readdir(join(folder, 'hints'))
      : []
  for (const page of pages.filter((page) => !page.startsWith('.')).sort()) {
    const number = hints.length + 1
    if (page === `${number}.md` && number <= 9) hints.push((await required(`hints/${page}`, 'write the hint')).trim())
    else problems.push(`${name}/hints/${page}: hints must be named 1.md, 2.md, 3.md … without gaps`)
  }
  if (hints.length === 0) problems.push(`${name}/hints/1.md: is missing: write at least one hint`)

  if (!frontmatter || problems.length > 0) throw new TaskError(problems)
  return { id, ...frontmatter, text, hints, scripts, sources }
}

/** Parses task.md: the frontmatter between two `---` lines, then the instructions. */
function parseTaskFile(
  name: string,
  content: string,
  problems: string[],
): { frontmatter?: z.infer<typeof taskSchema>; text: string } {
  if (content.trim() === '') return { text: '' }
  const match = /^---\n(.*?\n)?---[ \t]*(?:\n|$)(.*)$/s.exec(content)
  if (!match) {
    problems.push(`${name}:1: must start with frontmatter: a line ---, title and teaches, and a line ---`)
    return { text: '' }
  }
  const [, yaml = '', text = ''] = match
  if (text.trim() === '') problems.push(`${name}: has no instructions: add them below the frontmatter`)
  const counter = new LineCounter()
  const document = parseDocument(yaml, { lineCounter: counter })
  // The YAML begins on the second line of the file.
  for (const error of document.errors)
    problems.push(`${name}:${counter.linePos(error.pos[0]).line + 1}: ${error.message.split('\n')[0]}`)
  if (document.errors.length > 0) return { text }
  const parsed = taskSchema.safeParse(document.toJS() ?? {})
  if (parsed.success) return { frontmatter: parsed.data, text: text.trim() }
  for (const issue of parsed.error.issues) {
    const invalidKey = String(issue.code === 'unrecognized_keys' ? issue.keys[0] : issue.path[0])
    const pair = isMap(document.contents)
      ? document.contents.items.find(({ key }) => String(key) === invalidKey)
      : undefined
    const { line } = counter.linePos(pair?.key.range[0] ?? 0)
    problems.push(`${name}:${line + 1}: ${issue.path.map((key) => `${String(key)}: `).join('')}${issue.message}`)
  }
  return { text }
}
