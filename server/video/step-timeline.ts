import { describeStepProblem, type StepProblem } from '../../shared/failures/step-problem.ts'
import type { Deck, Step } from '../deck/deck.ts'
import type { StepStatus } from '../../shared/protocol/state.ts'
import type { Recording } from '../recording/store.ts'
import { clickTimes, cuesOf, speechLength, speechOf } from './narration.ts'
import type { Chapter, Cue, FilmEvent, FilmOpening, Timeline } from '../../shared/video/timeline.ts'
import { type Scene, sceneOf, typingLength } from './typing.ts'

/** A slide as the script needs it. */
export interface FilmSlide {
  /** From 1. */
  number: number
  title: string
  /** Markdown. */
  note: string
  clicks: number
  /** The author's own voice: a sound file, absolute, and its seconds. */
  audio?: { file: string; seconds: number } | undefined
}

/** A run that is shown, and the file that it was recorded in. */
export interface Take extends Recording {
  /** Absolute. */
  file: string
}

export interface Script {
  deck: Deck
  opening: FilmOpening
  /** All slides of the deck. */
  slides: FilmSlide[]
  /** By step. What failed has one too, in a film of a failure. */
  takes: ReadonlyMap<string, Take>
  /** The steps that failed, with what was wrong. */
  problems: ReadonlyMap<string, StepProblem[]>
}

/** Seconds of a slide that says and does nothing. */
const SHORTEST = 3
/** Seconds before the first key on a slide: it fades in, and is looked at. */
const LOOK = 1.5
/** Seconds to read what a step has put out. */
const READ = 3
/** Seconds until a slide is fully there: Slidev fades for half a second. */
const FADE = 0.6

/** Times at which slides and steps begin are whole tenths: frames at 20, 30 and 60 a second. */
const tenth = (seconds: number) => Math.round(seconds * 10) / 10
const upToTenth = (seconds: number) => Math.ceil(seconds * 10 - 1e-6) / 10

/**
 * The film of the talk, or of some of its slides.
 *
 * @param numbers of the slides, from 1, in order
 */
export async function talkTimeline(script: Script, numbers: number[]): Promise<Timeline> {
  const film = new Making(script)
  for (const number of numbers) {
    const slide = script.slides[number - 1]
    if (!slide) throw new Error(`This deck has no slide ${number}: it has ${script.slides.length}.`)
    await film.slide(slide)
  }
  return film.done(0.5)
}

/** The film of one step: its slide with everything on it, the command, what it does. */
export async function stepTimeline(script: Script, step: Step): Promise<Timeline> {
  const film = new Making(script)
  const slide = script.slides[step.slide - 1]
  if (!slide) throw new Error(`Step "${step.id}" stands on slide ${step.slide}, which this deck does not have.`)
  await film.step(slide, step)
  return film.done(film.length - 0.1)
}

/** A film that is being made, from its beginning to its end. */
class Making {
  length = 0
  private readonly script: Script
  private readonly events: FilmEvent[] = []
  private readonly chapters: Chapter[] = []
  private readonly captions: Cue[] = []
  private readonly narration: Timeline['narration'] = []
  private readonly chosen: Record<string, string> = {}
  private readonly epoch: number

  constructor(script: Script) {
    this.script = script
    const dates = [...script.takes.values()].map(({ metadata }) => metadata.date).sort()
    this.epoch = Date.parse(dates.at(-1) ?? '2000-01-01T00:00:00.000Z')
  }

  async slide(slide: FilmSlide): Promise<void> {
    const start = this.length
    const speech = speechOf(slide.note)
    const spoken = slide.audio?.seconds ?? speechLength(speech)
    const scenes = await this.scenes([...this.script.deck.steps.values()].filter((step) => step.slide === slide.number))
    const acted = scenes.reduce((sum, { scene }) => sum + sceneLength(scene), scenes.length > 0 ? LOOK : 0)
    const length = upToTenth(Math.max(spoken + 0.5, acted, SHORTEST))

    this.show(start, slide.number, 0)
    this.chapters.push({ time: start === 0 ? 0 : tenth(start + FADE), title: slide.title, slide: slide.number })
    for (const [index, time] of clickTimes(
      speech,
      slide.clicks,
      Math.min(length, Math.max(spoken, SHORTEST)),
    ).entries())
      this.show(start + Math.max(time, FADE), slide.number, index + 1)
    if (slide.audio) this.narration.push({ time: start, file: slide.audio.file })
    this.captions.push(...cuesOf(speech, slide.number, start, spoken))

    this.setStage(start, scenes)
    // What the slide lasts longer than its steps is time to look at what each has done.
    const spare = scenes.length === 0 ? 0 : (length - acted) / scenes.length
    let at = start + LOOK
    for (const { step, scene } of scenes) {
      const begins = tenth(at)
      this.chapters.push({ time: begins, title: `${slide.title}: ${step.id}`, slide: slide.number, step: step.id })
      this.act(begins, step, scene)
      at += sceneLength(scene) + spare
    }
    this.length = tenth(start + length)
  }

