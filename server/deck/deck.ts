import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { load, parseTimeString } from '@slidev/parser/fs'
import MarkdownIt from 'markdown-it'
import { z } from 'zod'
import { readTask, type Task, TaskError } from './task.ts'
import { shellQuote } from '../lib/shell-quote.ts'
import { type Contract, contractSchema } from '../../shared/deck/contract.ts'
import { hashCommand } from './command-hash.ts'
import { commandOf, FenceError, ID, parseFence } from '../../shared/deck/fence.ts'

/** A runnable command block of the deck. */
export interface Step {
  id: string
  /** As the slide shows it, with `{{name}}` where an input belongs. */
  command: string
  /** SHA-256 of the command, hex. */
  hash: string
  terminal: string
  contract: Contract
  /** Number of the slide, from 1. */
  slide: number
  /** Where the fence stands, for people: `slides.md:42`. */
  place: string
}

/** A task, as a slide of the deck has it. */
export interface DeckTask extends Task {
  /** Number of the slide, from 1. */
  slide: number
  /** Where the slide names it, for people: `slides.md:42`. */
  place: string
}

/** Columns and rows of a terminal. */
export interface Grid {
  cols: number
  rows: number
}

export interface Deck {
  /** The entry file, absolute. */
  file: string
  title: string
  grid: Grid
  /** In the deck's order, by id. This is the allowlist: no other command is started by the server itself. */
  steps: Map<string, Step>
  /** In the deck's order, by id: the exercises of the workshop. Their scripts are on the allowlist too. */
  tasks: Map<string, DeckTask>
  /** Every file the slides were read from, absolute. */
  files: string[]
  /** Changes with every change of the text, of the tasks too. */
  version: string
}

