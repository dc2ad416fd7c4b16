import { describeStepProblem } from '../../shared/failures/step-problem.ts'
import type { ReplayInfo, StepStatus } from '../../shared/protocol/state.ts'
import type { Chapter, Cue, Timeline, VideoEvent } from '../../shared/video/timeline.ts'
import type { Step } from '../deck/step.ts'
import { VideoError } from './failures.ts'
import { captionCues, clickTimes, parseNotes, speechSeconds } from './narration.ts'
import type { StepRecording, TimelineSlide, TimelineSources } from './timeline-sources.ts'
import { simulateTyping, type TypedRecording, typingSeconds } from './typing.ts'

/** Builds the timelines of videos that show a deck and its recordings. */

/** Minimum length of a slide, which is the length of a slide without notes and steps. */
const MIN_SLIDE_SECONDS = 3
/** Time between the start of a slide and the first key typed on it. */
const FIRST_KEY_DELAY_SECONDS = 1.5
/** Time to read the output after a step has ended. */
const READING_SECONDS = 3
/** The duration of Slidev's fade transition (0.5 s), rounded up. */
const TRANSITION_SECONDS = 0.6
/** Silence after the narration of a slide. */
const NARRATION_PAUSE_SECONDS = 0.5
const TALK_POSTER_SECONDS = 0.5
/** The poster of a step is the frame at this time before its end. */
const STEP_POSTER_OFFSET_SECONDS = 0.1

/** Rounds to tenths of a second. Slides and steps start at such times, which are whole frames at 20, 30 and 60 fps. */
const roundToTenth = (seconds: number) => Math.round(seconds * 10) / 10
const ceilToTenth = (seconds: number) => Math.ceil(seconds * 10 - 1e-6) / 10

/**
 * Builds the timeline of a talk or of some of its slides.
 *
 * @param numbers of the slides, from 1, in order
 * @throws VideoError `unknown-slide`
 */
export async function talkTimeline(sources: TimelineSources, numbers: number[]): Promise<Timeline> {
  const builder = new TimelineBuilder(sources)
  for (const number of numbers) {
    const slide = sources.slides[number - 1]
    if (!slide) throw new VideoError({ kind: 'unknown-slide', slide: number, slides: sources.slides.length })
    await builder.addSlide(slide)
  }
  return builder.build(TALK_POSTER_SECONDS)
}

/**
 * Builds the timeline of one step: its slide after all clicks, the command being typed, and the recording.
 *
 * @throws VideoError `step-slide-missing` or `recording-missing`
 */
export async function stepTimeline(sources: TimelineSources, step: Step): Promise<Timeline> {
  const builder = new TimelineBuilder(sources)
  const slide = sources.slides[step.slide - 1]
  if (!slide) throw new VideoError({ kind: 'step-slide-missing', step: step.id, slide: step.slide })
  await builder.addStep(slide, step)
  return builder.build(builder.length - STEP_POSTER_OFFSET_SECONDS)
}

interface RecordedStep {
  step: Step
  recording: StepRecording
  typed: TypedRecording
}

class TimelineBuilder {
  /** Length of the timeline so far, in seconds. */
  length = 0
  private readonly sources: TimelineSources
  private readonly events: VideoEvent[] = []
  private readonly chapters: Chapter[] = []
  private readonly captions: Cue[] = []
  private readonly narration: Timeline['narration'] = []
  /** The terminal shown on each slide that has several, by slide number. */
  private readonly selectedTerminals: Record<string, string> = {}
  /** The date at the first frame, in milliseconds since 1970. */
  private readonly epochMs: number

  constructor(sources: TimelineSources) {
    this.sources = sources
    const dates = [...sources.recordings.values()].map(({ metadata }) => metadata.date).sort()
    this.epochMs = Date.parse(dates.at(-1) ?? '2000-01-01T00:00:00.000Z')
  }

  async addSlide(slide: TimelineSlide): Promise<void> {
    const start = this.length
    const speech = parseNotes(slide.note)
    const spoken = slide.audio?.seconds ?? speechSeconds(speech)
    const steps = await this.recordedSteps(
      [...this.sources.deck.steps.values()].filter((step) => step.slide === slide.number),
    )
    const stepSeconds = steps.reduce(
      (sum, { typed }) => sum + runSeconds(typed),
      steps.length > 0 ? FIRST_KEY_DELAY_SECONDS : 0,
    )
    const length = ceilToTenth(Math.max(spoken + NARRATION_PAUSE_SECONDS, stepSeconds, MIN_SLIDE_SECONDS))

    this.showSlide(start, slide.number, 0)
    this.chapters.push({
      time: start === 0 ? 0 : roundToTenth(start + TRANSITION_SECONDS),
      title: slide.title,
      slide: slide.number,
    })
    const clickPeriod = Math.min(length, Math.max(spoken, MIN_SLIDE_SECONDS))
    for (const [index, time] of clickTimes(speech, slide.clicks, clickPeriod).entries())
      this.showSlide(start + Math.max(time, TRANSITION_SECONDS), slide.number, index + 1)
    if (slide.audio) this.narration.push({ time: start, file: slide.audio.file })
    this.captions.push(...captionCues(speech, slide.number, start, spoken))

    this.showPrompts(start, steps)
    // If the slide is longer than its steps, each step gets an equal share of the remaining time.
    const pause = steps.length === 0 ? 0 : (length - stepSeconds) / steps.length
    let time = start + FIRST_KEY_DELAY_SECONDS
    for (const recorded of steps) {
      const { id } = recorded.step
      const stepStart = roundToTenth(time)
      this.chapters.push({ time: stepStart, title: `${slide.title}: ${id}`, slide: slide.number, step: id })
      this.run(stepStart, recorded)
      time += runSeconds(recorded.typed) + pause
    }
    this.length = roundToTenth(start + length)
  }

