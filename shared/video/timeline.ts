import { z } from 'zod'
import { profileSchema } from '../deck/contract.ts'
import { replayInfo, stepInfo, stepStatus, terminalInfo } from '../protocol/state.ts'

/**
 * The timeline of a video: everything that the page shows, with its time, on one clock. It is built from the deck and
 * its recordings, or from the log of a live talk. Rendering a timeline runs no commands. Times are in seconds since the
 * first frame.
 */

const time = z.number().nonnegative()
const terminal = z.string()

/** A change of the page. All events except `show` correspond to server messages (shared/protocol/talk.ts). */
export const videoEvent = z.discriminatedUnion('type', [
  /** Shows a slide after `clicks` clicks. */
  z.strictObject({
    time,
    type: z.literal('show'),
    slide: z.number().int().min(1),
    clicks: z.number().int().nonnegative(),
  }),
  /** Replaces the screen of a terminal. */
  z.strictObject({
    time,
    type: z.literal('screen'),
    terminal,
    cols: z.number().int(),
    rows: z.number().int(),
    data: z.string(),
  }),
  /** Writes text to a terminal. Contains only complete characters. */
  z.strictObject({ time, type: z.literal('output'), terminal, data: z.string() }),
  z.strictObject({ time, type: z.literal('step'), step: z.string(), status: stepStatus }),
  z.strictObject({ time, type: z.literal('replay'), terminal, replay: replayInfo.optional() }),
  /** Sets state that the presenter shares with all windows, such as a maximized terminal or a drawing. */
  z.strictObject({ time, type: z.literal('sync'), channel: z.string(), state: z.record(z.string(), z.unknown()) }),
])
export type VideoEvent = z.infer<typeof videoEvent>

/** The state that the page starts with: the content of the `hello` message. */
export const renderOpening = z.strictObject({
  profile: profileSchema,
  steps: z.array(stepInfo),
  terminals: z.array(terminalInfo),
})
export type RenderOpening = z.infer<typeof renderOpening>

export const chapter = z.strictObject({
  time,
  title: z.string(),
  slide: z.number().int().min(1),
  step: z.string().optional(),
})
export type Chapter = z.infer<typeof chapter>

export const cue = z.strictObject({ from: time, to: time, slide: z.number().int().min(1), text: z.string() })
export type Cue = z.infer<typeof cue>

export const timeline = z.strictObject({
  version: z.literal(1),
  title: z.string(),
  /** The date of the page's clock at the first frame (ISO 8601): a fixed one, so that every render is the same. */
  date: z.iso.datetime(),
  /** Seconds. */
  length: z.number().positive(),
  opening: renderOpening,
  /** In ascending order of time. */
  events: z.array(videoEvent),
  chapters: z.array(chapter),
  captions: z.array(cue),
  /** Audio files, as absolute paths, and the time at which each starts. */
  narration: z.array(z.strictObject({ time, file: z.string() })),
  /** Time of the frame that serves as the poster image. */
  poster: time,
})
export type Timeline = z.infer<typeof timeline>

/**
 * Returns the slide and the number of clicks shown at a time.
 *
 * @param events in ascending order of time
 * @param time in seconds; events at exactly this time count
 */
export function slideAt(events: readonly VideoEvent[], time: number): { slide: number; clicks: number } {
  const last = events.findLast((event) => event.type === 'show' && event.time <= time)
  return last?.type === 'show' ? { slide: last.slide, clicks: last.clicks } : { slide: 1, clicks: 0 }
}
