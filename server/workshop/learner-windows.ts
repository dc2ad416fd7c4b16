import type { ServerMessage } from '../../shared/protocol/talk.ts'
import type { Permission } from '../../shared/roles.ts'

/** The windows on one learner's stage, as the class uses them: the learner's own, and those of instructors who view the learner. */
export interface LearnerWindows {
  /** Number of the learner's own open windows. */
  count: () => number
  /** Sends a message to all of them. */
  broadcast: (message: ServerMessage) => void
  /** Changes what the instructors' windows may do. */
  setInstructorPermissions: (permissions: readonly Permission[]) => void
  /** Registers the one listener that is called whenever a window opens or closes. */
  onChange: (listener: () => void) => void
}

/** A window that shows the class. */
export interface ClassSubscriber {
  send: (message: ServerMessage) => void
}
