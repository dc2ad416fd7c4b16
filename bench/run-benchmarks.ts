import type { Figure } from './figure.ts'
import { missingRequirement, type Requirement } from './requirements.ts'

export interface Benchmark {
  name: string
  needs: readonly Requirement[]
  /** @param quick whether to take fewer measurements, for a quick estimate */
  measure: (quick: boolean) => Promise<Figure[]>
}

/** Result of one benchmark. */
export type Outcome =
  | { benchmark: string; status: 'measured'; figures: Figure[] }
  | { benchmark: string; status: 'skipped'; reason: string }
  | { benchmark: string; status: 'failed'; message: string }

/**
 * Runs benchmarks one after the other. A benchmark that fails or lacks a requirement does not affect the others.
 *
 * @param onStart called before each benchmark
 * @param onOutcome called after each benchmark
 */
export async function runBenchmarks(
  benchmarks: readonly Benchmark[],
  {
    quick,
    onStart = () => {},
    onOutcome = () => {},
  }: { quick: boolean; onStart?: (benchmark: Benchmark) => void; onOutcome?: (outcome: Outcome) => void },
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const benchmark of benchmarks) {
    onStart(benchmark)
    const outcome = await run(benchmark, quick)
    outcomes.push(outcome)
    onOutcome(outcome)
  }
  return outcomes
}

async function run({ name, needs, measure }: Benchmark, quick: boolean): Promise<Outcome> {
  const missing = await Promise.all(needs.map(missingRequirement))
  const reason = missing.filter((each) => each !== undefined).join('; ')
  if (reason !== '') return { benchmark: name, status: 'skipped', reason }
  try {
    return { benchmark: name, status: 'measured', figures: await measure(quick) }
  } catch (error) {
    return { benchmark: name, status: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}
