import { describeSessionFailure, type SessionFailure } from '../../shared/failures/session.ts'

/** A session that did not start, or did not run a step. `failure` says why. */
export class SessionError extends Error {
  override name = 'SessionError'
  readonly failure: SessionFailure
  constructor(failure: SessionFailure) {
    super(describeSessionFailure(failure))
    this.failure = failure
  }
}

/** The failure of an error, whatever was thrown. */
export function sessionFailureOf(error: unknown): SessionFailure {
  if (error instanceof SessionError) return error.failure
  return { kind: 'unexpected', message: error instanceof Error ? error.message : String(error) }
}
