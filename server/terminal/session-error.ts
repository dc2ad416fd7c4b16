import { describeSessionFailure, type SessionFailure } from '../../shared/failures/session.ts'

/** Thrown if a session does not start or does not run a step. `failure` is the reason. */
export class SessionError extends Error {
  override name = 'SessionError'
  readonly failure: SessionFailure
  constructor(failure: SessionFailure) {
    super(describeSessionFailure(failure))
    this.failure = failure
  }
}

/** Converts any thrown value to a session failure. */
export function sessionFailureOf(error: unknown): SessionFailure {
  if (error instanceof SessionError) return error.failure
  return { kind: 'unexpected', message: error instanceof Error ? error.message : String(error) }
}
