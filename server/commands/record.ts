import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { load } from '@slidev/parser/fs'
import { Listr, type ListrTask } from 'listr2'
import { browserVersion } from '../browser.ts'
import { type Profile, profileSchema } from '../deck/contract.ts'
import { type Deck, readDeck, type Step } from '../deck/deck.ts'
import type { Shot } from '../film/camera.ts'
import { ffmetadata, transcript, webVtt } from '../film/captions.ts'
import { findFfmpeg, soundLength, type VideoFormat, videoFormats } from '../film/ffmpeg.ts'
import type { Manifest } from '../film/manifest.ts'
import { type Progress, publish, render, still } from '../film/render.ts'
import { type FilmSlide, type Script, stepTimeline, talkTimeline } from '../film/script.ts'
import { type FilmSite, openSite } from '../film/site.ts'
import type { Timeline } from '../film/timeline.ts'
import { interruptSignal } from '../interrupt.ts'
import { deckPaths, packageRoot } from '../paths.ts'
import { parseCast } from '../recording/cast.ts'
import { type Recording, RecordingStore } from '../recording/store.ts'
import { progress } from '../setting.ts'
import { staticDeckOf } from './build.ts'
import { rehearseDeck } from './rehearse.ts'

/** What a film is written as: a video, a picture of its end, or the recording of the terminal itself. */
export const filmFormats = [...videoFormats, 'png', 'cast'] as const
export type FilmFormat = (typeof filmFormats)[number]

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
  formats: FilmFormat[]
  size?: Pick<Shot, 'width' | 'height' | 'scale'>
  fps?: number
  dark: boolean
  /** Folder of what is written. */
  out: string
  /** Render what the recordings show, and run nothing. */
  renderOnly: boolean
  /** Have Nix build again what the steps build. */
  fresh: boolean
  yes: boolean
}

/** A film that is asked for. */
interface Wanted {
  /** Of its files. */
  name: string
  timeline: Timeline
  /** What it shows. */
  steps: Step[]
}

const FULL_HD = { width: 1920, height: 1080, scale: 1 }
/** A GIF is for a README: small, and at a rate that browsers keep (a delay is in hundredths of a second). */
const GIF = { size: { width: 960, height: 540, scale: 1 }, fps: 20 }

/**
 * Runs the steps, films what they do, and writes the films.
 *
 * @returns whether every step did what it promises
 * @throws an Error whose message says what to do next
 */
export async function recordTalk(options: RecordOptions): Promise<boolean> {
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  const vertical = options.size && options.size.height > options.size.width
  const ids = options.each ? [...deck.steps.keys()] : options.steps
  for (const id of ids) if (!deck.steps.has(id)) throw new Error(`This deck has no step "${id}". It has: ${[...deck.steps.keys()].join(', ')}.`)
  if (vertical && ids.length === 0) throw new Error('A vertical video shows one step: name it, as in npm run record -- run-vm --size vertical')
  // Before anything is run, since that takes its time.
  const tools = { ffmpeg: options.formats.some(isVideo) ? await findFfmpeg() : 'none', chromium: await browserVersion() }

  const problems = new Map<string, string[]>()
  const failed = new Map<string, Recording>()
  if (!options.renderOnly) await run(options, deck, ids, signal, problems, failed)
  if (problems.size > 0) console.log(`\n${[...problems].map(([id, what]) => `Step "${id}" failed: ${what.join(' ')}`).join('\n')}\nWhat was recorded up to there is written as *.failed.*`)

  const paths = deckPaths(deck.file)
  let site: FilmSite | undefined
  const found: { script?: Script; wanted: Wanted[] } = { wanted: [] }
  const written: string[] = []
  try {
    const tasks: ListrTask[] = [
      {
        title: 'Build the site that is filmed',
        task: async () => {
          const staticDeck = await staticDeckOf(deck, options.profile)
          site = await openSite(deck, staticDeck, paths.films, signal)
          found.script = await scriptOf(deck, options.profile, site, failed, problems)
          found.wanted = await wantedOf(options, deck, found.script, ids, problems)
        },
      },
      {
        title: 'Film',
        task: async (_, task) =>
          task.newListr(
            found.wanted.flatMap((wanted) =>
              options.formats.map((format) => ({
                title: `${fileOf(options, wanted, format)}`,
                task: async (_: unknown, row: { title: string; output: string }) => {
                  if (!site || !found.script) return
                  const out = resolve(options.out, fileOf(options, wanted, format))
                  await mkdir(dirname(out), { recursive: true })
                  row.title = await write({ options, wanted, format, out, site, script: found.script, cache: join(paths.films, 'parts'), signal, say: (text) => (row.output = text) })
                  written.push(out)
                },
              })),
            ),
            { concurrent: false },
          ),
      },
    ]
    await new Listr(tasks, progress).run()
    signal.throwIfAborted()
    for (const wanted of found.wanted) if (found.script) await writeWords(options, wanted, found.script, written, tools)
  } finally {
    ;(site as FilmSite | undefined)?.close()
  }
  console.log(`Written: ${written.map((file) => relative(process.cwd(), file)).join(', ')}`)
  return problems.size === 0
}

