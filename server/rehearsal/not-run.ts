import { describeMissingRequirement, type MissingRequirement } from '../../shared/failures/requirement.ts'

/** Why a rehearsal did not run a step. It is not a success. */
export type NotRunReason =
  | { kind: 'interrupted' }
  | { kind: 'earlier-failure'; step: string }
  | { kind: 'time-limit'; seconds: number }
  | { kind: 'dependency'; step: string }
  /** The step asks for a word first. */
  | { kind: 'confirmation' }
  | { kind: 'inputs'; names: string[] }
  | { kind: 'unavailable'; missing: MissingRequirement[] }

/** A sentence for the report. */
export function describeNotRun(reason: NotRunReason): string {
  switch (reason.kind) {
    case 'interrupted':
      return 'The rehearsal was interrupted.'
    case 'earlier-failure':
      return `Step "${reason.step}" failed before it. Use --keep-going to continue after a failure.`
    case 'time-limit':
      return `The time limit of ${reason.seconds} s was reached.`
    case 'dependency':
      return `It depends on step "${reason.step}", which did not pass.`
    case 'confirmation':
      return 'It asks for confirmation because it costs money or destroys something. Run it on stage.'
    case 'inputs':
      return `It asks for input: ${reason.names.join(', ')}.`
    case 'unavailable':
      return reason.missing.map(describeMissingRequirement).join(' ')
  }
}
