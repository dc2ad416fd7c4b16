import { describeMissingRequirement, type MissingRequirement } from '../../shared/failures/requirement.ts'

/** Why a rehearsal did not run a step. Such a step has not passed. */
export type NotRunReason =
  | { kind: 'interrupted' }
  | { kind: 'earlier-failure'; step: string }
  | { kind: 'time-limit'; seconds: number }
  | { kind: 'dependency'; step: string }
  /** The step asks the user for confirmation. */
  | { kind: 'confirmation' }
  | { kind: 'inputs'; names: string[] }
  | { kind: 'unavailable'; missing: MissingRequirement[] }

/** A sentence for the report. */
export function describeNotRun(reason: NotRunReason): string {
  switch (reason.kind) {
    case 'interrupted':
      return 'The rehearsal was interrupted.'
    case 'earlier-failure':
      return `The rehearsal stopped after step "${reason.step}" failed. Use --keep-going to continue after a failure.`
    case 'time-limit':
      return `The time limit of ${reason.seconds} s was reached.`
    case 'dependency':
      return `It depends on step "${reason.step}", which did not pass.`
    case 'confirmation':
      return 'It asks the user for confirmation. Run it in the talk.'
    case 'inputs':
      return `It asks the user for input (${reason.names.join(', ')}). Run it in the talk.`
    case 'unavailable':
      return reason.missing.map(describeMissingRequirement).join(' ')
  }
}
