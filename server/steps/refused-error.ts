import { describeRefusal, type Refusal } from '../../shared/failures/refusal.ts'

/** A request that is not carried out. `refusal` says why; the message is the sentence for the user. */
export class RefusedError extends Error {
  override name = 'RefusedError'
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(describeRefusal(refusal))
    this.refusal = refusal
  }
}

/** The refusal of an error, whatever was thrown. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof RefusedError) return error.refusal
  return { kind: 'unexpected', message: error instanceof Error ? error.message : String(error) }
}
