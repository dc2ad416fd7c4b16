import { findEngine } from '../executor/container.ts'

/** Why no containers run here, for the names of the tests that need them; undefined where they do. */
export async function noContainers(): Promise<string | undefined> {
  return findEngine().then(
    () => undefined,
    (error: Error) => error.message.split('\n')[0],
  )
}
