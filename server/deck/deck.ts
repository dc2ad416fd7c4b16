import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { z } from 'zod'
import { DeckError, type DeckIssue, type DeckProblem, type Place } from './problems.ts'
import { readSlide } from './slide.ts'
import { type LoadedSlides, loadSlides, SlidevError } from './slidev.ts'
import type { DeckTask, Step } from './step.ts'

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
  /** In the deck's order, by id. This is the allowlist: the server does not start any other commands. */
  steps: Map<string, Step>
  /** In the deck's order, by id: the exercises of the workshop. Their scripts are on the allowlist too. */
  tasks: Map<string, DeckTask>
  /** Every file that the slides were read from, absolute. */
  files: string[]
  /** Changes with every edit of the slides and tasks. */
  version: string
}

/** `understudy` in the headmatter. */
const settingsSchema = z.strictObject({
  /** Fewer than 20 columns are useless; more than 400 are illegible for an audience. */
  cols: z.number().int().min(20).max(400).default(88),
  rows: z.number().int().min(4).max(200).default(18),
  runOnNext: z.boolean().optional(),
})

type LoadedSlide = LoadedSlides['slides'][number]

/**
 * Reads a deck and its steps.
 *
 * @param file the entry file, absolute
 * @throws DeckError with all problems of the deck, or SlidevError
 */
export async function readDeck(file: string): Promise<Deck> {
  const root = dirname(file)
  const { data, texts } = await loadDeck(file)

  const problems: DeckProblem[] = []
  const steps = new Map<string, Step>()
  const tasks = new Map<string, DeckTask>()
  for (const [index, slide] of data.slides.entries()) {
    const path = slide.source.filepath
    const lines = (texts.get(path) ?? '').split('\n')
    const place = { file: relative(root, path), slide: index + 1 }
    problems.push(...syntaxProblems(data, slide, place))
    const { frontmatter, source } = slide
    await readSlide(root, { source, frontmatter, lines, place, steps, tasks, problems })
  }
  // An unreadable task would also be reported as a missing dependency of others.
  if (problems.length === 0) problems.push(...taskOrderProblems(tasks))

  const headmatter: Record<string, unknown> = data.headmatter
  const settings = settingsSchema.safeParse(headmatter.understudy ?? {})
  for (const { path, message } of settings.error?.issues ?? [])
    problems.push({ file: relative(root, file), kind: 'invalid-value', key: ['understudy', ...path], message })
  if (problems.length > 0 || !settings.success) throw new DeckError(problems)

  const { cols, rows } = settings.data
  return {
    file,
    title: typeof headmatter.title === 'string' ? headmatter.title : 'Slides',
    grid: { cols, rows },
    steps,
    tasks,
    files: [...texts.keys()],
    version: versionOf(texts, tasks),
  }
}

/**
 * Loads the slides with Slidev's parser.
 *
 * @returns the slides, and the text of each file that contains them
 * @throws DeckError if a file cannot be read, or SlidevError
 */
async function loadDeck(file: string): Promise<{ data: LoadedSlides; texts: Map<string, string> }> {
  try {
    const data = await loadSlides(file)
    const texts = new Map<string, string>()
    for (const path of new Set([file, ...Object.keys(data.markdownFiles)]))
      texts.set(path, await readFile(path, 'utf8'))
    return { data, texts }
  } catch (error) {
    if (error instanceof SlidevError) throw error
    throw new DeckError([{ file: relative(process.cwd(), file) || file, ...readIssue(error) }])
  }
}

function readIssue(error: unknown): DeckIssue {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EISDIR') return { kind: 'is-folder' }
  if (code === 'ENOENT') return { kind: 'missing-file' }
  return { kind: 'unreadable', message: error instanceof Error ? error.message : String(error) }
}

/** The errors of Slidev's parser in a slide. */
function syntaxProblems(data: LoadedSlides, { source }: LoadedSlide, place: Place): DeckProblem[] {
  return (data.markdownFiles[source.filepath]?.errors ?? [])
    .filter(({ row }) => row >= source.start && row <= source.end)
    .map(({ row, message }) => ({ ...place, line: row + 1, kind: 'syntax', message }))
}

/** A task may depend only on earlier ones, so that a learner who follows the deck never meets a locked task. */
function taskOrderProblems(tasks: Map<string, DeckTask>): DeckProblem[] {
  const earlier = new Set<string>()
  return [...tasks.values()].flatMap(({ id, place, depends }) => {
    const wrong = depends.filter((dependency) => !earlier.has(dependency))
    earlier.add(id)
    return wrong.map((dependency): DeckProblem => {
      const dependencyFollows = tasks.has(dependency)
      return { ...place, kind: 'task-order', task: id, dependency, dependencyFollows }
    })
  })
}

function versionOf(texts: Map<string, string>, tasks: Map<string, DeckTask>): string {
  const hash = createHash('sha256')
  for (const text of texts.values()) hash.update(text).update('\0')
  for (const { place, ...task } of tasks.values()) hash.update(JSON.stringify(task)).update('\0')
  return hash.digest('hex').slice(0, 16)
}
