import { describeStepProblem, type StepProblem } from '../../shared/failures/step-problem.ts'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { Listr, type ListrTask } from 'listr2'
import { browserVersion } from '../lib/browser.ts'
import type { Profile } from '../../shared/deck/contract.ts'
import { type Deck, readDeck, type Step } from '../deck/deck.ts'
import type { Shot } from '../video/frame-capturer.ts'
import { readScript, recordingsBeside, titlesOf } from '../video/deck-timeline.ts'
import { findFfmpeg, videoFormats } from '../video/ffmpeg.ts'
import { logTimeline, onlySlides, parseLog, slidesOf, type TalkGiven } from '../video/log-timeline.ts'
import type { Progress } from '../video/render.ts'
import { type Script, stepTimeline, type Take, talkTimeline } from '../video/step-timeline.ts'
import { type FilmSite, openSite } from '../video/render-site.ts'
import { type FilmFormat, type Wanted, writeFilm, writeWords, type Written } from '../video/sidecar-files.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { deckPaths } from '../lib/paths.ts'
import { parseCast } from '../../shared/recording/cast.ts'
import { progress } from '../environment/runtime-context.ts'
import { staticDeckOf } from './build.ts'
import { rehearseDeck } from './rehearse.ts'

export interface RecordOptions {
  /** The deck, absolute. */
  deck: string
  /** Ids of the steps, a film each; the whole talk where there are none. */
  steps: string[]
  /** A film of every step that has a recording. */
  each: boolean
  /** Numbers of the slides of the talk, from 1: all of them unless given. */
  slides?: number[]
  profile?: Profile
  format: FilmFormat[]
  size?: Pick<Shot, 'width' | 'height' | 'scale'>
  fps?: number
  dark: boolean
  /** Folder of what is written. */
  out: string
  /** Film what the recordings show, and run nothing. */
  renderOnly: boolean
  /** The log of a talk: it is filmed as it was given, and nothing is run. */
  from?: string
  /** Have Nix build again what the steps build. */
  fresh: boolean
  yes: boolean
}

/** A GIF is for a README: small, and at a rate that browsers keep (a delay is in hundredths of a second). */
const GIF = { width: 960, height: 540, scale: 1, fps: 20 }
/** The grid of a terminal in an upright video, whose lines a phone shows in a size that can be read. */
const UPRIGHT = { cols: 46, rows: 32 }

/** What failed, by step. */
type Failed = Map<string, { take: Take; problems: StepProblem[] }>

/**
 * Runs the steps, films what they do, and writes the films.
 *
 * @returns whether every step did what it promises
 * @throws an Error whose message says what to do next
 */