/** The first phase: runs what is to be filmed, and what that depends on. */
async function run(options: RecordOptions, deck: Deck, ids: string[], signal: AbortSignal, problems: Map<string, string[]>, failed: Map<string, Recording>): Promise<void> {
  const chosen = [...deck.steps.values()].filter(({ id, slide }) => (ids.length > 0 ? ids.includes(id) : (options.slides?.includes(slide) ?? true)))
  if (chosen.length === 0) return
  const needed = new Set<string>()
  const need = (id: string) => {
    if (needed.has(id)) return
    needed.add(id)
    deck.steps.get(id)?.contract.depends.forEach(need)
  }
  for (const { id } of chosen) need(id)
  const { reports } = await rehearseDeck(
    {
      deck: options.deck,
      steps: [...needed],
      ...(options.profile && { profile: options.profile }),
      yes: options.yes,
      keepGoing: false,
      record: true,
      fresh: options.fresh,
      onFailure: async (step, result, cast) => {
        const parsed = parseCast(cast)
        const { profile = 'host' } = { profile: options.profile }
        const facts = { step: step.id, command: step.command, hash: step.hash, exit: result.exit, seconds: result.seconds, date: new Date().toISOString(), profile: profileSchema.parse(profile), flake: '', captures: {}, cast: '' }
        failed.set(step.id, { metadata: facts, cast: parsed })
        const out = resolve(options.out, `${step.id}.failed.cast`)
        await mkdir(dirname(out), { recursive: true })
        await writeFile(out, cast)
      },
    },
    signal,
  )
  for (const report of reports) {
    if (report.result === 'failed') problems.set(report.step, report.problems)
    if (report.result === 'passed' && !report.recorded) throw new Error(`Step "${report.step}" passed, and no recording of it was kept: "Reset the stage" in the presenter's window makes the workdir anew, or film the recordings that are there by --render-only.`)
  }
}

/** What the deck says and its recordings show. */
async function scriptOf(deck: Deck, profile: Profile | undefined, site: FilmSite, failed: Map<string, Recording>, problems: Map<string, string[]>): Promise<Script> {
  const root = dirname(deck.file)
  const { slides } = await load({ roots: [root], userRoot: root }, deck.file)
  const film: FilmSlide[] = []
  for (const [index, slide] of slides.entries()) {
    const { narration } = slide.frontmatter as { narration?: unknown }
    if (narration !== undefined && typeof narration !== 'string') throw new Error(`Slide ${index + 1}: narration must be the path of a sound file.`)
    const file = narration === undefined ? undefined : resolve(root, narration)
    film.push({ number: index + 1, title: slide.title ?? `Slide ${index + 1}`, note: slide.note ?? '', clicks: site.clicks[index] ?? 0, audio: file === undefined ? undefined : { file, seconds: await soundLength(file) } })
  }
  const { steps } = await staticDeckOf(deck, profile)
  const store = new RecordingStore(join(root, 'recordings'))
  const recordings = new Map<string, Recording>(failed)
  for (const { id, recording } of steps) {
    const kept = recording && !failed.has(id) ? await store.read(recording.profile, id) : undefined
    if (kept) recordings.set(id, kept)
  }
  const opening = {
    profile: [...recordings.values()][0]?.metadata.profile ?? 'host',
    steps,
    terminals: [...new Set(steps.map(({ terminal }) => terminal))].map((name) => ({ name, ...deck.grid, state: { state: 'prompt' as const } })),
  }
  return { deck, opening, slides: film, recordings, problems }
}

async function wantedOf(options: RecordOptions, deck: Deck, script: Script, ids: string[], problems: Map<string, string[]>): Promise<Wanted[]> {
  const suffix = options.size && options.size.height > options.size.width ? '-vertical' : ''
  if (ids.length > 0) {
    const steps = ids.flatMap((id) => deck.steps.get(id) ?? []).filter(({ id }) => !options.each || script.recordings.has(id))
    if (steps.length === 0) throw new Error('No step of this deck has a recording: npm run rehearse makes them.')
    // What comes after a failure was not run.
    const shown = steps.filter(({ id }) => problems.size === 0 || problems.has(id))
    return Promise.all(shown.map(async (step) => ({ name: `${step.id}${suffix}${problems.has(step.id) ? '.failed' : ''}`, timeline: await stepTimeline(script, step), steps: [step] })))
  }
  const end = Math.max(...[...problems.keys()].map((id) => deck.steps.get(id)?.slide ?? 0))
  const numbers = (options.slides ?? script.slides.map(({ number }) => number)).filter((number) => problems.size === 0 || number <= end)
  const steps = [...deck.steps.values()].filter(({ slide }) => numbers.includes(slide))
  return [{ name: `talk${problems.size > 0 ? '.failed' : ''}`, timeline: await talkTimeline(script, numbers), steps }]
}

