import { deckProblem } from './problems.ts'
import type { DeckProblem, Place } from '../../shared/failures/deck-problem.ts'
import { similarName } from './similar-name.ts'
import type { Step } from './step.ts'

/**
 * Checks that each step depends only on earlier ones, since a rehearsal runs them in the deck's order.
 *
 * @param steps in the deck's order
 * @param hidden the steps on slides that the page does not show
 */
export function dependencyProblems(
  steps: ReadonlyMap<string, Step>,
  hidden: () => ReadonlyMap<string, Place>,
): DeckProblem[] {
  const order = [...steps.keys()]
  const cycles = findCycles(steps)
  const problems = cycles.map((cycle) =>
    deckProblem(steps.get(cycle[0] ?? '')?.place ?? { file: '' }, { kind: 'dependency-cycle', steps: cycle }),
  )
  for (const { id: step, place, contract } of steps.values())
    for (const dependency of contract.depends) {
      const found = steps.get(dependency)
      const hiddenPlace = found ? undefined : hidden().get(dependency)
      if (hiddenPlace)
        problems.push(deckProblem(place, { kind: 'hidden-dependency', step, dependency, hidden: hiddenPlace }))
      else if (!found) {
        const suggestion = similarName(
          dependency,
          order.filter((id) => id !== step),
        )
        problems.push(
          deckProblem(place, {
            kind: 'unknown-dependency',
            step,
            dependency,
            ...(suggestion !== undefined && { suggestion }),
          }),
        )
      } else if (
        order.indexOf(dependency) > order.indexOf(step) &&
        !cycles.some((cycle) => cycle.includes(step) && cycle.includes(dependency))
      )
        problems.push(deckProblem(place, { kind: 'later-dependency', step, dependency, later: found.place }))
    }
  return problems
}

/** Steps that depend on each other; the first step of each cycle is also its last. */
function findCycles(steps: ReadonlyMap<string, Step>): string[][] {
  const cycles: string[][] = []
  const finished = new Set<string>()
  const visit = (id: string, path: readonly string[]): void => {
    const start = path.indexOf(id)
    if (start >= 0) return void cycles.push([...path.slice(start), id])
    if (finished.has(id)) return
    for (const dependency of steps.get(id)?.contract.depends ?? []) visit(dependency, [...path, id])
    finished.add(id)
  }
  for (const id of steps.keys()) visit(id, [])
  return cycles
}
