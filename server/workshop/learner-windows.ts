import type { ServerMessage } from '../../shared/protocol/talk.ts'
import type { Permission } from '../../shared/roles.ts'

/** The windows that show one learner's stage: the learner's own windows, and those of instructors. */
export interface LearnerWindows {
  /** Number of the learner's own open windows. */
  count: () => number
  /** Sends a message to all windows. */
  broadcast: (message: ServerMessage) => void
  /** Changes the permissions of the instructors' windows. */
  setInstructorPermissions: (permissions: readonly Permission[]) => void
  /** Registers the one listener that is called whenever a window opens or closes. */
  onChange: (listener: () => void) => void
}

/** A window that shows the class. */
export interface ClassSubscriber {
  send: (message: ServerMessage) => void
}
