import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tag } from './markdown.ts'
import { deckProblem } from './problems.ts'
import type { DeckProblem, Place } from '../../shared/failures/deck-problem.ts'
import type { Step } from './step.ts'

/** A slide, as this module needs it. */
export interface SlideTerminals {
  place: Place
  layout: string
  tags: readonly (Tag & { place: Place })[]
  steps: readonly Step[]
}

/** Layouts that show the terminals of all steps of their slide. */
const STAGE_LAYOUTS = ['stage', 'understudy-stage']
/** The component Terminal, in the spellings that Vue accepts. */
const TERMINAL_TAG = /^(understudy-?)?terminal$/i

/**
 * Checks that the terminals on slides exist, and that the output of each step is visible on its slide.
 *
 * @param slides in the deck's order
 * @param roots folders with the layouts and components of the deck, absolute
 */
export function terminalProblems(slides: readonly SlideTerminals[], roots: readonly string[]): DeckProblem[] {
  const known = [...new Set(slides.flatMap(({ steps }) => steps.map(({ terminal }) => terminal)))]
  return slides.flatMap((slide) => {
    const problems: DeckProblem[] = []
    const shown = new Set<string | undefined>()
    let showsAll = STAGE_LAYOUTS.includes(slide.layout)
    for (const { name, attributes, place } of slide.tags) {
      if (!TERMINAL_TAG.test(name)) continue
      const terminal = nameAttribute(attributes)
      if (terminal === 'expression') showsAll = true
      else if (terminal === undefined) shown.add(slide.steps[0]?.terminal)
      else {
        shown.add(terminal.name)
        if (!known.includes(terminal.name))
          problems.push(deckProblem(place, { kind: 'unknown-terminal', terminal: terminal.name, known }))
      }
    }
    const hidden = slide.steps.filter(({ terminal }) => !shown.has(terminal))
    if (hidden.length === 0 || showsAll || hasOwnTerminal(slide, roots)) return problems
    for (const terminal of new Set(hidden.map((step) => step.terminal))) {
      const step = hidden.find((each) => each.terminal === terminal)
      if (step)
        problems.push(
          deckProblem(
            { ...step.place, ...slide.place, line: step.place.line },
            { kind: 'hidden-output', step: step.id, terminal },
          ),
        )
    }
    return problems
  })
}

/** The name of a terminal; `expression` if Vue computes it, undefined if there is none. */
function nameAttribute(attributes: string): { name: string } | 'expression' | undefined {
  if (/(^|\s)(:name|v-bind(:name)?)\s*=/.test(attributes)) return 'expression'
  const match = /(?:^|\s)name\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'/]+))/.exec(attributes)
  return match ? { name: match[1] ?? match[2] ?? match[3] ?? '' } : undefined
}

/** Whether a layout or a component of the deck or its theme seems to contain a terminal. */
function hasOwnTerminal({ layout, tags }: SlideTerminals, roots: readonly string[]): boolean {
  const components = [...new Set(tags.map(({ name }) => name))].filter(
    (name) => /^[A-Z]/.test(name) && !TERMINAL_TAG.test(name),
  )
  const files = [`layouts/${layout}.vue`, ...components.map((name) => `components/${name}.vue`)]
  return roots.some((root) =>
    files.some((name) => {
      const file = join(root, name)
      return existsSync(file) && /<(Understudy)?Terminal/.test(readFileSync(file, 'utf8'))
    }),
  )
}
