import type { Profile } from '../../shared/deck/contract.ts'
import type { StepProblem } from '../../shared/failures/step-problem.ts'
import type { Timeline } from '../../shared/video/timeline.ts'
import type { Deck } from '../deck/deck.ts'
import type { Step } from '../deck/step.ts'
import type { RecordingInfo } from '../recording/recordings.ts'
import { stepTimeline, talkTimeline } from './deck-timeline.ts'
import { VideoError } from './failures.ts'
import { extractSlides, logTimeline, shownSlides } from './log-timeline.ts'
import type { ParsedTalkLog } from './talk-log-format.ts'
import type { StepRecording, TimelineSources } from './timeline-sources.ts'

/** Determines the videos to render from a deck with its recordings or from a talk log. */

/** A video to render, in one or more formats. */
export interface RenderJob {
  /** The base name of its files, without extension. */
  name: string
  timeline: Timeline
  /** The steps of the slides that it shows. */
  steps: RenderJobStep[]
}

export interface RenderJobStep {
  step: string
  slide: number
  command: string
  /** The recording to show, if there is one. */
  recording?: StepRecording | undefined
  /** The live talk in which the step was run, for videos of a talk log. */
  talk?: { date: string; profile: Profile } | undefined
  /** The reason why the recording may be outdated. */
  stale?: RecordingInfo['stale'] | undefined
  /** The problems of a failed run. */
  problems?: StepProblem[] | undefined
}

export interface DeckJobOptions {
  /** Ids of the steps to show, one video each. If empty, one video of the talk. */
  stepIds: string[]
  /** Numbers of the slides to show in the video of the talk, from 1. All slides by default. */
  slides?: number[] | undefined
  /** Whether to omit steps without a recording instead of failing. */
  skipUnrecorded: boolean
  /** Whether the videos are vertical, which is appended to their names. */
  vertical: boolean
}

/**
 * Returns the videos of a deck. If steps have failed, only the videos that show a failure, up to the last failed step.
 *
 * @throws VideoError `no-recordings`, `recording-missing` or `unknown-slide`
 */
export async function deckRenderJobs(
  sources: TimelineSources,
  { stepIds, slides, skipUnrecorded, vertical }: DeckJobOptions,
): Promise<RenderJob[]> {
  const { deck, recordings, problems } = sources
  const hasFailures = problems.size > 0
  const suffix = hasFailures ? '.failed' : ''
  if (stepIds.length > 0) {
    const steps = stepIds
      .flatMap((id) => deck.steps.get(id) ?? [])
      .filter(({ id }) => (hasFailures ? problems.has(id) : !skipUnrecorded || recordings.has(id)))
    if (steps.length === 0) throw new VideoError({ kind: 'no-recordings' })
    return Promise.all(
      steps.map(async (step) => ({
        name: `${step.id}${vertical ? '-vertical' : ''}${suffix}`,
        timeline: await stepTimeline(sources, step),
        steps: [jobStep(sources, step)],
      })),
    )
  }
  const lastSlide = hasFailures
    ? Math.max(...[...problems.keys()].map((id) => deck.steps.get(id)?.slide ?? 0))
    : Infinity
  const numbers = (slides ?? sources.slides.map(({ number }) => number)).filter((number) => number <= lastSlide)
  const steps = [...deck.steps.values()].filter(({ slide }) => numbers.includes(slide))
  return [
    {
      name: `talk${suffix}`,
      timeline: await talkTimeline(sources, numbers),
      steps: steps.map((step) => jobStep(sources, step)),
    },
  ]
}

function jobStep({ recordings, problems, opening }: TimelineSources, { id, slide, command }: Step): RenderJobStep {
  return {
    step: id,
    slide,
    command,
    recording: recordings.get(id),
    problems: problems.get(id),
    stale: opening.steps.find((step) => step.id === id)?.recording?.stale,
  }
}

export interface LogJobOptions {
  /** Numbers of the slides to show, from 1. All slides by default. */
  slides?: number[] | undefined
  /** Whether to render one video per slide. */
  each: boolean
  /** The titles of all slides, in order. */
  titles: string[]
}

/**
 * Returns the videos of a live talk: of the whole talk, of some slides, or of each slide.
 *
 * @throws VideoError `log-without-hello`, `log-without-events` or `slides-not-in-log`
 */
export function logRenderJobs(log: ParsedTalkLog, deck: Deck, { slides, each, titles }: LogJobOptions): RenderJob[] {
  const whole = logTimeline(log, titles)
  const videos = each
    ? (slides ?? shownSlides(whole)).map((slide) => ({
        name: `given-${String(slide).padStart(String(titles.length).length, '0')}`,
        slides: [slide],
      }))
    : [{ name: 'given', slides }]
  return videos.map(({ name, slides }) => {
    const timeline = slides ? extractSlides(whole, slides, titles) : whole
    const startedSteps = new Set(
      timeline.events.flatMap((event) =>
        event.type === 'step' && event.status.state === 'running' ? [event.step] : [],
      ),
    )
    const talk = { date: log.header.date, profile: timeline.opening.profile }
    const steps = [...deck.steps.values()]
      .filter(({ id }) => startedSteps.has(id))
      .map(({ id, slide, command }) => ({ step: id, slide, command, talk }))
    return { name, timeline, steps }
  })
}
