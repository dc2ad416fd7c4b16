import { z } from 'zod'

/**
 * The permissions of a window: view terminals; type into them; run and interrupt steps; change the slide in all
 * windows; show replays; do the tasks and edit the workspace of its learner; view and help the learners of a class.
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

/** The permissions of one window. */
export interface Access {
  role: Role
  permissions: readonly Permission[]
  /** The reason why the permissions are fewer than those of the role. */
  reason?: string
  /** A learner's window: the learner's name. An instructor's window: the name of the learner that it shows. */
  learner?: string
}

/** @returns an access with all permissions of a role */
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
