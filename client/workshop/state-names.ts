import type { TaskState } from '../../shared/protocol/workshop.ts'

/** How the states of a task are written. */
export const STATE_NAMES: Record<TaskState['state'], string> = {
  unavailable: 'not on this machine',
  locked: 'waits for others',
  open: 'not begun',
  begun: 'begun',
  failed: 'begun, not passed yet',
  passed: 'passed',
  skipped: 'skipped',
}