interface Writing {
  options: RecordOptions
  wanted: Wanted
  format: FilmFormat
  /** Absolute. */
  out: string
  site: FilmSite
  script: Script
  cache: string
  signal: AbortSignal
  say(text: string): void
}

/** Writes one file of a film. @returns what it says of itself */
async function write({ options, wanted, format, out, site, script, cache, signal, say }: Writing): Promise<string> {
  const { timeline } = wanted
  const name = fileOf(options, wanted, format)
  if (format === 'cast') {
    const [step] = wanted.steps
    const recording = step && script.recordings.get(step.id)
    if (!step || !recording) throw new Error('Only a film of a step can be written as a recording: name the step.')
    if (!script.problems.has(step.id)) await copyFile(new RecordingStore(join(dirname(options.deck), 'recordings')).file(recording.metadata.profile, step.id, 'cast'), out)
    return name
  }
  const shot = shotOf(options, format)
  const rendering = { timeline, shot, origin: site.origin }
  if (format === 'png') {
    await writeFile(out, (await still(rendering, timeline.poster)).png)
    return name
  }
  const began = performance.now()
  const { parts, frames, pictures, kept } = await render({
    ...rendering,
    format,
    version: site.version,
    cache,
    signal,
    onProgress: seldom(({ done, total, left }) => say(`${name}: ${Math.floor((100 * done) / total)} % of ${duration(timeline.length)}${left === undefined ? '' : `, ${duration(left)} left`}`)),
  })
  const words = { metadata: join(cache, `${process.pid}.ffmeta`), captions: join(cache, `${process.pid}.vtt`) }
  try {
    await writeFile(words.metadata, ffmetadata(timeline))
    await writeFile(words.captions, webVtt(timeline.captions))
    await publish({ parts, format, fps: shot.fps, length: timeline.length, metadata: words.metadata, ...(timeline.captions.length > 0 && { captions: words.captions }), narration: timeline.narration, out }, cache, signal)
  } finally {
    for (const file of Object.values(words)) await rm(file, { force: true })
  }
  const took = (performance.now() - began) / 1000
  return `${name}: ${duration(timeline.length)} in ${duration(took)}, ${pictures} pictures for ${frames} frames${kept > 0 ? `, ${kept} of them kept from before` : ''}`
}

function shotOf({ size, fps, dark }: RecordOptions, format: FilmFormat): Shot {
  const shot = { ...(size ?? (format === 'gif' ? GIF.size : FULL_HD)), fps: fps ?? (format === 'gif' ? GIF.fps : 30), dark } as Shot
  return shot
}

/** Writes what stands beside the films of one timeline: captions, transcript, timeline, manifest. */
async function writeWords(options: RecordOptions, { name, timeline, steps }: Wanted, script: Script, written: string[], tools: { ffmpeg: string; chromium: string }): Promise<void> {
  const commands = new Map(steps.map(({ id, command }) => [id, command]))
  const beside = (ending: string) => resolve(options.out, `${name}.${ending}`)
  await writeFile(beside('vtt'), webVtt(timeline.captions))
  await writeFile(beside('md'), transcript(timeline, commands))
  await writeFile(beside('timeline.json'), `${JSON.stringify(timeline)}\n`)
  const files = written.filter((file) => file.startsWith(`${beside('')}`))
  const { width, height, fps } = shotOf(options, options.formats[0] ?? 'mp4')
  const stale = new Map(script.opening.steps.map(({ id, recording }) => [id, recording?.stale]))
  const { version } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
  const content: Manifest = {
    version: 1,
    title: timeline.title,
    rendered: new Date().toISOString(),
    length: timeline.length,
    width,
    height,
    fps,
    files: await Promise.all(
      files.map(async (file) => ({ file: relative(resolve(options.out), file), bytes: (await stat(file)).size, sha256: createHash('sha256').update(await readFile(file)).digest('hex') })),
    ),
    chapters: timeline.chapters,
    steps: steps.map(({ id, slide, command }) => {
      const facts = script.recordings.get(id)?.metadata
      const problems = script.problems.get(id)
      if (!facts) return { step: id, slide, command, shown: 'nothing', ...(problems && { problems }) }
      const { date, profile, nix, nixpkgs, exit, seconds } = facts
      const old = problems ? undefined : stale.get(id)
      return { step: id, slide, command, shown: problems ? 'failed' : 'recorded', date, profile, ...(nix !== undefined && { nix }), ...(nixpkgs !== undefined && { nixpkgs }), exit, seconds, ...(old !== undefined && { stale: old }), ...(problems && { problems }) }
    }),
    made: { understudy: version, node: process.version, ...tools },
  }
  await writeFile(beside('json'), `${JSON.stringify(content, undefined, 2)}\n`)
}

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

function fileOf(_: RecordOptions, { name }: Wanted, format: FilmFormat): string {
  return `${name}.${format}`
}

function isVideo(format: FilmFormat): format is VideoFormat {
  return videoFormats.some((video) => video === format)
}

function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`
}
