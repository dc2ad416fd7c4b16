import { z } from 'zod'

/**
 * What a window may do: view terminals; type into them; run and interrupt steps; turn the slides in all windows; show replays; do the tasks
 * and edit the workspace of its learner; see the learners of a class and help them.
 */
export const permission = z.enum(['view', 'type', 'run', 'navigate', 'replay', 'learn', 'teach'])
export type Permission = z.infer<typeof permission>

/** A set of permissions. The token in a window's link decides which one it has. */
export const role = z.enum(['presenter', 'learner', 'instructor', 'audience', 'remote'])
export type Role = z.infer<typeof role>

const PERMISSIONS: Record<Role, readonly Permission[]> = {
  presenter: ['view', 'type', 'run', 'navigate', 'replay', 'teach'],
  learner: ['view', 'type', 'run', 'navigate', 'replay', 'learn'],
  // A presenter's window that shows one learner of a class.
  instructor: ['view', 'teach'],
  remote: ['view', 'run', 'navigate', 'replay'],
  audience: ['view'],
}

/** What one window may do. */
export interface Access {
  role: Role
  permissions: readonly Permission[]
  /** Why the permissions are fewer than those of the role. */
  reason?: string
  /** A learner's window: the learner's name. An instructor's window: the name of the learner that it shows. */
  learner?: string
}

/** The access that a role gives, with all of its permissions. */
export function access(role: Role, learner?: string): Access {
  return { role, permissions: PERMISSIONS[role], ...(learner !== undefined && { learner }) }
}

/**
 * Reduces an access to viewing.
 *
 * @param reason shown to the user
 */
export function viewOnly(access: Access, reason: string): Access {
  return { ...access, permissions: ['view'], reason }
}

/** Whether a window may see the values of secrets: only a window that could print them by typing. */
export function seesSecrets({ permissions }: Access): boolean {
  return permissions.includes('type')
}
