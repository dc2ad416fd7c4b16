import { describeRefusal, type Refusal } from '../../shared/failures/refusal.ts'

/** Thrown if a request is refused. `refusal` is the reason, and the message is the text for the user. */
export class RefusedError extends Error {
  override name = 'RefusedError'
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(describeRefusal(refusal))
    this.refusal = refusal
  }
}

/** Converts any thrown value to a refusal. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof RefusedError) return error.refusal
  return { kind: 'unexpected', message: error instanceof Error ? error.message : String(error) }
}
