import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import type { SourceSlideInfo } from '@slidev/types'
import { type Keys, withDefaults } from '../../shared/deck/keys.ts'
import { settingsSchema } from './author-keys.ts'
import { dependencyProblems } from './dependencies.ts'
import { frontmatterLine } from './frontmatter.ts'
import { invalidValues } from './invalid-values.ts'
import { loadSlides, placeOf, type Slides } from './load-slides.ts'
import { DeckError, deckProblem } from './problems.ts'
import type { DeckProblem, Place } from '../../shared/failures/deck-problem.ts'
import { terminalProblems } from './shown-terminals.ts'
import { type DeckContents, declaredContracts, hiddenSteps, readSlide } from './slide.ts'
import type { DeckSlide, DeckTask, Reference, Step } from './step.ts'

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
  /** The addon's keys on the slides. */
  keys: Keys
  /** In the deck's order, by id. This is the allowlist: the server does not start any other commands. */
  steps: Map<string, Step>
  /** In the deck's order, by id: the exercises of the workshop. Their scripts are on the allowlist too. */
  tasks: Map<string, DeckTask>
  /** The slides of the page, in order. */
  slides: readonly DeckSlide[]
  /** What is probably a mistake. */
  warnings: readonly DeckProblem[]
  /** Every file that the slides and their code were read from, absolute. */
  files: string[]
  /** Changes with every edit of the slides and tasks. */
  version: string
}

/**
 * Reads a deck and its steps, as the deck's Slidev reads them for the page.
 *
 * @param file the entry file, absolute
 * @throws DeckError with all problems of the deck, or SlidevError
 */
export async function readDeck(file: string): Promise<Deck> {
  const { deck, problems } = await inspectDeck(file)
  if (!deck) throw new DeckError(problems)
  return deck
}

/** A deck, its slides even if it has errors, and all its problems. */
export interface InspectedDeck {
  /** Absent if the deck has errors. */
  deck?: Deck
  slides: Slides
  /** What the slides load, in the deck's order. */
  references: readonly Reference[]
  /** The components and HTML elements of the slides. */
  tags: readonly { name: string; place: Place }[]
  /** In the order of the deck. */
  problems: readonly DeckProblem[]
}

/**
 * Reads a deck as far as its errors permit.
 *
 * @param file the entry file, absolute
 * @throws DeckError if no slide can be read, or SlidevError
 */
export async function inspectDeck(file: string): Promise<InspectedDeck> {
  const slides = await loadSlides(file)
  const { root, data } = slides
  const contents: DeckContents = {
    steps: new Map(),
    tasks: new Map(),
    slides: [],
    snippets: new Map(),
    problems: [...slides.problems],
  }
  const { steps, tasks, problems } = contents
  for (const slide of data.slides) await readSlide(slides, slide, contents)
  problems.push(...importerProblems(slides, contents), ...terminalProblems(contents.slides, slides.roots))
  // An unreadable step or task would also be reported as a missing dependency of others.
  if (problems.every(({ severity }) => severity === 'warning')) {
    problems.push(...dependencyProblems(steps, () => stepsOfHiddenSlides(slides)))
    problems.push(...taskOrderProblems(tasks))
  }

  const headmatter: Record<string, unknown> = data.headmatter
  const settings = settingsSchema.safeParse(headmatter.understudy ?? {})
  for (const issue of settings.error ? invalidValues(['understudy'], settingsSchema, settings.error) : []) {
    const [source] = data.entry.slides
    const place = source && placeOfKey(slides, source, issue.key)
    problems.push(deckProblem(place ?? { file: relative(root, file) }, issue))
  }
  const distinct = inOrder(slides, withoutRepetitions(problems))
  const hasErrors = distinct.some(({ severity }) => severity === 'error')
  const tags = contents.slides.flatMap((slide) => slide.tags)
  const references = contents.slides.flatMap((slide) => slide.references)
  if (hasErrors || !settings.success) return { slides, references, tags, problems: distinct }

  const { cols, rows, keys = {} } = settings.data
  const deck: Deck = {
    file,
    title: typeof headmatter.title === 'string' ? headmatter.title : 'Slides',
    grid: { cols, rows },
    keys: withDefaults(keys),
    steps,
    tasks,
    slides: contents.slides.map(({ place, content, references, steps }) => ({
      place,
      content,
      references,
      steps: steps.map(({ id, hash, place }) => ({ id, hash, place })),
    })),
    warnings: distinct,
    files: [...new Set([file, ...slides.files.keys(), ...contents.snippets.keys()])],
    version: versionOf(slides, contents),
  }
  return { deck, slides, references, tags, problems: distinct }
}

