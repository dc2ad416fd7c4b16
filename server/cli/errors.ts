import { DeckError, describeProblem } from '../deck/problems.ts'
import { BuildError } from '../deck/slidev.ts'

/** Describes the failure of a command, and what to do next. */
export function describeError(error: unknown): string {
  if (error instanceof DeckError)
    return `Invalid deck:\n${error.problems.map((problem) => `  ${describeProblem(problem)}`).join('\n')}`
  if (isDiskFull(error))
    return 'The disk is full: cannot write to the cache. Free some space, or set UNDERSTUDY_CACHE to a folder on another disk.'
  if (error instanceof BuildError) return `Slidev failed to build the deck:\n${error.message}`
  return error instanceof Error ? error.message : String(error)
}

/** Recognizes ENOSPC and EDQUOT by their code, and in the output of programs by their names and texts in libc. */
function isDiskFull(error: unknown): boolean {
  return /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/i.test(String(error))
}
