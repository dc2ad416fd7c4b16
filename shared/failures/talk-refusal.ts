import { commandLine } from '../command-line.ts'
import { z } from 'zod'
import { permission, role } from '../roles.ts'
import { describeMissingRequirement, missingRequirement } from './requirement.ts'
import { describeSessionFailure, sessionFailure } from './session.ts'

/** Reasons for refusing a request about the talk: its steps, terminals and slides. */
export const talkRefusals = [
  z.strictObject({ kind: z.literal('unknown-step'), step: z.string() }),
  z.strictObject({ kind: z.literal('unknown-terminal'), terminal: z.string() }),
  /** The command on the page differs from the one in the current deck. */
  z.strictObject({ kind: z.literal('stale'), step: z.string() }),
  z.strictObject({ kind: z.literal('unavailable'), step: z.string(), missing: z.array(missingRequirement).min(1) }),
  /** The step cannot run; its recording is shown instead. */
  z.strictObject({ kind: z.literal('replayed'), step: z.string(), missing: z.array(missingRequirement).min(1) }),
  z.strictObject({ kind: z.literal('unconfirmed'), warning: z.string(), word: z.string() }),
  z.strictObject({ kind: z.literal('bad-input'), message: z.string() }),
  /** `step` runs in the terminal; absent if the running command is not a step. */
  z.strictObject({ kind: z.literal('busy'), terminal: z.string(), step: z.string().optional() }),
  /** `holder` names the process or the step that listens on the port. */
  z.strictObject({
    kind: z.literal('port-in-use'),
    port: z.number().int(),
    holder: z.union([z.strictObject({ step: z.string() }), z.strictObject({ description: z.string() })]),
  }),
  z.strictObject({ kind: z.literal('no-recording'), step: z.string() }),
  z.strictObject({ kind: z.literal('shell-failed'), terminal: z.string(), failure: sessionFailure }),
  /** `reason` explains why the window has fewer permissions than its role. */
  z.strictObject({ kind: z.literal('not-allowed'), role, permission, reason: z.string().optional() }),
  z.strictObject({ kind: z.literal('no-presenter-window') }),
  z.strictObject({ kind: z.literal('not-a-workshop') }),
  z.strictObject({ kind: z.literal('not-a-class') }),
  /** A message of the page is not part of the protocol. `type` is its type, `issue` the first mistake in it. */
  z.strictObject({ kind: z.literal('invalid-message'), type: z.string(), issue: z.string() }),
  /** The page uses a different version of the protocol than the server. */
  z.strictObject({ kind: z.literal('outdated-page') }),
  /** Any other error, with its own message. */
  z.strictObject({ kind: z.literal('unexpected'), message: z.string() }),
] as const

export const talkRefusal = z.discriminatedUnion('kind', talkRefusals)
export type TalkRefusal = z.infer<typeof talkRefusal>

/** @returns one or two sentences for the user: the refused request, and what to do next */
export function describeTalkRefusal(refusal: TalkRefusal): string {
  switch (refusal.kind) {
    case 'unknown-step':
      return `This deck has no step "${refusal.step}". Reload the page.`
    case 'unknown-terminal':
      return `This deck has no terminal "${refusal.terminal}". Reload the page.`
    case 'stale':
      return `The command of step "${refusal.step}" on this page differs from the one in the deck. Reload the page.`
    case 'unavailable':
    case 'replayed':
      return refusal.missing.map(describeMissingRequirement).join(' ')
    case 'unconfirmed':
      return `${refusal.warning} Type "${refusal.word}" to continue.`
    case 'bad-input':
      return refusal.message
    case 'busy':
      return `Terminal "${refusal.terminal}" is busy${refusal.step === undefined ? '' : ` with step "${refusal.step}"`}. Interrupt it first, or wait.`
    case 'port-in-use':
      return 'step' in refusal.holder
        ? `Port ${refusal.port} is in use by step "${refusal.holder.step}". Interrupt it first.`
        : refusal.holder.description
    case 'no-recording':
      return `Step "${refusal.step}" has no recording yet. Record it: ${commandLine('rehearse', refusal.step)}`
    case 'shell-failed':
      return `The shell of terminal "${refusal.terminal}" did not start: ${describeSessionFailure(refusal.failure)}`
    case 'not-allowed':
      return `A window with the role "${refusal.role}" does not have the permission "${refusal.permission}". ${refusal.reason ?? "Use the presenter's window."}`
    case 'no-presenter-window':
      return "No presenter window is open. Open the slides on the presenter's machine."
    case 'not-a-workshop':
      return `This is a talk, not a workshop. Start a workshop: ${commandLine('workshop')}`
    case 'not-a-class':
      return `This workshop has a single learner. Start a class: ${commandLine('workshop', '--learners', '8')}`
    case 'invalid-message':
      return `The page sent an invalid message (${refusal.type}: ${refusal.issue}). Reload the page.`
    case 'outdated-page':
      return 'This page and its server have different versions. Start the talk again, then reload the page.'
    case 'unexpected':
      return refusal.message
  }
}
