import { commandLine } from '../../shared/command-line.ts'
import { describeStepProblem, type StepProblem } from '../../shared/failures/step-problem.ts'
import type { FrameProblem } from './virtual-clock.ts'

/** A position in a video. */
export interface VideoPosition {
  /** Seconds since the first frame. */
  time: number
  slide: number
}

/** The failures of logging a talk or rendering a video, with the data for the message. */
export type VideoFailure =
  // Programs
  | { kind: 'ffmpeg-missing' }
  | { kind: 'ffmpeg-outdated'; version: string; minimum: number }
  | { kind: 'encoder-missing'; encoder: string }
  | { kind: 'ffmpeg-failed'; exitStatus: number | undefined; stderr: string }
  // Input
  | { kind: 'unknown-step'; step: string; known: string[] }
  | { kind: 'unknown-slide'; slide: number; slides: number }
  | { kind: 'step-slide-missing'; step: string; slide: number }
  | { kind: 'recording-missing'; step: string }
  | { kind: 'no-recordings' }
  | { kind: 'invalid-narration'; slide: number }
  | { kind: 'unreadable-audio'; file: string }
  | { kind: 'cast-needs-one-step' }
  | { kind: 'vertical-needs-step' }
  | { kind: 'log-excludes-steps' }
  // Running the steps
  | { kind: 'failure-not-recorded'; step: string; problems: StepProblem[] }
  | { kind: 'run-not-recorded'; step: string }
  // Rendering
  | { kind: 'page-not-ready'; pageError: string | undefined; position?: VideoPosition }
  | { kind: 'slide-not-reached'; slide: number }
  | { kind: 'incomplete-frame'; problem: FrameProblem; position?: VideoPosition }
  // Talk logs
  | { kind: 'unreadable-log'; reason: string }
  | { kind: 'invalid-log-header' }
  | { kind: 'invalid-log-line'; line: number }
  | { kind: 'log-without-hello' }
  | { kind: 'log-without-events' }
  | { kind: 'slides-not-in-log'; slides: readonly number[] }
  | { kind: 'log-write-failed'; reason: string }
  | { kind: 'log-disconnected'; reason: string }
  | { kind: 'log-too-large'; maxBytes: number }

/** Thrown for a failure. The message is derived from `failure`. */
export class VideoError extends Error {
  override name = 'VideoError'
  readonly failure: VideoFailure

  constructor(failure: VideoFailure) {
    super(describe(failure))
    this.failure = failure
  }
}

const INSTALL_FFMPEG = 'apt-get install ffmpeg'

function describe(failure: VideoFailure): string {
  switch (failure.kind) {
    case 'ffmpeg-missing':
      return `ffmpeg was not found. Install it: ${INSTALL_FFMPEG}`
    case 'ffmpeg-outdated':
      return `ffmpeg ${failure.version} is too old: version ${failure.minimum} or newer is required. Install it: ${INSTALL_FFMPEG}`
    case 'encoder-missing':
      return `This build of ffmpeg has no encoder ${failure.encoder}. Install one that has: ${INSTALL_FFMPEG}`
    case 'ffmpeg-failed':
      return `ffmpeg could not write the video (exit status ${failure.exitStatus ?? 'unknown'}): ${failure.stderr}`
    case 'unknown-step':
      return `The deck has no step "${failure.step}". Its steps: ${failure.known.join(', ')}.`
    case 'unknown-slide':
      return `The deck has no slide ${failure.slide}. It has ${failure.slides} slides.`
    case 'step-slide-missing':
      return `Step "${failure.step}" is on slide ${failure.slide}, but the deck has no slide with this number.`
    case 'recording-missing':
      return `Step "${failure.step}" has no recording. Record it: ${commandLine('rehearse', failure.step)}`
    case 'no-recordings':
      return `None of the steps has a recording. Record them: ${commandLine('rehearse')}`
    case 'invalid-narration':
      return `Slide ${failure.slide}: "narration" must be the path of an audio file, relative to the deck's folder.`
    case 'unreadable-audio':
      return `Cannot read ${failure.file} as audio. Check the path and the format of the narration.`
    case 'cast-needs-one-step':
      return 'The format "cast" needs exactly one step per video. Name a step, or use --each.'
    case 'vertical-needs-step':
      return `A vertical video shows a single step. Name it: ${commandLine('record', '<step>', '--size', 'vertical')}`
    case 'log-excludes-steps':
      return 'The video of a talk log cannot be limited to steps. Select slides with --slides 3-5, or use --each for one video per slide.'
    case 'failure-not-recorded':
      return `Step "${failure.step}" failed and produced no recording: ${failure.problems.map(describeStepProblem).join(' ')}`
    case 'run-not-recorded':
      return `Step "${failure.step}" passed, but its recording was not kept. Recreate the workdir with "Reset the stage" in the presenter window, or use --render-only to render the existing recordings.`
    case 'page-not-ready':
      return `${describePosition(failure.position)}The slides did not load in Chromium: ${failure.pageError ?? 'the page reported no error'}.`
    case 'slide-not-reached':
      return `Slide ${failure.slide} did not open in Chromium.`
    case 'incomplete-frame':
      return `${describePosition(failure.position)}${describeProblem(failure.problem)}`
    case 'unreadable-log':
      return `Cannot read the talk log: ${failure.reason}\nRecord one with: ${commandLine('start', '--save-log')}`
    case 'invalid-log-header':
      return `Invalid talk log: line 1 is not a header. Record a log with: ${commandLine('start', '--save-log')}`
    case 'invalid-log-line':
      return `Invalid talk log: line ${failure.line} is not a message.`
    case 'log-without-hello':
      return 'Invalid talk log: missing "hello" event.'
    case 'log-without-events':
      return 'The talk log is empty: no slide was changed, no step was run and no output was received.'
    case 'slides-not-in-log':
      return `The talk log does not contain slide ${failure.slides.join(', ')}.`
    case 'log-write-failed':
      return `Cannot write the talk log: ${failure.reason}. The talk continues without it.`
    case 'log-disconnected':
      return `The talk log ended early: ${failure.reason}. The talk continues without it.`
    case 'log-too-large':
      return `The talk log ended: it reached its limit of ${failure.maxBytes >> 20} MiB. The talk continues without it.`
  }
}

function describeProblem(problem: FrameProblem): string {
  switch (problem.kind) {
    case 'slide-loading':
      return 'A slide was still loading.'
    case 'image-broken':
      return `The image ${problem.url} could not be shown.`
    case 'line-not-rendered':
      return `Terminal "${problem.terminal}" did not render line ${problem.line} of its screen.`
  }
}

function describePosition(position: VideoPosition | undefined): string {
  return position ? `At ${position.time.toFixed(2)} s, slide ${position.slide}: ` : ''
}
