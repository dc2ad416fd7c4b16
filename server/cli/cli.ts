import { createProgram } from './program.ts'

/** Exit status after an interruption: 128 and the number of SIGINT, as shells report it. */
const INTERRUPTED_STATUS = 130

try {
  await createProgram(console.error).parseAsync()
  process.exit()
} catch (error) {
  if (error instanceof Error && error.name === 'AbortError') process.exit(INTERRUPTED_STATUS)
  console.error((await import('./errors.ts')).describeError(error))
  process.exit(1)
}
