import { dirname, relative, resolve } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describePlace, type Place } from './problems.ts'
import type { MissingRoot } from './roots.ts'
import type { LoadedSlides } from './slidev.ts'

/** The translation of Slidev's output to problems of a deck. */

/** Lines of Slidev's output that are shown if its errors are not recognized. */
const MAX_OUTPUT_LINES = 12

/** A reason why Slidev cannot build a deck. */
export type BuildProblem =
  /** A theme or an addon is not installed. */
  | { kind: 'missing-root'; root: MissingRoot }
  /** A file or a package that a slide or a component imports does not exist. */
  | { kind: 'unresolved'; import: string; places: Place[] }
  /** `message` is that of Vite or one of its plugins. */
  | { kind: 'compilation'; message: string; places: Place[] }
  /** Slidev failed in another way. `output` is the end of its output. */
  | { kind: 'unknown'; output: string }

/** A problem in the deck's files. */
type LocatedProblem = Extract<BuildProblem, { places: Place[] }>

/** Thrown if Slidev cannot build the deck. The message lists all problems. */
export class BuildError extends Error {
  override name = 'BuildError'
  readonly problems: readonly BuildProblem[]

  constructor(problems: readonly BuildProblem[]) {
    super(problems.map(describeBuildProblem).join('\n'))
    this.problems = problems
  }
}

/** Describes a problem and its fix. */
export function describeBuildProblem(problem: BuildProblem): string {
  switch (problem.kind) {
    case 'missing-root':
      return problem.root.package === undefined
        ? `The ${problem.root.type} "${problem.root.name}" does not exist. Check its path in the first frontmatter.`
        : `The ${problem.root.type} "${problem.root.name}" is not installed. Run: npm install ${problem.root.package}`
    case 'unresolved':
      return `${describePlaces(problem.places)}: cannot resolve '${problem.import}'`
    case 'compilation':
      return `${describePlaces(problem.places)}: ${problem.message}`
    case 'unknown':
      return problem.output
  }
}

function describePlaces(places: readonly Place[]): string {
  return places
    .toSorted((a, b) => (a.slide ?? 0) - (b.slide ?? 0))
    .map(describePlace)
    .join(', ')
}

/**
 * Parses the output of a failed build.
 *
 * @param slides the slides of the deck
 * @param root folder of the deck, in which Slidev ran, absolute
 * @param exitCode undefined if a signal ended Slidev
 */
export function parseBuildErrors(
  output: string,
  slides: LoadedSlides,
  root: string,
  exitCode?: number,
): BuildProblem[] {
  const text = stripVTControlCharacters(output)
  const problems = new Map<string, LocatedProblem>()
  const add = (problem: LocatedProblem) => {
    const key = `${problem.kind} ${problem.kind === 'unresolved' ? problem.import : problem.message}`
    const existing = problems.get(key)
    if (!existing) return void problems.set(key, problem)
    const known = existing.places.map(describePlace)
    existing.places.push(...problem.places.filter((place) => !known.includes(describePlace(place))))
  }
  const place = (module: string, search?: string) => findPlace(module, slides, root, search)

  for (const [, id = '', file = ''] of text.matchAll(/Could not resolve '(.+)' in (.+)$/gm))
    add({ kind: 'unresolved', import: id, places: [place(file, id)] })
  for (const [, id = '', file = ''] of text.matchAll(/failed to resolve import "(.+)" from "(.+)"/g))
    add({ kind: 'unresolved', import: id, places: [place(file, id)] })
  for (const [, file = '', message = ''] of text.matchAll(/^\[plugin [^\]]*\] (.+)\n(?:\w*Error: )?(.*)$/gm))
    add({
      kind: 'compilation',
      // PostCSS repeats the position.
      message: message.replace(/^\[postcss\] .*?:\d+:\d+: /, ''),
      places: [place(file)],
    })
  for (const [, code, message = '', file = ''] of text.matchAll(/^\[([A-Z_]+)\] (.+)\n\s+╭─\[ (.+) \]$/gm))
    if (code !== 'UNRESOLVED_IMPORT') add({ kind: 'compilation', message, places: [place(file)] })

  if (problems.size > 0) return [...problems.values()]
  const rest = lastLines(withoutStacks(text.replace(/^[\s\S]*^Build failed with .*$/m, '')))
  return [{ kind: 'unknown', output: rest || `Slidev exited with status ${exitCode ?? '(none)'}.` }]
}

/**
 * The position of a module in the deck.
 *
 * @param module path of a file, or of a slide as Slidev names it, with a query or with line and column
 * @param search a text in the module, which determines the line
 */
function findPlace(module: string, { slides }: LoadedSlides, root: string, search?: string): Place {
  const path = module.replace(/(\?.*|:\d+:\d+)$/, '')
  const number = Number(/^.*__slidev_(\d+)\.md$/.exec(path)?.[1])
  const slide = slides[number - 1]
  // Lines in the output are those of the code that slides and components are compiled to.
  if (slide === undefined) return { file: relative(root, resolve(root, path)) }
  const { filepath, start, raw } = slide.source
  const index = search === undefined ? -1 : raw.split('\n').findIndex((text) => text.includes(search))
  return {
    file: relative(root, resolve(dirname(root), filepath)),
    ...(index >= 0 && { line: start + index + 1 }),
    slide: number,
  }
}

/** Removes the stack traces of Node and of Rust, which would hide the error itself. */
function withoutStacks(text: string): string {
  const stack = /^\s+at |^\s*\d+: |^Stack backtrace:|^\s*errors: \[Getter\/Setter\]|^[{}\s]*$/
  return text
    .split('\n')
    .filter((line) => !stack.test(line))
    .join('\n')
}

/** The end of a program's output, for an error message. */
export function lastLines(text: string): string {
  return stripVTControlCharacters(text).trim().split('\n').slice(-MAX_OUTPUT_LINES).join('\n')
}
