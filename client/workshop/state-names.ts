import type { TaskState } from '../../shared/protocol/workshop.ts'

/** The names of task states in the UI. */
export const STATE_NAMES: Record<TaskState['state'], string> = {
  unavailable: 'unavailable',
  locked: 'locked',
  open: 'not started',
  begun: 'in progress',
  failed: 'in progress, check failed',
  passed: 'passed',
  skipped: 'skipped',
}
