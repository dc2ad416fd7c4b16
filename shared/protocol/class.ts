import { z } from 'zod'
import { activity, taskState } from './workshop.ts'

/**
 * The messages of a class: several learners on one server, and an instructor. ./talk.ts adds them to the protocol.
 *
 * A window of the instructor shows either the class (it receives `class`) or one learner. In the second case its link
 * names the learner (`?learner=<name>`), and it receives the same messages about terminals and steps as the learner's
 * own windows.
 */

/** Largest note of an instructor, in UTF-16 units. */
const MAX_NOTE_LENGTH = 2000

const learner = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9-]*$/)

export const classClientMessages = {
  /** Instructor: send a note to one learner. */
  'send-note': z.strictObject({
    type: z.literal('send-note'),
    learner,
    text: z.string().trim().min(1).max(MAX_NOTE_LENGTH),
  }),
  /** Instructor: ask for permission to type in the learner's terminals. */
  'ask-join': z.strictObject({ type: z.literal('ask-join'), learner }),
  /** Instructor: withdraw the request, or stop typing. */
  'leave-join': z.strictObject({ type: z.literal('leave-join'), learner }),
  /** Instructor: stop everything in the learner's terminals. The files are kept. */
  'end-terminals': z.strictObject({ type: z.literal('end-terminals'), learner }),
  /**
   * Instructor: stop everything in the learner's terminals and reset all files to the start of the course. The task
   * progress is kept.
   */
  'reset-learner': z.strictObject({ type: z.literal('reset-learner'), learner }),
  /** Learner: allow or deny the instructor's request; `false` also revokes a permission given before. */
  'answer-join': z.strictObject({ type: z.literal('answer-join'), agree: z.boolean() }),
  /** Learner: dismiss all notes. */
  'read-notes': z.strictObject({ type: z.literal('read-notes') }),
}

/**
 * Whether the instructor may type in a learner's terminals: only after the learner has agreed, and until either of them
 * ends it.
 */
export const join = z.enum(['none', 'asked', 'joined'])
export type Join = z.infer<typeof join>

/** A learner's state in the class, as the learner's windows show it. */
export const classMembership = z.strictObject({
  join,
  notes: z.array(z.strictObject({ text: z.string(), at: z.number() })),
})
export type ClassMembership = z.infer<typeof classMembership>

export const classInfo = z.strictObject({
  tasks: z.array(z.strictObject({ id: z.string(), title: z.string(), slide: z.number().int() })),
  learners: z.array(
    z.strictObject({
      name: learner,
      /** Gives access as this learner; the instructor hands it out. */
      link: z.string(),
      /** Number of the learner's open windows. */
      windows: z.number().int(),
      /** By task id. */
      states: z.record(z.string(), taskState),
      activity: activity.nullable(),
      /** Names of the terminals in which a command runs. */
      busy: z.array(z.string()),
      join,
    }),
  ),
})
export type ClassInfo = z.infer<typeof classInfo>

export const classServerMessages = [
  z.strictObject({ type: z.literal('class'), class: classInfo }),
  z.strictObject({ type: z.literal('membership'), membership: classMembership }),
] as const