  async step(slide: FilmSlide, step: Step): Promise<void> {
    const scenes = await this.scenes([step])
    const scene = scenes[0]?.scene
    if (!scene) throw new Error(`Step "${step.id}" has no recording: npm run rehearse -- ${step.id}`)
    this.show(0, slide.number, slide.clicks)
    this.setStage(0, scenes)
    this.chapters.push(
      { time: 0, title: slide.title, slide: slide.number },
      { time: LOOK, title: step.id, slide: slide.number, step: step.id },
    )
    this.act(LOOK, step, scene)
    this.length = upToTenth(LOOK + sceneLength(scene))
    this.captions.push({ from: LOOK, to: this.length, slide: slide.number, text: step.command })
  }

  done(poster: number): Timeline {
    const { deck, opening } = this.script
    return {
      version: 1,
      title: deck.title,
      date: new Date(this.epoch).toISOString(),
      length: this.length,
      opening,
      events: this.events
        .map((event, index) => ({ event, index }))
        .sort((a, b) => a.event.time - b.event.time || a.index - b.index)
        .map(({ event }) => event),
      chapters: this.chapters,
      captions: this.captions,
      narration: this.narration,
      poster: Math.min(poster, this.length),
    }
  }

  private async scenes(steps: Step[]): Promise<{ step: Step; scene: Scene }[]> {
    const scenes: { step: Step; scene: Scene }[] = []
    for (const step of steps) {
      const take = this.script.takes.get(step.id)
      if (take) scenes.push({ step, scene: await sceneOf(take.cast, step.id) })
    }
    return scenes
  }

  private show(time: number, slide: number, clicks: number): void {
    this.events.push({ time, type: 'show', slide, clicks })
  }

  /** Before anything is typed every terminal of the slide shows its prompt. */
  private setStage(time: number, scenes: { step: Step; scene: Scene }[]): void {
    const [first] = scenes
    if (first) this.choose(time, first.step)
    for (const { step, scene } of [...scenes].reverse()) {
      this.events.push({
        time,
        type: 'screen',
        terminal: step.terminal,
        cols: scene.cols,
        rows: scene.rows,
        data: scene.before,
      })
      this.replay(time, step, scene, false)
    }
  }

  /** Shows the terminal of a step, where its slide has several. */
  private choose(time: number, step: Step): void {
    this.chosen[step.slide] = step.terminal
    this.events.push({ time, type: 'sync', channel: 'understudy', state: { terminals: { ...this.chosen } } })
  }

  private act(start: number, step: Step, scene: Scene): void {
    const { terminal, id } = step
    const take = this.script.takes.get(id)
    if (!take) return
    const { metadata } = take
    this.choose(start, step)
    this.events.push({ time: start, type: 'screen', terminal, cols: scene.cols, rows: scene.rows, data: scene.before })
    this.replay(start, step, scene, false)
    for (const { time, text } of scene.keys)
      this.events.push({ time: start + time, type: 'output', terminal, data: text })
    const enter = start + typingLength(scene)
    const since = this.epoch + Math.round(enter * 1000)
    const told = (time: number, status: StepStatus) => this.events.push({ time, type: 'step', step: id, status })
    told(enter, { state: 'running', since })
    this.replay(enter, step, scene, true)
    for (const { time, text } of scene.output)
      this.events.push({ time: enter + time, type: 'output', terminal, data: text })
    const page = step.contract.ready && 'http' in step.contract.ready ? step.contract.ready.http : undefined
    const [first, ...others] = this.script.problems.get(id) ?? []
    const problems = first && ([first, ...others] as const)
    if (problems)
      told(
        enter + scene.length,
        metadata.exit === null
          ? { state: 'ended', failure: { kind: 'unexpected', message: problems.map(describeStepProblem).join(' ') } }
          : { state: 'failed', exit: metadata.exit, seconds: metadata.seconds, problems: [...problems] },
      )
    else if (metadata.exit === null)
      told(enter + (scene.ready ?? scene.length), {
        state: 'ready',
        since,
        after: metadata.ready ?? metadata.seconds,
        ...(page !== undefined && { url: page }),
      })
    else told(enter + scene.length, { state: 'succeeded', exit: metadata.exit, seconds: metadata.seconds })
  }

  /** What ran in the lab is marked as what it is, from before it begins: the lines must not move when it does. */
  private replay(time: number, step: Step, scene: Scene, playing: boolean): void {
    const take = this.script.takes.get(step.id)
    if (take?.metadata.profile !== 'lab') return
    const { profile, date } = take.metadata
    this.events.push({
      time,
      type: 'replay',
      terminal: step.terminal,
      replay: {
        step: step.id,
        profile,
        date,
        playing,
        stepping: false,
        time: 0,
        duration: scene.length,
        speed: 1,
        ...(scene.ready !== undefined && { ready: scene.ready }),
      },
    })
  }
}

/** Seconds that a scene takes, with the time to read its end. */
function sceneLength(scene: Scene): number {
  return typingLength(scene) + scene.length + READ
}