/** A file that is imported twice has each of its problems once, on its first slide. */
function withoutRepetitions(problems: readonly DeckProblem[]): DeckProblem[] {
  const distinct = new Map<string, DeckProblem>()
  for (const problem of problems) {
    const { slide, ...rest } = problem
    // Without a line, different slides of one file would look the same.
    const key = JSON.stringify(problem.line === undefined ? problem : rest)
    if (!distinct.has(key)) distinct.set(key, problem)
  }
  return [...distinct.values()]
}

function inOrder({ root, files }: Slides, problems: readonly DeckProblem[]): DeckProblem[] {
  const paths = [...files.keys()].map((path) => relative(root, path))
  return problems.toSorted((a, b) => paths.indexOf(a.file) - paths.indexOf(b.file) || (a.line ?? 0) - (b.line ?? 0))
}

/** The contracts in importers whose steps are on none of the imported slides. */
function importerProblems(deck: Slides, { slides }: DeckContents): DeckProblem[] {
  const imported = new Map<SourceSlideInfo, Set<string>>()
  for (const { importChain, index } of deck.data.slides)
    for (const importer of importChain ?? []) {
      const ids = imported.get(importer) ?? new Set()
      imported.set(importer, ids)
      for (const id of slides[index]?.ids ?? []) ids.add(id)
    }
  return [...imported].flatMap(([importer, ids]) =>
    Object.keys(declaredContracts(importer)).flatMap((step) =>
      ids.has(step)
        ? []
        : [deckProblem(placeOfKey(deck, importer, ['steps', step]), { kind: 'contract-without-step', step })],
    ),
  )
}

function placeOfKey({ root, files }: Slides, source: SourceSlideInfo, key: readonly PropertyKey[]): Place {
  const file = files.get(source.filepath)
  return placeOf(root, source, file, frontmatterLine(source, file?.lines ?? [], key))
}

/** The steps on slides that are hidden, or outside the range that is imported. */
function stepsOfHiddenSlides(deck: Slides): Map<string, Place> {
  const shown = new Set(deck.data.slides.map(({ source }) => source))
  const hidden = new Map<string, Place>()
  for (const { slides } of Object.values(deck.data.markdownFiles))
    for (const slide of slides)
      if (!shown.has(slide)) for (const { id, place } of hiddenSteps(deck, slide)) hidden.set(id, place)
  return hidden
}

/** A task may depend only on earlier ones, so that a learner who follows the deck never meets a locked task. */
function taskOrderProblems(tasks: Map<string, DeckTask>): DeckProblem[] {
  const earlier = new Set<string>()
  return [...tasks.values()].flatMap(({ id, place, depends }) => {
    const wrong = depends.filter((dependency) => !earlier.has(dependency))
    earlier.add(id)
    return wrong.map((dependency) =>
      deckProblem(place, { kind: 'task-order', task: id, dependency, dependencyFollows: tasks.has(dependency) }),
    )
  })
}

function versionOf({ files, data }: Slides, { tasks, snippets }: DeckContents): string {
  const hash = createHash('sha256')
  for (const { text } of files.values()) hash.update(text).update('\0')
  // Preparsers may change slides whose files have not changed.
  for (const { content, frontmatter } of data.slides) hash.update(JSON.stringify([content, frontmatter])).update('\0')
  for (const text of snippets.values()) hash.update(text).update('\0')
  for (const { place, ...task } of tasks.values()) hash.update(JSON.stringify(task)).update('\0')
  return hash.digest('hex').slice(0, 16)
}