export async function recordTalk(options: RecordOptions): Promise<boolean> {
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  const out = resolve(options.out)
  const paths = deckPaths(deck.file)
  const given = options.from === undefined ? undefined : parseLog(await readLog(options.from))
  if (given && options.steps.length > 0)
    throw new Error(
      'The video of a talk as it was given is cut by slides: --slides 3-5, or --each for a video of each.',
    )
  if (given && given.header.deck !== deck.version)
    console.log('The deck has changed since this talk: its slides are shown as they are now.')
  const ids = given ? [] : options.each ? [...deck.steps.keys()] : options.steps
  for (const id of ids)
    if (!deck.steps.has(id))
      throw new Error(`This deck has no step "${id}". It has: ${[...deck.steps.keys()].join(', ')}.`)
  if (isUpright(options) && ids.length === 0)
    throw new Error('An upright video shows one step: name it, as in npm run record -- run-vm --size vertical')
  // Before anything is run, since that takes its time.
  const tools = {
    ffmpeg: options.format.some((format) => videoFormats.some((video) => video === format))
      ? await findFfmpeg()
      : 'none',
    chromium: await browserVersion(),
  }

  const upright = join(paths.films, 'upright')
  const failed: Failed = new Map()
  let profile = options.profile
  if (!options.renderOnly && !given)
    profile = await run(
      options,
      deck,
      ids,
      { out, ...(isUpright(options) && { recordings: upright, grid: UPRIGHT }) },
      failed,
      signal,
    )

  let site: FilmSite | undefined
  let films: Wanted[] = []
  const written: Written[] = []
  const tasks: ListrTask[] = [
    {
      title: 'Build the site that is filmed',
      task: async () => {
        const shown = await staticDeckOf(deck, profile)
        site = await openSite(deck, shown, paths.films, signal)
        const folders = [...(isUpright(options) ? [upright] : []), recordingsBeside(deck)]
        if (given) films = filmsGiven(options, deck, given, await titlesOf(deck))
        else
          films = await filmsOf(
            options,
            await readScript({ deck, steps: shown.steps, folders, profile, clicks: site.clicks, failed }),
            ids,
          )
      },
    },
    {
      title: 'Film',
      task: (_, task) => {
        const rows = films.flatMap((wanted) =>
          options.format.map((format) => ({
            title: `${wanted.name}.${format}`,
            task: async (_: unknown, row: { title: string; output: string }) => {
              if (!site) return
              const { length } = wanted.timeline
              const onProgress = seldom(
                ({ done, total, left }) =>
                  (row.output = `${Math.floor((100 * done) / total)} % of ${duration(length)}${left === undefined ? '' : `, ${duration(left)} left`}`),
              )
              const { made, ...file } = await writeFilm({
                wanted,
                format,
                shot: shotOf(options, format),
                out,
                site,
                cache: join(paths.films, 'parts'),
                signal,
                onProgress,
              })
              written.push(file)
              // Beside the last of its files.
              if (format === options.format.at(-1))
                await writeWords(
                  wanted,
                  written.filter(({ file }) => file.startsWith(join(out, `${wanted.name}.`))),
                  out,
                  tools,
                )
              if (made)
                row.title += `: ${duration(length)} in ${duration(made.seconds)}, ${made.pictures} pictures for ${made.frames} frames${made.kept > 0 ? `, ${made.kept} of them kept from before` : ''}`
            },
          })),
        )
        return task.newListr(rows)
      },
    },
  ]
  try {
    await new Listr(tasks, progress).run()
    signal.throwIfAborted()
  } finally {
    site?.close()
  }
  console.log(`Written: ${written.map(({ file }) => relative(process.cwd(), file)).join(', ')}`)
  for (const [id, { problems }] of failed)
    console.error(`Step "${id}" failed: ${problems.map(describeStepProblem).join(' ')}`)
  return failed.size === 0
}

interface Running {
  out: string
  /** Where recordings are kept; beside the deck unless given. */
  recordings?: string
  /** Of the terminals. */
  grid?: typeof UPRIGHT
}

/**
 * The first phase: runs what is to be filmed, and what that depends on.
 *
 * @returns what the steps ran against
 */
async function run(
  options: RecordOptions,
  deck: Deck,
  ids: string[],
  { out, ...how }: Running,
  failed: Failed,
  signal: AbortSignal,
): Promise<Profile | undefined> {
  const asked = [...deck.steps.values()].filter(({ id, slide }) =>
    ids.length > 0 ? ids.includes(id) : (options.slides?.includes(slide) ?? true),
  )
  if (asked.length === 0) return options.profile
  const { profile, yes, fresh } = options
  const { reports, profile: ran } = await rehearseDeck(
    {
      deck: deck.file,
      steps: withDependencies(deck, asked),
      ...(profile && { profile }),
      yes,
      fresh,
      keepGoing: false,
      record: true,
      ...how,
      onFailure: async ({ id, command, hash }, { exit, seconds, problems }, text, profile) => {
        const file = join(out, `${id}.failed.cast`)
        await mkdir(out, { recursive: true })
        await writeFile(file, text)
        const metadata = {
          step: id,
          command,
          hash,
          exit,
          seconds,
          date: new Date().toISOString(),
          profile,
          flake: '',
          captures: {},
          cast: '',
        }
        failed.set(id, { take: { metadata, cast: parseCast(text), file }, problems })
      },
    },
    signal,
  )
  for (const report of reports) {
    if (report.result === 'failed' && !failed.has(report.step))
      throw new Error(
        `Step "${report.step}" failed, and left nothing to look at: ${report.problems.map(describeStepProblem).join(' ')}`,
      )
    if (report.result === 'passed' && !report.recorded)
      throw new Error(
        `Step "${report.step}" passed, and no recording of it was kept. "Reset the stage" in the presenter's window makes the workdir anew; --render-only films the recordings that are there.`,
      )
  }
  const left = reports.filter(({ result }) => result === 'not-run').map(({ step }) => step)
  if (left.length > 0 && failed.size === 0)
    console.log(`Not run: ${left.join(', ')}. Their slides show what was recorded before, if anything was.`)
  return ran
}

