import { dirname, join, resolve } from 'node:path'
import type { Profile } from '../../shared/deck/contract.ts'
import type { StepProblem } from '../../shared/failures/step-problem.ts'
import type { StepInfo } from '../../shared/protocol/state.ts'
import type { RenderOpening } from '../../shared/video/timeline.ts'
import type { Deck } from '../deck/deck.ts'
import { loadSlides } from '../deck/load-slides.ts'
import { type Recording, RecordingStore } from '../recording/store.ts'
import { VideoError } from './failures.ts'
import { audioSeconds } from './ffmpeg.ts'

/** A slide with the data that determines its length in a video. */
export interface TimelineSlide {
  /** From 1. */
  number: number
  title: string
  /** The speaker notes, in Markdown. */
  note: string
  clicks: number
  /** Recorded narration: an audio file, absolute, and its duration. */
  audio?: { file: string; seconds: number } | undefined
}

/** The recording of a step and its file. */
export interface StepRecording extends Recording {
  /** Absolute. */
  file: string
}

/** A failed run of a step, with the conditions of the contract that it did not meet. */
export interface FailedRun {
  recording: StepRecording
  problems: StepProblem[]
}

/** The sources of the timeline of a deck. */
export interface TimelineSources {
  deck: Deck
  opening: RenderOpening
  /** All slides of the deck. */
  slides: TimelineSlide[]
  /** The recording to show, by step id. For a failed step, the recording of its failed run. */
  recordings: ReadonlyMap<string, StepRecording>
  /** The problems of failed steps, by step id. */
  problems: ReadonlyMap<string, StepProblem[]>
}

export interface SourceOptions {
  deck: Deck
  steps: StepInfo[]
  /** Folders of recordings, absolute. The first one with an up-to-date recording of a step is used. */
  folders: string[]
  /** The profile whose recordings are used for steps without one in the deck's own folder. */
  profile?: Profile | undefined
  /** The number of clicks of each slide, in order. */
  clicks: number[]
  /** By step id. */
  failedRuns: ReadonlyMap<string, FailedRun>
}

/**
 * Reads the slides, narration and recordings of a deck.
 *
 * @throws VideoError `invalid-narration` or `unreadable-audio`
 */
export async function readTimelineSources(options: SourceOptions): Promise<TimelineSources> {
  const { deck, steps, folders, clicks, failedRuns } = options
  const recordings = new Map<string, StepRecording>()
  for (const { id, recording: info, hash } of steps) {
    const profile = info?.profile ?? options.profile
    const recording = failedRuns.get(id)?.recording ?? (profile && (await findRecording(folders, profile, id, hash)))
    if (recording) recordings.set(id, recording)
  }
  const opening: RenderOpening = {
    profile: [...recordings.values()][0]?.metadata.profile ?? 'host',
    steps,
    terminals: [...new Set(steps.map(({ terminal }) => terminal))].map((name) => ({
      name,
      ...deck.grid,
      state: { state: 'prompt' },
    })),
  }
  return {
    deck,
    opening,
    slides: await readSlides(deck, clicks),
    recordings,
    problems: new Map([...failedRuns].map(([id, { problems }]) => [id, problems])),
  }
}

/** Finds the recording of a step's current command, or else the last one of an older command. */
async function findRecording(
  folders: string[],
  profile: Profile,
  step: string,
  hash: string,
): Promise<StepRecording | undefined> {
  let outdated: StepRecording | undefined
  for (const folder of folders) {
    const store = new RecordingStore(folder)
    const recording = await store.read(profile, step)
    if (!recording) continue
    const found = { ...recording, file: store.file(profile, step, 'cast') }
    if (recording.metadata.hash === hash) return found
    outdated = found
  }
  return outdated
}

/** @returns the titles of all slides, in order */
export async function readSlideTitles(deck: Deck): Promise<string[]> {
  const { slides } = (await loadSlides(deck.file)).data
  return slides.map(({ title }, index) => slideTitle(title, index))
}

async function readSlides(deck: Deck, clicks: number[]): Promise<TimelineSlide[]> {
  const { slides } = (await loadSlides(deck.file)).data
  const result: TimelineSlide[] = []
  for (const [index, { title, note, frontmatter }] of slides.entries()) {
    const number = index + 1
    const { narration } = frontmatter as { narration?: unknown }
    if (narration !== undefined && typeof narration !== 'string')
      throw new VideoError({ kind: 'invalid-narration', slide: number })
    const file = narration === undefined ? undefined : resolve(dirname(deck.file), narration)
    result.push({
      number,
      title: slideTitle(title, index),
      note: note ?? '',
      clicks: clicks[index] ?? 0,
      audio: file === undefined ? undefined : { file, seconds: await audioSeconds(file) },
    })
  }
  return result
}

function slideTitle(title: string | undefined, index: number): string {
  return title ?? `Slide ${index + 1}`
}

/** @returns the folder of a deck's own recordings */
export function recordingsFolder(deck: Deck): string {
  return join(dirname(deck.file), 'recordings')
}
