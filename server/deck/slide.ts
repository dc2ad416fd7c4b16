import MarkdownIt from 'markdown-it'
import { z } from 'zod'
import { contractSchema, time } from '../../shared/deck/contract.ts'
import { commandOf, ID, parseFence } from '../../shared/deck/fence.ts'
import { hashCommand } from './command-hash.ts'
import type { DeckTask, Step } from './step.ts'
import { placeholders } from './inputs.ts'
import type { DeckProblem, Place } from './problems.ts'
import { readTask, TaskError } from './task.ts'

/** The part of Slidev's parsed slide that this module uses. */
export interface SlideSource {
  /** Line of the first character, from 0. */
  start: number
  /** Line after the frontmatter, from 0. */
  contentStart: number
  /** Line after the last one, from 0. */
  end: number
  content: string
}

/** A slide of the deck, and the results of reading the slides before it. */
export interface SlideContext {
  source: SlideSource
  frontmatter: Record<string, unknown>
  /** Lines of the file that contains the slide. */
  lines: readonly string[]
  place: Place & { slide: number }
  steps: Map<string, Step>
  tasks: Map<string, DeckTask>
  problems: DeckProblem[]
}

const TASK_NAME = 'must be the name of a folder in tasks/: lowercase letters, digits and hyphens'

// The keys of a slide's frontmatter that the addon defines. Slidev and themes define others.
const paceSchema = time.optional()
const runOnNextSchema = z.boolean('must be true or false').optional()
const contractsSchema = z.record(z.string(), z.unknown(), 'must map the id of each step to its contract').nullish()
const taskSchema = z.string(TASK_NAME).regex(ID, TASK_NAME).optional()

const markdown = new MarkdownIt()

/**
 * Reads the steps and the task of a slide into `steps` and `tasks`, and its mistakes into `problems`.
 *
 * @param root the folder of the deck, absolute
 */
export async function readSlide(root: string, context: SlideContext): Promise<void> {
  const fences = readFences(context)
  const { frontmatter } = context
  readValue(context, ['pace'], paceSchema, frontmatter.pace)
  readValue(context, ['runOnNext'], runOnNextSchema, frontmatter.runOnNext)
  readSteps(context, fences, readValue(context, ['steps'], contractsSchema, frontmatter.steps) ?? {})
  const task = readValue(context, ['task'], taskSchema, frontmatter.task)
  if (task !== undefined) await readSlideTask(root, task, context)
}

/** Validates a value in the frontmatter. Returns undefined if it is absent or invalid. */
function readValue<T>(
  { source, lines, place, problems }: SlideContext,
  path: readonly string[],
  schema: z.ZodType<T>,
  value: unknown,
): T | undefined {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues) {
    const key = [...path, ...issue.path]
    problems.push({
      ...place,
      line: frontmatterLine(source, lines, key),
      kind: 'invalid-value',
      key,
      message: issue.message,
    })
  }
  return undefined
}

function readSteps(context: SlideContext, fences: readonly Fence[], contracts: Record<string, unknown>): void {
  const { source, lines, place, steps, problems } = context
  for (const id of Object.keys(contracts))
    if (!fences.some(({ step }) => step === id)) {
      const line = frontmatterLine(source, lines, ['steps', id])
      problems.push({ ...place, line, kind: 'contract-without-step', step: id })
    }

  const parsed = fences.flatMap((fence) => {
    const contract = readValue(context, ['steps', fence.step], contractSchema, contracts[fence.step] ?? {})
    return contract ? [{ ...fence, contract }] : []
  })
  // A step that keeps running would block the other steps of a shared terminal, so it gets its own terminal.
  const shared = parsed.find(({ contract, terminal }) => !contract.ready && terminal === undefined)?.step
  for (const { step: id, line, command, terminal, contract } of parsed) {
    const used = placeholders(command)
    for (const input of used)
      if (!(input in contract.inputs)) problems.push({ ...place, line, kind: 'undeclared-input', step: id, input })
    for (const input of Object.keys(contract.inputs))
      if (!used.includes(input)) problems.push({ ...place, line, kind: 'unused-input', step: id, input })
    steps.set(id, {
      id,
      command,
      hash: hashCommand(command),
      terminal: terminal ?? (contract.ready ? id : (shared ?? id)),
      contract,
      slide: place.slide,
      place: { ...place, line },
    })
  }
}

interface Fence {
  step: string
  terminal?: string
  command: string
  /** From 1. */
  line: number
}

/** The fences of a slide that declare a step. */
function readFences({ source, lines, place, steps, problems }: SlideContext): Fence[] {
  // Slidev trims the content: its first line is the first non-empty one after the frontmatter.
  let first = source.contentStart
  while (first < source.end && (lines[first] ?? '').trim() === '') first++

  const fences: Fence[] = []
  for (const token of markdown.parse(source.content, {})) {
    if (token.type !== 'fence') continue
    const line = first + (token.map?.[0] ?? 0) + 1
    const fence = parseFence(token.info)
    if (!fence) continue
    if ('issue' in fence) {
      problems.push({ ...place, line, kind: 'fence', issue: fence.issue })
      continue
    }
    const command = commandOf(token.content)
    if (isEmpty(command)) problems.push({ ...place, line, kind: 'empty-step', step: fence.step })
    const prior = steps.get(fence.step)
    if (prior || fences.some((other) => other.step === fence.step))
      problems.push({ ...place, line, kind: 'duplicate-step', step: fence.step, ...(prior && { first: prior.place }) })
    else fences.push({ ...fence, command, line })
  }
  return fences
}

async function readSlideTask(root: string, id: string, context: SlideContext): Promise<void> {
  const { source, lines, tasks, problems } = context
  const place = { ...context.place, line: frontmatterLine(source, lines, ['task']) }
  const prior = tasks.get(id)
  if (prior) {
    problems.push({ ...place, kind: 'duplicate-task', task: id, first: prior.place })
    return
  }
  try {
    tasks.set(id, { ...(await readTask(root, id)), slide: place.slide, place })
  } catch (error) {
    if (!(error instanceof TaskError)) throw error
    problems.push(...error.problems.map((message) => ({ ...place, kind: 'task' as const, message })))
  }
}

/** Whether a command consists of comments only. */
function isEmpty(command: string): boolean {
  return command.split('\n').every((line) => line.trim() === '' || line.trim().startsWith('#'))
}

/**
 * Finds a key in the frontmatter of a slide.
 *
 * @returns its line, from 1; the line of its nearest parent if the key is absent
 */
function frontmatterLine(source: SlideSource, lines: readonly string[], path: readonly PropertyKey[]): number {
  const opening = (lines[source.start] ?? '').trim() === '---' ? source.start + 1 : source.start
  let line = opening
  let from = opening
  for (const key of path) {
    const next = lines.findIndex(
      (text, index) => index >= from && index < source.contentStart && text.trimStart().startsWith(`${String(key)}:`),
    )
    if (next < 0) break
    line = next
    from = next + 1
  }
  return line + 1
}
