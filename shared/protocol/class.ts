import { z } from 'zod'
import { activity, taskState } from './workshop.ts'

/**
 * What crosses the websocket for a class: several learners at one server, and an instructor. ../protocol.ts joins these to its own.
 *
 * An instructor's window shows the class (`class`), or looks at one learner: then its link names the learner (`?learner=<name>`), and it is
 * sent what that learner's own windows are sent of terminals and steps.
 */

/** Largest note of an instructor, in UTF-16 units. */
const MAX_NOTE = 2000

const learner = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9-]*$/)

export const classClientMessages = {
  /** Instructor: a hint, for one learner. */
  'send-note': z.strictObject({ type: z.literal('send-note'), learner, text: z.string().trim().min(1).max(MAX_NOTE) }),
  /** Instructor: may I type in your terminals? */
  'ask-join': z.strictObject({ type: z.literal('ask-join'), learner }),
  /** Instructor: I do not, or no longer. */
  'leave-join': z.strictObject({ type: z.literal('leave-join'), learner }),
  /** Instructor: end everything that runs in the learner's terminals; the files stay. */
  'end-terminals': z.strictObject({ type: z.literal('end-terminals'), learner }),
  /** Instructor: the same, and all files as they were at the start of the copy. What is done of the tasks stays done. */
  'reset-learner': z.strictObject({ type: z.literal('reset-learner'), learner }),
  /** Learner: yes, or no; also takes back a yes. */
  'answer-join': z.strictObject({ type: z.literal('answer-join'), agree: z.boolean() }),
  /** Learner: the notes are read. */
  'read-notes': z.strictObject({ type: z.literal('read-notes') }),
}

/** Whether an instructor types in a learner's terminals: only after the learner has agreed, and for as long as both want. */
export const join = z.enum(['none', 'asked', 'joined'])
export type Join = z.infer<typeof join>

/** What the class means for one learner. */
export const seat = z.strictObject({
  join,
  notes: z.array(z.strictObject({ text: z.string(), at: z.number() })),
})
export type Seat = z.infer<typeof seat>

export const classInfo = z.strictObject({
  tasks: z.array(z.strictObject({ id: z.string(), title: z.string(), slide: z.number().int() })),
  learners: z.array(
    z.strictObject({
      name: learner,
      /** Lets its holder in as this learner: to be handed out. */
      link: z.string(),
      /** Open windows of the learner. */
      windows: z.number().int(),
      /** By the id of the task. */
      states: z.record(z.string(), taskState),
      /** What is done in the copy right now. */
      activity: activity.nullable(),
      /** Terminals in which something runs. */
      busy: z.array(z.string()),
      join,
    }),
  ),
})
export type ClassInfo = z.infer<typeof classInfo>

export const classServerMessages = [
  z.strictObject({ type: z.literal('class'), class: classInfo }),
  z.strictObject({ type: z.literal('seat'), seat }),
] as const
