import type { ClientMessage, Permission, Role } from './protocol/talk.ts'

/** What a window may do, and why it is less than its role allows, where it is. */
export interface Access {
  role: Role
  permissions: readonly Permission[]
  reason?: string
  /** Of a learner's window: the name of who it belongs to. Of an instructor's: of who it looks at. */
  learner?: string
}

const RIGHTS: Record<Role, readonly Permission[]> = {
  presenter: ['view', 'type', 'run', 'navigate', 'replay', 'teach'],
  learner: ['view', 'type', 'run', 'navigate', 'replay', 'learn'],
  // A window of the presenter's that looks at a learner.
  instructor: ['view', 'teach'],
  remote: ['view', 'run', 'navigate', 'replay'],
  audience: ['view'],
}

/** The right that each message needs. Who may type can end a shell, or empty the workdir, anyway. */
const NEEDS: Record<ClientMessage['type'], Permission> = {
  attach: 'view',
  detach: 'view',
  ack: 'view',
  input: 'type',
  restart: 'type',
  'reset-stage': 'type',
  run: 'run',
  diagnose: 'run',
  interrupt: 'run',
  replay: 'replay',
  playback: 'replay',
  sync: 'navigate',
  turn: 'navigate',
  'begin-task': 'learn',
  'check-task': 'learn',
  'stop-activity': 'learn',
  'open-hint': 'learn',
  'show-solution': 'learn',
  'apply-solution': 'learn',
  'skip-task': 'learn',
  'reset-task': 'learn',
  'check-on-save': 'learn',
  'open-file': 'learn',
  'save-file': 'learn',
  'reset-file': 'learn',
  'reset-copy': 'learn',
  'show-diff': 'learn',
  'answer-join': 'learn',
  'read-notes': 'learn',
  'send-note': 'teach',
  'ask-join': 'teach',
  'leave-join': 'teach',
  'end-terminals': 'teach',
  'reset-learner': 'teach',
}

export function access(role: Role, learner?: string): Access {
  return { role, permissions: RIGHTS[role], ...(learner !== undefined && { learner }) }
}

/** Takes every right but looking. */
export function onlyLooking({ permissions: _, ...access }: Access, reason: string): Access {
  return { ...access, permissions: ['view'], reason }
}

/**
 * Why a message is not carried out, for the user; undefined where it is allowed.
 */
export function notAllowed({ role, permissions, reason }: Access, message: ClientMessage): string | undefined {
  const needed = NEEDS[message.type]
  if (permissions.includes(needed)) return undefined
  return `This window has the role "${role}", which does not ${needed} here. ${reason ?? "Use the presenter's window."}`
}

/** Whether a window may ask for the secrets of the contracts: only one that could print them itself. */
export function seesSecrets({ permissions }: Access): boolean {
  return permissions.includes('type')
}