/** The deck cannot be used. Each problem names file, line and slide. */
export class DeckError extends Error {
  override name = 'DeckError'
  readonly problems: string[]
  constructor(problems: string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

const gridSchema = z.strictObject({
  /** 20 to 400 columns: less shows nothing, more cannot be read from any seat. */
  cols: z.number().int().min(20).max(400).default(88),
  rows: z.number().int().min(4).max(200).default(18),
  runOnNext: z.boolean().optional(),
})

type LoadedDeck = Awaited<ReturnType<typeof load>>
type LoadedSlide = LoadedDeck['slides'][number]

const markdown = new MarkdownIt()

/**
 * Reads a deck and its steps.
 *
 * @param file the entry file, absolute
 * @throws DeckError with every problem found, not only the first
 */
export async function readDeck(file: string): Promise<Deck> {
  const root = dirname(file)
  let data: LoadedDeck
  const texts = new Map<string, string>()
  try {
    data = await load({ roots: [root], userRoot: root }, file)
    for (const path of new Set([file, ...Object.keys(data.markdownFiles)]))
      texts.set(path, await readFile(path, 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'EISDIR')
      throw new DeckError([`${file} is a folder. Give the slides in it: ${join(file, 'slides.md')}`])
    if (codeOf(error) === 'ENOENT')
      throw new DeckError([
        `${relative(process.cwd(), file) || file}: there is no such file. ${/^\d+$/.test(basename(file)) ? `If that is a port: --port ${basename(file)}` : 'Give the path of a deck, or put the file back.'}`,
      ])
    throw new DeckError([
      `${relative(process.cwd(), file) || file}: ${error instanceof Error ? error.message : String(error)}`,
    ])
  }

  const problems: string[] = []
  const steps = new Map<string, Step>()
  const tasks = new Map<string, DeckTask>()
  for (const [index, slide] of data.slides.entries()) {
    const path = slide.source.filepath
    const lines = (texts.get(path) ?? '').split('\n')
    const name = relative(root, path)
    const at = (line: number) => `${name}:${line} (slide ${index + 1})`
    for (const error of parseErrors(data, path, slide)) problems.push(`${at(error.line)}: ${error.message}`)
    readSlide(slide, lines, at, index + 1, steps, problems)
    await readSlideTask(root, slide, lines, at, index + 1, tasks, problems)
  }
  // A task that could not be read is missed by those that depend on it: that is said once.
  if (problems.length === 0) problems.push(...wrongOrder(tasks))

  const settings = gridSchema.safeParse(data.headmatter.understudy ?? {})
  if (!settings.success)
    for (const issue of settings.error.issues)
      problems.push(`${relative(root, file)}: understudy${dotted(issue.path)}: ${issue.message}`)
  if (problems.length > 0 || !settings.success) throw new DeckError(problems)

  const hash = createHash('sha256')
  for (const text of texts.values()) hash.update(text).update('\0')
  for (const { place, ...task } of tasks.values()) hash.update(JSON.stringify(task)).update('\0')
  return {
    file,
    title: typeof data.headmatter.title === 'string' ? data.headmatter.title : 'Slides',
    grid: { cols: settings.data.cols, rows: settings.data.rows },
    steps,
    tasks,
    files: [...texts.keys()],
    version: hash.digest('hex').slice(0, 16),
  }
}

function readSlide(
  slide: LoadedSlide,
  lines: string[],
  at: (line: number) => string,
  number: number,
  steps: Map<string, Step>,
  problems: string[],
): void {
  // Slidev trims the content: its first line is the first one that is not empty after the frontmatter.
  let first = slide.source.contentStart
  while (first < slide.source.end && (lines[first] ?? '').trim() === '') first++

  const found: { id: string; terminal: string | undefined; command: string; line: number }[] = []
  for (const token of markdown.parse(slide.source.content, {})) {
    if (token.type !== 'fence') continue
    const line = first + (token.map?.[0] ?? 0) + 1
    try {
      const fence = parseFence(token.info)
      if (!fence) continue
      const command = commandOf(token.content)
      if (isEmpty(command))
        problems.push(`${at(line)}: step "${fence.step}" is empty: write its command between the backticks`)
      const twin =
        steps.get(fence.step)?.place ?? (found.some((other) => other.id === fence.step) ? 'this slide' : undefined)
      if (twin)
        problems.push(`${at(line)}: step "${fence.step}" exists already, at ${twin}: every step needs an id of its own`)
      else found.push({ id: fence.step, terminal: fence.terminal, command, line })
    } catch (error) {
      if (!(error instanceof FenceError)) throw error
      problems.push(`${at(line)}: ${error.message}`)
    }
  }

  const { pace, runOnNext } = slide.frontmatter
  if (pace !== undefined && !isTime(pace))
    problems.push(
      `${at(frontmatterLine(slide, lines, ['pace']))}: pace: "${String(pace)}" is no time: write it as 90s, 2m or 1:30`,
    )
  if (runOnNext !== undefined && typeof runOnNext !== 'boolean')
    problems.push(`${at(frontmatterLine(slide, lines, ['runOnNext']))}: runOnNext: must be true or false`)

  const contracts = slide.frontmatter.steps ?? {}
  if (typeof contracts !== 'object' || Array.isArray(contracts)) {
    problems.push(`${at(frontmatterLine(slide, lines, ['steps']))}: "steps" must map the id of a step to its contract`)
    return
  }
  for (const id of Object.keys(contracts))
    if (!found.some((step) => step.id === id))
      problems.push(
        `${at(frontmatterLine(slide, lines, ['steps', id]))}: "steps.${id}" is the contract of a step that this slide does not have: write \`\`\`sh {step=${id}} or remove it`,
      )

  const parsed = found.map((step) => {
    const contract = contractSchema.safeParse(contracts[step.id] ?? {})
    if (!contract.success)
      for (const issue of contract.error.issues)
        problems.push(
          `${at(frontmatterLine(slide, lines, ['steps', step.id, ...issue.path]))}: steps.${step.id}${dotted(issue.path)}: ${issue.message}`,
        )
    return { ...step, contract: contract.data }
  })

  const shared = parsed.find((step) => !step.contract?.ready && !step.terminal)?.id
  for (const step of parsed) {
    if (!step.contract) continue
    for (const name of placeholders(step.command))
      if (!(name in step.contract.inputs))
        problems.push(`${at(step.line)}: {{${name}}} is not declared: add "inputs.${name}" to steps.${step.id}`)
    for (const name of Object.keys(step.contract.inputs))
      if (!placeholders(step.command).includes(name))
        problems.push(
          `${at(step.line)}: the input "${name}" of step "${step.id}" stands nowhere in its command: write {{${name}}} or remove it`,
        )
    steps.set(step.id, {
      id: step.id,
      command: step.command,
      hash: hashCommand(step.command),
      // What keeps running would block every other step of a shared terminal.
      terminal: step.terminal ?? (step.contract.ready ? step.id : (shared ?? step.id)),
      contract: step.contract,
      slide: number,
      place: at(step.line),
    })
  }
}

/** The task that a slide names in its frontmatter, if it names one. */
async function readSlideTask(
  root: string,
  slide: LoadedSlide,
  lines: string[],
  at: (line: number) => string,
  number: number,
  tasks: Map<string, DeckTask>,
  problems: string[],
): Promise<void> {
  const id: unknown = slide.frontmatter.task
  if (id === undefined) return
  const place = at(frontmatterLine(slide, lines, ['task']))
  const twin = typeof id === 'string' ? tasks.get(id) : undefined
  if (typeof id !== 'string' || !ID.test(id))
    problems.push(`${place}: task: must be the name of a folder in tasks/: lower-case letters, digits and dashes`)
  else if (twin) problems.push(`${place}: task "${id}" stands already at ${twin.place}: every task has one slide`)
  else
    try {
      tasks.set(id, { ...(await readTask(root, id)), slide: number, place })
    } catch (error) {
      if (!(error instanceof TaskError)) throw error
      for (const problem of error.problems) problems.push(`${place}: ${problem}`)
    }
}

/** A task depends on tasks that come before it, so that who does them in the deck's order never meets a locked one. */
function wrongOrder(tasks: Map<string, DeckTask>): string[] {
  const before = new Set<string>()
  return [...tasks.values()].flatMap(({ id, place, depends }) => {
    const wrong = depends.filter((other) => !before.has(other))
    before.add(id)
    return wrong.map(
      (other) =>
        `${place}: task "${id}" depends on "${other}", ${tasks.has(other) ? 'which comes after it: turn the slides round' : 'which is no task of a slide before it'}`,
    )
  })
}

/** The names of the inputs in a command, in order. */
export function placeholders(command: string): string[] {
  return [...command.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)].map((match) => match[1] ?? '')
}

/** An input is wrong. The message names the field and what it takes. */
export class InputError extends Error {
  override name = 'InputError'
}

/**
 * The command as it is typed: each `{{name}}` replaced by the value, quoted for the shell.
 *
 * @throws InputError where a value is missing, unknown or does not match its pattern
 */
export function fillIn(step: Step, values: Record<string, string>): string {
  for (const name of Object.keys(values))
    if (!(name in step.contract.inputs)) throw new InputError(`Step "${step.id}" has no input "${name}".`)
  return step.command.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (_, name: string) => {
    const input = step.contract.inputs[name]
    const value = values[name]?.trim() ?? ''
    if (!input) throw new InputError(`Step "${step.id}" has no input "${name}".`)
    if (value === '') throw new InputError(`Fill in "${input.label}" first.`)
    // A control character would be a key press in the shell, not a character of the value.
    if (/[\u0000-\u001f\u007f]/.test(value) || !new RegExp(`^(?:${input.pattern})$`).test(value))
      throw new InputError(
        `"${input.label}" cannot be "${value}"${input.placeholder ? `: write something like ${input.placeholder}` : ''}.`,
      )
    return shellQuote(value)
  })
}

function isTime(value: unknown): boolean {
  if (typeof value !== 'string' && typeof value !== 'number') return false
  try {
    return parseTimeString(value).seconds > 0
  } catch {
    return false
  }
}

/** Comments alone are no command. */
function isEmpty(command: string): boolean {
  return command.split('\n').every((line) => line.trim() === '' || line.trim().startsWith('#'))
}

/** Line, from 1, of a key in the slide's frontmatter; of the nearest parent where the key itself is not there. */
function frontmatterLine(slide: LoadedSlide, lines: string[], path: PropertyKey[]): number {
  const opening = (lines[slide.source.start] ?? '').trim() === '---' ? slide.source.start + 1 : slide.source.start
  let line = opening
  let from = opening
  for (const key of path) {
    const next = lines.findIndex(
      (text, index) =>
        index >= from && index < slide.source.contentStart && text.trimStart().startsWith(`${String(key)}:`),
    )
    if (next < 0) break
    line = next
    from = next + 1
  }
  return line + 1
}

function parseErrors(data: LoadedDeck, path: string, slide: LoadedSlide): { line: number; message: string }[] {
  const errors = data.markdownFiles[path]?.errors ?? []
  return errors
    .filter((error) => error.row >= slide.source.start && error.row <= slide.source.end)
    .map((error) => ({ line: error.row + 1, message: error.message }))
}

function dotted(path: PropertyKey[]): string {
  return path.map((key) => `.${String(key)}`).join('')
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
