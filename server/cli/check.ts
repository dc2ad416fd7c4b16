import { dirname, join, relative } from 'node:path'
import { type DeckProblem, describeDeckIssue } from '../../shared/failures/deck-problem.ts'
import { checkDeck } from '../rehearsal/check-deck.ts'

export interface CheckOptions {
  /** The deck, absolute. */
  deck: string
  json: boolean
  /** Whether to print annotations for GitHub Actions. */
  github: boolean
  /** Whether warnings count as errors. */
  strict: boolean
}

/**
 * Prints all problems of a deck, without running anything.
 *
 * @returns whether the deck can be used
 * @throws SlidevError
 */
export async function printProblems({ deck, json, github, strict }: CheckOptions): Promise<boolean> {
  // Paths are relative to the current folder, so that terminals, editors and GitHub can open them.
  const problems = (await checkDeck(deck)).map((problem) => ({
    ...problem,
    file: relative(process.cwd(), join(dirname(deck), problem.file)),
  }))
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = problems.length - errors
  if (json) console.log(JSON.stringify({ errors, warnings, problems: problems.map(toJson) }, undefined, 2))
  else {
    for (const problem of problems) console.log(github ? describeForGithub(problem) : describe(problem))
    console.log(problems.length === 0 ? 'No problems.' : `${count(errors, 'error')}, ${count(warnings, 'warning')}`)
  }
  return errors === 0 && (!strict || warnings === 0)
}

/** In the format of compilers, which editors recognize: `slides.md:42: error: … (slide 7)`. */
function describe(problem: DeckProblem): string {
  const { file, line, slide, severity } = problem
  const position = line === undefined ? file : `${file}:${line}`
  return `${position}: ${severity}: ${describeDeckIssue(problem)}${slide === undefined ? '' : ` (slide ${slide})`}`
}

/** A workflow command of GitHub Actions (docs.github.com, "Workflow commands"), with its escapes. */
function describeForGithub(problem: DeckProblem): string {
  const { file, line, slide, severity } = problem
  const escape = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  const escapeProperty = (text: string) => escape(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
  const properties = [
    `file=${escapeProperty(file)}`,
    ...(line === undefined ? [] : [`line=${line}`]),
    ...(slide === undefined ? [] : [`title=Slide ${slide}`]),
  ]
  return `::${severity} ${properties.join(',')}::${escape(describeDeckIssue(problem))}`
}

function toJson(problem: DeckProblem) {
  const { file, line, slide, severity, kind } = problem
  return { file, line, slide, severity, kind, message: describeDeckIssue(problem) }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
