import { findEngine } from '../executor/container.ts'

/** Why no container can run on this machine, for the names of skipped tests; undefined if one can. */
export async function noContainers(): Promise<string | undefined> {
  return findEngine().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n')[0],
  )
}