/** Ids of steps, and of those that must have run before them. */
function withDependencies(deck: Deck, steps: Step[]): string[] {
  const needed = new Set<string>()
  const need = (id: string) => {
    if (needed.has(id)) return
    needed.add(id)
    deck.steps.get(id)?.contract.depends.forEach(need)
  }
  for (const { id } of steps) need(id)
  return [...needed]
}

/** The films that are asked for. After a failure: those that show it, and nothing behind it. */
async function filmsOf(options: RecordOptions, script: Script, ids: string[]): Promise<Wanted[]> {
  const { deck, takes, problems, opening } = script
  const wanted = ({ id, slide, command }: Step) => ({
    step: id,
    slide,
    command,
    take: takes.get(id),
    problems: problems.get(id)?.map(describeStepProblem),
    stale: opening.steps.find((step) => step.id === id)?.recording?.stale,
  })
  const mark = problems.size > 0 ? '.failed' : ''
  if (ids.length > 0) {
    const steps = ids
      .flatMap((id) => deck.steps.get(id) ?? [])
      .filter(({ id }) => (problems.size > 0 ? problems.has(id) : !options.each || takes.has(id)))
    if (steps.length === 0) throw new Error('There is no recording of a step to film: npm run rehearse makes them.')
    return Promise.all(
      steps.map(async (step) => ({
        name: `${step.id}${isUpright(options) ? '-vertical' : ''}${mark}`,
        timeline: await stepTimeline(script, step),
        steps: [wanted(step)],
      })),
    )
  }
  const last =
    problems.size === 0 ? Infinity : Math.max(...[...problems.keys()].map((id) => deck.steps.get(id)?.slide ?? 0))
  const numbers = (options.slides ?? script.slides.map(({ number }) => number)).filter((number) => number <= last)
  const steps = [...deck.steps.values()].filter(({ slide }) => numbers.includes(slide))
  return [{ name: `talk${mark}`, timeline: await talkTimeline(script, numbers), steps: steps.map(wanted) }]
}

async function readLog(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Error(
      `The log of the talk cannot be read: ${error instanceof Error ? error.message : String(error)}\nnpm start -- --log keeps one, and says where.`,
    )
  }
}

/** The films of a talk as it was given: of all of it, of some slides, or of each. */
function filmsGiven({ slides, each }: RecordOptions, deck: Deck, given: TalkGiven, titles: string[]): Wanted[] {
  const whole = logTimeline(given, titles)
  const parts = each
    ? (slides ?? slidesOf(whole)).map((slide) => ({
        name: `given-${String(slide).padStart(String(titles.length).length, '0')}`,
        slides: [slide],
      }))
    : [{ name: 'given', slides }]
  return parts.map(({ name, slides }) => {
    const timeline = slides ? onlySlides(whole, slides, titles) : whole
    const run = new Set(
      timeline.events.flatMap((event) =>
        event.type === 'step' && event.status.state === 'running' ? [event.step] : [],
      ),
    )
    const facts = { date: given.header.date, profile: timeline.opening.profile }
    const steps = [...deck.steps.values()]
      .filter(({ id }) => run.has(id))
      .map(({ id, slide, command }) => ({ step: id, slide, command, given: facts }))
    return { name, timeline, steps }
  })
}

function isUpright({ size }: RecordOptions): boolean {
  return size !== undefined && size.height > size.width
}

function shotOf({ size, fps, dark }: RecordOptions, format: FilmFormat): Shot {
  const usual = format === 'gif' ? GIF : { ...FULL_HD, fps: 30 }
  return { ...usual, ...size, ...(fps !== undefined && { fps }), dark }
}

const FULL_HD = { width: 1920, height: 1080, scale: 1 }

/** Tells how far it is as often as somebody reads it: a log is read once. */
function seldom(tell: (progress: Progress) => void): (progress: Progress) => void {
  const pause = process.stdout.isTTY ? 500 : 15_000
  let last = performance.now()
  return (progress) => {
    if (performance.now() - last < pause) return
    last = performance.now()
    tell(progress)
  }
}

function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`
}
