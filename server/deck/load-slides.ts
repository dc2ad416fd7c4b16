import { existsSync, readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { SourceSlideInfo, SlidevPreparserExtension } from '@slidev/types'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import { frontmatterIssues, frontmatterLine } from './frontmatter.ts'
import { DeckError, deckProblem } from './problems.ts'
import type { DeckIssue, DeckProblem, ImportFailure, Place } from '../../shared/failures/deck-problem.ts'
import { findRoots } from './roots.ts'
import { type LoadedSlides, loadSlidev, type Parser } from './slidev.ts'
import { isInside } from './snippet.ts'

/** The slides of a deck, as Slidev's process reads them. */
export interface Slides {
  data: LoadedSlides
  files: Map<string, SourceFile>
  /** Folder of the deck, absolute. */
  root: string
  /** The folders of the theme, of the addons and of the deck, absolute, in Slidev's order. */
  roots: readonly string[]
  /** The folders from which slides may import files, absolute. */
  allowedRoots: readonly string[]
  problems: DeckProblem[]
}

/** A file that contains slides. */
export class SourceFile {
  readonly text: string
  /** Slidev's lines: those of the file, after the preparsers have changed them. */
  readonly lines: readonly string[]
  private readonly original: readonly string[]

  /** @param lines Slidev's lines, if they differ from the file's */
  constructor(text: string, lines?: readonly string[]) {
    this.text = text
    this.original = text.split(/\r?\n/)
    this.lines = lines ?? this.original
  }

  /**
   * Converts a position in Slidev's lines to one in the file.
   *
   * @param line from 0
   * @returns from 1; undefined if a preparser has written the line
   */
  lineInFile(line: number): number | undefined {
    if (this.lines === this.original) return line + 1
    const found = nearestEqual(this.original, this.lines[line] ?? '', line)
    return found === undefined ? undefined : found + 1
  }
}

/** The index of a text in lines that is nearest to a position. */
export function nearestEqual(lines: readonly string[], text: string, position: number): number | undefined {
  for (let distance = 0; distance < lines.length; distance++)
    for (const index of [position - distance, position + distance])
      if (lines[index]?.trimEnd() === text.trimEnd()) return index
  return undefined
}

/**
 * Loads the slides with the parser of the deck's Slidev: imported files and preparsers included.
 *
 * @param file the entry file, absolute
 * @throws DeckError if a file cannot be read, or SlidevError
 */
export async function loadSlides(file: string): Promise<Slides> {
  const { parser } = await loadSlidev(file)
  const root = dirname(file)
  try {
    const entry = await readFile(file, 'utf8')
    if (entry.startsWith('\ufeff')) throw new DeckError([byteOrderMark(root, file)])
    // Slidev does not start with an invalid headmatter, which names the theme and the addons.
    const first = (await parser.parse(entry, file)).slides[0]
    const issues = first ? frontmatterIssues(first, entry.split(/\r?\n/)) : []
    if (issues.length > 0)
      throw new DeckError(
        issues.map(({ line, issue }) => deckProblem({ file: relative(root, file), line: line + 1 }, issue)),
      )

    const { all: roots } = await findRoots(file)
    const allowedRoots = [...new Set([workspaceRoot(root), ...roots])]
    const options = { roots: [...roots], userRoot: root, allowedRoots }
    const { data, lines } = await withPreparsers(parser, roots, () => parser.load(options, file, undefined, 'build'))
    const files = new Map<string, SourceFile>()
    for (const [index, path] of Object.keys(data.markdownFiles).entries())
      files.set(path, new SourceFile(data.markdownFiles[path]?.raw ?? '', lines[index]))
    const slides = { data, files, root, roots, allowedRoots }
    return { ...slides, problems: findProblems(parser, slides) }
  } catch (error) {
    if (error instanceof DeckError) throw error
    throw new DeckError([deckProblem({ file: relative(process.cwd(), file) || file }, readIssue(error))])
  }
}

function byteOrderMark(root: string, path: string): DeckProblem {
  return deckProblem({ file: relative(root, path), line: 1 }, { kind: 'byte-order-mark' })
}

function readIssue(error: unknown): DeckIssue {
  if (error instanceof PreparserError) return { kind: 'preparser', message: error.message }
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EISDIR') return { kind: 'is-folder' }
  if (code === 'ENOENT') return { kind: 'missing-file' }
  return { kind: 'unreadable', message: error instanceof Error ? error.message : String(error) }
}

/** The folder that Slidev considers as the workspace of a deck: nothing outside it can be imported. */
function workspaceRoot(root: string): string {
  const parents: string[] = []
  for (let folder = root; ; folder = dirname(folder)) {
    parents.push(folder)
    if (folder === dirname(folder)) break
  }
  const project = parents.find((folder) => existsSync(join(folder, 'package.json'))) ?? dirname(root)
  const isWorkspace = (folder: string) =>
    folder.length <= project.length &&
    (existsSync(join(folder, 'pnpm-workspace.yaml')) || workspaceSchema.safeParse(readJson(folder)).success)
  return parents.find(isWorkspace) ?? project
}

const workspaceSchema = z.object({ workspaces: z.unknown().refine(Boolean) })

function readJson(folder: string): unknown {
  try {
    return json(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** Thrown if a preparser cannot be loaded or fails. */
class PreparserError extends Error {
  override name = 'PreparserError'
}

type PreparserSetup = (options: { filepath: string; headmatter: Record<string, unknown>; mode?: string }) => unknown
const preparserModule = z.object({ default: z.custom<PreparserSetup>((value) => typeof value === 'function') })
const extensionsSchema = z.array(
  z.custom<SlidevPreparserExtension>((value) => typeof value === 'object' && value !== null),
)

/** Ends with the last load. Slidev's parser knows one loader of preparsers, so that loads must not overlap. */
let loading: Promise<unknown> = Promise.resolve()

/**
 * Loads slides with the preparsers (`setup/preparser.ts`) of the theme, the addons and the deck.
 *
 * @returns what `load` returns, and the lines of each file after the preparsers have changed them; no lines if there are
 * no preparsers
 */
async function withPreparsers<T>(
  parser: Parser,
  roots: readonly string[],
  load: () => Promise<T>,
): Promise<{ data: T; lines: string[][] }> {
  const files = roots.map((root) => join(root, 'setup', 'preparser.ts')).filter((file) => existsSync(file))
  const lines: string[][] = []
  const run = async () => {
    if (files.length > 0)
      parser.injectPreparserExtensionLoader(async (_roots, headmatter, filepath, mode) => [
        ...(await loadPreparsers(files, { filepath, headmatter, ...(mode !== undefined && { mode }) })),
        { name: 'understudy:lines', transformRawLines: (changed) => void lines.push([...changed]) },
      ])
    try {
      return { data: await load(), lines }
    } finally {
      if (files.length > 0) parser.injectPreparserExtensionLoader(() => Promise.resolve([]))
    }
  }
  const result = loading.then(run)
  loading = result.catch(() => {})
  return result
}

async function loadPreparsers(
  files: readonly string[],
  options: Parameters<PreparserSetup>[0],
): Promise<SlidevPreparserExtension[]> {
  // Loaded as Slidev does it. Most decks have no preparser, so that the time to load jiti is saved.
  const { createJiti } = await import('jiti')
  const jiti = createJiti(import.meta.url, { moduleCache: false })
  const extensions: SlidevPreparserExtension[] = []
  for (const file of files)
    try {
      const setup = preparserModule.parse(await jiti.import(file)).default
      extensions.push(...extensionsSchema.parse([await setup(options)].flat()))
    } catch (error) {
      throw new PreparserError(error instanceof Error ? error.message : String(error))
    }
  return extensions
}

/** The mistakes in the structure of a deck: in its frontmatters and imports. */
function findProblems(parser: Parser, { data, files, root, allowedRoots }: Omit<Slides, 'problems'>): DeckProblem[] {
  const problems: DeckProblem[] = []
  for (const [path, { text }] of files) if (text.startsWith('\ufeff')) problems.push(byteOrderMark(root, path))
  if (problems.length > 0) return problems

  const numbers = new Map(data.slides.map(({ source, index }) => [source, index + 1]))
  for (const [path, { slides }] of Object.entries(data.markdownFiles)) {
    const file = files.get(path)
    for (const source of file ? slides : [])
      for (const { line, issue } of frontmatterIssues(source, file?.lines ?? []))
        problems.push(deckProblem(placeOf(root, source, file, line, numbers.get(source)), issue))
  }

  for (const { importer, src, reason } of importFailures(parser, data, root, allowedRoots)) {
    const file = files.get(importer.filepath)
    const line = frontmatterLine(importer, file?.lines ?? [], ['src'])
    problems.push(deckProblem(placeOf(root, importer, file, line), { kind: 'import', src, reason }))
  }
  // Slidev reports a failed import in the same way as any other error, without its line.
  if (problems.length === 0)
    for (const [path, { errors }] of Object.entries(data.markdownFiles))
      for (const { row, message } of errors ?? [])
        problems.push(deckProblem({ file: relative(root, path), line: row + 1 }, { kind: 'syntax', message }))
  return problems
}

/** The position of a line in Slidev's text of a slide, from 0. */
export function placeOf(
  root: string,
  source: SourceSlideInfo,
  file: SourceFile | undefined,
  line: number,
  slide?: number,
): Place {
  const inFile = file?.lineInFile(line) ?? file?.lineInFile(source.start)
  return {
    file: relative(root, source.filepath),
    ...(inFile !== undefined && { line: inFile }),
    ...(slide !== undefined && { slide }),
  }
}

interface ImportProblem {
  importer: SourceSlideInfo
  src: string
  reason: ImportFailure
}

/** The imports that fail, each once. Follows `loadSlide` in @slidev/parser, which skips such a slide. */
function importFailures(
  parser: Parser,
  { markdownFiles, entry }: LoadedSlides,
  root: string,
  allowedRoots: readonly string[],
): ImportProblem[] {
  const failures = new Map<SourceSlideInfo, ImportProblem>()
  const visit = (path: string, range: string | undefined, importers: readonly SourceSlideInfo[]): void => {
    const slides = markdownFiles[path]?.slides ?? []
    const importer = importers.at(-1)
    const fail = (slide: SourceSlideInfo, reason: ImportFailure) =>
      failures.set(slide, { importer: slide, src: String(slide.frontmatter.src), reason })
    // Slidev skips slides that do not exist.
    const missing = missingSlides(range, slides.length)
    if (importer && missing !== undefined)
      fail(importer, { kind: 'missing-slide', slide: missing, slides: slides.length })
    for (const number of parser.parseRangeString(slides.length, range)) {
      const slide = slides[number - 1]
      const src: unknown = slide?.frontmatter.src
      if (!slide || isHidden(slide) || !src) continue
      if (typeof src !== 'string') {
        fail(slide, { kind: 'not-a-path' })
        continue
      }
      const [name = '', nextRange] = src.split('#')
      const target = name.startsWith('/') ? join(root, name) : resolve(dirname(slide.filepath), name)
      if (target === path || importers.some(({ filepath }) => filepath === target)) fail(slide, { kind: 'circular' })
      else if (!allowedRoots.some((allowed) => isInside(target, allowed))) fail(slide, { kind: 'outside' })
      else if (!existsSync(target)) fail(slide, { kind: 'missing' })
      else if (!statSync(target).isFile()) fail(slide, { kind: 'not-a-file' })
      else visit(target, nextRange, [...importers, slide])
    }
  }
  visit(entry.filepath, undefined, [])
  return [...failures.values()]
}

/** The first number or range in `src: ./file.md#<range>` that names no slide. */
function missingSlides(range: string | undefined, slides: number): string | undefined {
  if (!range || ['all', '*', 'none'].includes(range)) return undefined
  return range.split(/[,;]/).find((part) => {
    const [start = '', end = ''] = part.split('-', 2)
    return !(Number(start) >= 1 && Number(start) <= slides && (end === '' || Number(end) >= Number(start)))
  })
}

/** Whether Slidev leaves a slide out. */
export function isHidden({ frontmatter }: SourceSlideInfo): boolean {
  return Boolean(frontmatter.disabled || frontmatter.hide)
}
