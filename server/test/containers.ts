import { findEngine } from '../executor/container.ts'

/**
 * @returns the reason why containers cannot run on this machine, for the names of skipped tests; undefined if they can
 */
export async function noContainers(): Promise<string | undefined> {
  return findEngine().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n')[0],
  )
}
