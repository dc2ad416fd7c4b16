import { z } from 'zod'
import { BuildError } from '../deck/build-errors.ts'
import { DeckError } from '../deck/problems.ts'
import { describeDeckProblem } from '../../shared/failures/deck-problem.ts'

/** Describes the failure of a command, and the fix. */
export function describeError(error: unknown): string {
  if (error instanceof DeckError)
    return `Invalid deck:\n${error.problems.map((problem) => `  ${describeDeckProblem(problem)}`).join('\n')}`
  if (isDiskFull(error))
    return 'The disk is full: cannot write to the cache. Free some space, or set UNDERSTUDY_CACHE to a folder on another disk.'
  const folder = unwritableFolder(error)
  if (folder !== undefined) return `Cannot write to ${folder}. Set UNDERSTUDY_CACHE to a folder that you can write to.`
  if (error instanceof BuildError) return `Slidev failed to build the deck:\n${error.message}`
  return error instanceof Error ? error.message : String(error)
}

/** The file or folder that cannot be written because of its permissions or because its file system is read-only. */
function unwritableFolder(error: unknown): string | undefined {
  const denied = z.object({ code: z.enum(['EACCES', 'EROFS', 'EPERM']), syscall: z.literal('mkdir'), path: z.string() })
  return denied.safeParse(error).data?.path
}

/** Recognizes ENOSPC and EDQUOT from their code or, in the output of programs, from their names and libc messages. */
function isDiskFull(error: unknown): boolean {
  return /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/i.test(String(error))
}
