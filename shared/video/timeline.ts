import { z } from 'zod'
import { profileSchema } from '../deck/contract.ts'
import { replayInfo, stepInfo, stepStatus, terminalInfo } from '../protocol/state.ts'

/**
 * The timeline of a film: everything that a window shows, with its time, on one clock. It is made from the deck and its recordings, or
 * from the log of a talk as it was given; rendering it runs nothing. Times are in seconds since the film's first frame.
 */

const time = z.number().nonnegative()
const terminal = z.string()

/** What happens in the window. All but `show` is what a server tells it (see protocol.ts), with the output as text. */
export const filmEvent = z.discriminatedUnion('type', [
  /** This slide, with so many clicks done. */
  z.strictObject({
    time,
    type: z.literal('show'),
    slide: z.number().int().min(1),
    clicks: z.number().int().nonnegative(),
  }),
  /** The whole screen of a terminal. */
  z.strictObject({
    time,
    type: z.literal('screen'),
    terminal,
    cols: z.number().int(),
    rows: z.number().int(),
    data: z.string(),
  }),
  /** Whole characters, added to the screen. */
  z.strictObject({ time, type: z.literal('output'), terminal, data: z.string() }),
  z.strictObject({ time, type: z.literal('step'), step: z.string(), status: stepStatus }),
  z.strictObject({ time, type: z.literal('replay'), terminal, replay: replayInfo.optional() }),
  /** What the speaker has chosen to show: a larger terminal, a drawing. */
  z.strictObject({ time, type: z.literal('sync'), channel: z.string(), state: z.record(z.string(), z.unknown()) }),
])
export type FilmEvent = z.infer<typeof filmEvent>

/** What a window is told first. */
export const filmOpening = z.strictObject({
  profile: profileSchema,
  steps: z.array(stepInfo),
  terminals: z.array(terminalInfo),
})
export type FilmOpening = z.infer<typeof filmOpening>

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
  /** What the window's clock says at the first frame (ISO 8601): from the recordings, so that each render says the same. */
  date: z.iso.datetime(),
  /** Seconds of the film. */
  length: z.number().positive(),
  opening: filmOpening,
  /** In the order of their times. */
  events: z.array(filmEvent),
  chapters: z.array(chapter),
  captions: z.array(cue),
  /** Sound files, absolute, with the time at which each begins. */
  narration: z.array(z.strictObject({ time, file: z.string() })),
  /** When a picture that stands for the film is best taken. */
  poster: time,
})
export type Timeline = z.infer<typeof timeline>

/** Where the window is at a time: what is shown by the last `show` before it, or at it. */
export function placeAt(events: readonly FilmEvent[], at: number): { slide: number; clicks: number } {
  const last = events.findLast((event) => event.type === 'show' && event.time <= at)
  return last?.type === 'show' ? { slide: last.slide, clicks: last.clicks } : { slide: 1, clicks: 0 }
}
