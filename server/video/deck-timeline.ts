import type { StepProblem } from '../../shared/failures/step-problem.ts'
import { dirname, join, resolve } from 'node:path'
import { load } from '@slidev/parser/fs'
import type { Profile } from '../../shared/deck/contract.ts'
import type { Deck } from '../deck/deck.ts'
import type { StepInfo } from '../../shared/protocol/state.ts'
import { type Recording, RecordingStore } from '../recording/store.ts'
import { soundLength } from './ffmpeg.ts'
import type { FilmSlide, Script, Take } from './step-timeline.ts'

/** What a film of a deck needs to know before it is made. */
export interface Sources {
  deck: Deck
  steps: StepInfo[]
  /** Folders of recordings, absolute: the first that has one of a step's command is taken. */
  folders: string[]
  /** What the steps ran against: of it are the recordings of steps that have none beside the deck. */
  profile?: Profile | undefined
  /** The clicks of each slide. */
  clicks: number[]
  /** What failed, and what was wrong. */
  failed: ReadonlyMap<string, { take: Take; problems: StepProblem[] }>
}

/**
 * Reads what the deck says and its recordings show.
 *
 * @throws an Error that names the slide whose narration cannot be used
 */
export async function readScript({ deck, steps, folders, profile, clicks, failed }: Sources): Promise<Script> {
  const takes = new Map<string, Take>()
  for (const { id, recording, hash } of steps) {
    const of = recording?.profile ?? profile
    const take = failed.get(id)?.take ?? (of && (await takeOf(folders, of, id, hash)))
    if (take) takes.set(id, take)
  }
  const opening = {
    profile: [...takes.values()][0]?.metadata.profile ?? 'host',
    steps,
    terminals: [...new Set(steps.map(({ terminal }) => terminal))].map((name) => ({
      name,
      ...deck.grid,
      state: { state: 'prompt' as const },
    })),
  }
  return {
    deck,
    opening,
    slides: await slidesOf(deck, clicks),
    takes,
    problems: new Map([...failed].map(([id, { problems }]) => [id, problems])),
  }
}

async function takeOf(
  folders: string[],
  profile: Recording['metadata']['profile'],
  step: string,
  hash: string,
): Promise<Take | undefined> {
  let stale: Take | undefined
  for (const folder of folders) {
    const store = new RecordingStore(folder)
    const recording = await store.read(profile, step)
    if (!recording) continue
    const take = { ...recording, file: store.file(profile, step, 'cast') }
    if (recording.metadata.hash === hash) return take
    stale = take
  }
  return stale
}

/** The titles of the slides, in order. */
export async function titlesOf(deck: Deck): Promise<string[]> {
  const root = dirname(deck.file)
  const { slides } = await load({ roots: [root], userRoot: root }, deck.file)
  return slides.map(({ title }, index) => title ?? `Slide ${index + 1}`)
}

async function slidesOf(deck: Deck, clicks: number[]): Promise<FilmSlide[]> {
  const root = dirname(deck.file)
  const { slides } = await load({ roots: [root], userRoot: root }, deck.file)
  const film: FilmSlide[] = []
  for (const [index, { title, note, frontmatter }] of slides.entries()) {
    const { narration } = frontmatter as { narration?: unknown }
    if (narration !== undefined && typeof narration !== 'string')
      throw new Error(`Slide ${index + 1}: narration must be the path of a sound file, from the deck's folder.`)
    const file = narration === undefined ? undefined : resolve(root, narration)
    film.push({
      number: index + 1,
      title: title ?? `Slide ${index + 1}`,
      note: note ?? '',
      clicks: clicks[index] ?? 0,
      audio: file === undefined ? undefined : { file, seconds: await soundLength(file) },
    })
  }
  return film
}

/** Where a deck keeps its recordings. */
export function recordingsBeside(deck: Deck): string {
  return join(dirname(deck.file), 'recordings')
}