  async addStep(slide: TimelineSlide, step: Step): Promise<void> {
    const steps = await this.recordedSteps([step])
    const [recorded] = steps
    if (!recorded) throw new VideoError({ kind: 'recording-missing', step: step.id })
    const start = FIRST_KEY_DELAY_SECONDS
    this.showSlide(0, slide.number, slide.clicks)
    this.showPrompts(0, steps)
    this.chapters.push(
      { time: 0, title: slide.title, slide: slide.number },
      { time: start, title: step.id, slide: slide.number, step: step.id },
    )
    this.run(start, recorded)
    this.length = ceilToTenth(start + runSeconds(recorded.typed))
    this.captions.push({ from: start, to: this.length, slide: slide.number, text: step.command })
  }

  build(poster: number): Timeline {
    const { deck, opening } = this.sources
    return {
      version: 1,
      title: deck.title,
      date: new Date(this.epochMs).toISOString(),
      length: this.length,
      opening,
      // Events at the same time keep their order: sort() is stable.
      events: this.events.toSorted((a, b) => a.time - b.time),
      chapters: this.chapters,
      captions: this.captions,
      narration: this.narration,
      poster: Math.min(poster, this.length),
    }
  }

  private async recordedSteps(steps: Step[]): Promise<RecordedStep[]> {
    const result: RecordedStep[] = []
    for (const step of steps) {
      const recording = this.sources.recordings.get(step.id)
      if (recording) result.push({ step, recording, typed: await simulateTyping(recording.cast, step.id) })
    }
    return result
  }

  private showSlide(time: number, slide: number, clicks: number): void {
    this.events.push({ time, type: 'show', slide, clicks })
  }

  /** Shows the prompt of every terminal on a slide before anything is typed. */
  private showPrompts(time: number, steps: RecordedStep[]): void {
    const [first] = steps
    if (first) this.selectTerminal(time, first.step)
    // In reverse, so that a terminal used by several steps shows the prompt of the first one.
    for (const recorded of steps.toReversed()) this.showPrompt(time, recorded)
  }

  private showPrompt(time: number, recorded: RecordedStep): void {
    const { cols, rows, prompt } = recorded.typed
    this.events.push({ time, type: 'screen', terminal: recorded.step.terminal, cols, rows, data: prompt })
    this.markAsReplay(time, recorded, false)
  }

  /** Selects the terminal of a step on a slide with several terminals. */
  private selectTerminal(time: number, step: Step): void {
    this.selectedTerminals[step.slide] = step.terminal
    this.events.push({
      time,
      type: 'sync',
      channel: 'understudy',
      state: { terminals: { ...this.selectedTerminals } },
    })
  }

  /** Types the command of a step and shows its run. */
  private run(start: number, recorded: RecordedStep): void {
    const { step, typed } = recorded
    this.selectTerminal(start, step)
    this.showPrompt(start, recorded)
    this.write(start, step, typed.keys)
    const enter = start + typingSeconds(typed)
    const since = this.epochMs + Math.round(enter * 1000)
    this.setStatus(enter, step, { state: 'running', since })
    this.markAsReplay(enter, recorded, true)
    this.write(enter, step, typed.output)
    const final = this.finalStatus(recorded, since)
    const statusTime = final.state === 'ready' ? (typed.ready ?? typed.length) : typed.length
    this.setStatus(enter + statusTime, step, final)
  }

  private write(start: number, { terminal }: Step, output: { time: number; text: string }[]): void {
    for (const { time, text } of output) this.events.push({ time: start + time, type: 'output', terminal, data: text })
  }

  private setStatus(time: number, { id }: Step, status: StepStatus): void {
    this.events.push({ time, type: 'step', step: id, status })
  }

  /** @param since start of the step, in milliseconds since 1970 */
  private finalStatus({ step, recording }: RecordedStep, since: number): StepStatus {
    const { exit, seconds, ready } = recording.metadata
    const problems = this.sources.problems.get(step.id)
    if (problems)
      return exit === null
        ? { state: 'ended', failure: { kind: 'unexpected', message: problems.map(describeStepProblem).join(' ') } }
        : { state: 'failed', exit, seconds, problems }
    if (exit !== null) return { state: 'succeeded', exit, seconds }
    // If a recording has no exit status, its step kept running after it had become ready.
    const { ready: condition } = step.contract
    const url = condition && 'http' in condition ? condition.http : undefined
    return { state: 'ready', since, after: ready ?? seconds, ...(url !== undefined && { url }) }
  }

  /**
   * Marks a run in the lab as a replay. The mark is shown before the run starts, too: showing it later would move the
   * lines of the terminal.
   */
  private markAsReplay(time: number, { step, recording, typed }: RecordedStep, playing: boolean): void {
    const { profile, date } = recording.metadata
    if (profile !== 'lab') return
    const replay: ReplayInfo = {
      step: step.id,
      profile,
      date,
      playing,
      stepping: false,
      time: 0,
      duration: typed.length,
      speed: 1,
      ...(typed.ready !== undefined && { ready: typed.ready }),
    }
    this.events.push({ time, type: 'replay', terminal: step.terminal, replay })
  }
}

/** @returns seconds from the first key of a step to the end of its reading time */
function runSeconds(typed: TypedRecording): number {
  return typingSeconds(typed) + typed.length + READING_SECONDS
}
