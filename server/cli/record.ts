import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { Listr, type ListrTask } from 'listr2'
import type { Profile } from '../../shared/deck/contract.ts'
import { describeStepProblem } from '../../shared/failures/step-problem.ts'
import { parseCast } from '../../shared/recording/cast.ts'
import type { Metadata } from '../../shared/recording/metadata.ts'
import { type Deck, type Grid, readDeck } from '../deck/deck.ts'
import type { Step } from '../deck/step.ts'
import { progress } from '../environment/runtime-context.ts'
import { browserVersion } from '../lib/browser.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { deckPaths } from '../lib/paths.ts'
import { VideoError } from '../video/failures.ts'
import { findFfmpeg } from '../video/ffmpeg.ts'
import { type OutputFile, type RenderStats, writeOutputFile } from '../video/output-file.ts'
import type { RenderProgress } from '../video/render.ts'
import { deckRenderJobs, logRenderJobs, type RenderJob } from '../video/render-jobs.ts'
import {
  isVertical,
  isVideoFormat,
  type OutputFormat,
  renderSettings,
  type RenderSize,
} from '../video/render-settings.ts'
import { openRenderSite, type RenderSite } from '../video/render-site.ts'
import { type ToolVersions, writeSidecarFiles } from '../video/sidecar-files.ts'
import { parseTalkLog } from '../video/talk-log-format.ts'
import { type FailedRun, readSlideTitles, readTimelineSources, recordingsFolder } from '../video/timeline-sources.ts'
import { staticDeckOf } from './build.ts'
import { rehearseDeck } from './rehearse.ts'

export interface RecordOptions {
  /** The deck, absolute. */
  deck: string
  /** Ids of the steps to show, one video each. If empty, one video of the whole talk. */
  steps: string[]
  /** Render a video of every step that has a recording or, from a talk log, of every slide. */
  each: boolean
  /** Numbers of the slides to show, from 1. All slides by default. */
  slides?: number[]
  profile?: Profile
  format: OutputFormat[]
  size?: RenderSize
  fps?: number
  /** Use the dark color scheme. */
  dark: boolean
  /** The folder of the output. */
  out: string
  /** Run no steps and show the existing recordings. */
  renderOnly: boolean
  /** A talk log: render the live talk and run no steps. */
  from?: string
  /** Make Nix rebuild the results of the steps. */
  fresh: boolean
  yes: boolean
}

/** The terminal grid of vertical videos: its lines are legible on a phone. */
const VERTICAL_GRID: Grid = { cols: 46, rows: 32 }
/** Intervals at which progress is reported to a terminal, and to a log file. */
const TERMINAL_PROGRESS_INTERVAL_MS = 500
const LOG_PROGRESS_INTERVAL_MS = 15_000

/** Failed runs by step id. */
type FailedRuns = Map<string, FailedRun>

/**
 * Runs the steps, then renders the videos and writes their files.
 *
 * @returns whether all steps fulfilled their contracts
 * @throws Error whose message contains the fix
 */
export async function recordTalk(options: RecordOptions): Promise<boolean> {
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  const { renders } = deckPaths(deck.file)
  const out = resolve(options.out)
  const vertical = options.size !== undefined && isVertical(options.size)
  const log = options.from === undefined ? undefined : parseTalkLog(await readLog(options.from))
  if (log && log.header.deck !== deck.version)
    console.log('The deck has changed since this talk. The video shows its current slides.')
  const stepIds = selectSteps(options, deck, { vertical, fromLog: log !== undefined })
  // Missing programs are reported before the steps run, which takes long.
  const tools: ToolVersions = {
    ffmpeg: options.format.some(isVideoFormat) ? await findFfmpeg() : 'none',
    chromium: await browserVersion(),
  }

  const verticalRecordings = join(renders, 'vertical')
  const failedRuns: FailedRuns = new Map()
  let { profile } = options
  if (!options.renderOnly && !log) {
    const destination = vertical ? { recordings: verticalRecordings, grid: VERTICAL_GRID } : {}
    profile = await runSteps(options, deck, stepIds, { out, ...destination }, failedRuns, signal)
  }

  let site: RenderSite | undefined
  let jobs: RenderJob[] = []
  const outputs: OutputFile[] = []
  const tasks: ListrTask[] = [
    {
      title: 'Build the site',
      task: async () => {
        const staticDeck = await staticDeckOf(deck, profile)
        site = await openRenderSite(deck, staticDeck, renders, signal)
        if (log) {
          const { slides, each } = options
          jobs = logRenderJobs(log, deck, { slides, each, titles: await readSlideTitles(deck) })
          return
        }
        const sources = await readTimelineSources({
          deck,
          steps: staticDeck.steps,
          folders: [...(vertical ? [verticalRecordings] : []), recordingsFolder(deck)],
          profile,
          clicks: site.clicks,
          failedRuns,
        })
        const { slides, each: skipUnrecorded } = options
        jobs = await deckRenderJobs(sources, { stepIds, slides, skipUnrecorded, vertical })
      },
    },
    {
      title: 'Render',
      task: (_, task) =>
        task.newListr(
          jobs.flatMap((job) =>
            options.format.map((format) => ({
              title: `${job.name}.${format}`,
              task: async (_: unknown, row: { title: string; output: string }) => {
                if (!site) return
                const { length } = job.timeline
                const { output, stats } = await writeOutputFile({
                  job,
                  format,
                  settings: renderSettings(format, options),
                  out,
                  site,
                  cache: join(renders, 'segments'),
                  signal,
                  onProgress: throttled((progress) => (row.output = describeProgress(progress, length))),
                })
                outputs.push(output)
                // The manifest lists all files of the video, so it is written after the last one.
                if (format === options.format.at(-1)) {
                  const ownOutputs = outputs.filter(({ file }) => file.startsWith(join(out, `${job.name}.`)))
                  await writeSidecarFiles(job, ownOutputs, out, tools)
                }
                if (stats) row.title += `: ${describeStats(stats, length)}`
              },
            })),
          ),
        ),
    },
  ]
  try {
    await new Listr(tasks, progress).run()
    signal.throwIfAborted()
  } finally {
    site?.close()
  }
  console.log(`Written: ${outputs.map(({ file }) => relative(process.cwd(), file)).join(', ')}`)
  for (const [id, { problems }] of failedRuns)
    console.error(`Step "${id}" failed: ${problems.map(describeStepProblem).join(' ')}`)
  return failedRuns.size === 0
}

/**
 * Returns the ids of the steps to render, one video each.
 *
 * @throws VideoError `log-excludes-steps`, `unknown-step` or `vertical-needs-step`
 */
function selectSteps(
  { steps, each }: RecordOptions,
  deck: Deck,
  { vertical, fromLog }: { vertical: boolean; fromLog: boolean },
): string[] {
  if (fromLog && steps.length > 0) throw new VideoError({ kind: 'log-excludes-steps' })
  const known = [...deck.steps.keys()]
  const selected = fromLog ? [] : each ? known : steps
  for (const step of selected) if (!deck.steps.has(step)) throw new VideoError({ kind: 'unknown-step', step, known })
  if (vertical && selected.length === 0) throw new VideoError({ kind: 'vertical-needs-step' })
  return selected
}

interface RunDestination {
  /** The folder for the recordings of failed runs, absolute. */
  out: string
  /** The folder for recordings. Beside the deck by default. */
  recordings?: string
  /** The grid of the terminals. The deck's by default. */
  grid?: Grid
}

/**
 * Runs the steps to show and their dependencies, and saves their recordings.
 *
 * @param failedRuns receives the failed runs
 * @returns the profile that the steps ran against
 */
async function runSteps(
  { profile, yes, fresh, slides }: RecordOptions,
  deck: Deck,
  stepIds: string[],
  { out, ...destination }: RunDestination,
  failedRuns: FailedRuns,
  signal: AbortSignal,
): Promise<Profile | undefined> {
  const selected = [...deck.steps.values()].filter(({ id, slide }) =>
    stepIds.length > 0 ? stepIds.includes(id) : (slides?.includes(slide) ?? true),
  )
  if (selected.length === 0) return profile
  const { reports, profile: usedProfile } = await rehearseDeck(
    {
      deck: deck.file,
      steps: withDependencies(deck, selected),
      ...(profile && { profile }),
      yes,
      fresh,
      keepGoing: false,
      record: true,
      ...destination,
      onFailure: async ({ id, command, hash }, { exit, seconds, problems }, text, profile) => {
        const file = join(out, `${id}.failed.cast`)
        await mkdir(out, { recursive: true })
        await writeFile(file, text)
        const metadata: Metadata = {
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
        failedRuns.set(id, { recording: { metadata, cast: parseCast(text), file }, problems })
      },
    },
    signal,
  )
  for (const report of reports) {
    const { step } = report
    if (report.result === 'failed' && !failedRuns.has(step))
      throw new VideoError({ kind: 'failure-not-recorded', step, problems: report.problems })
    if (report.result === 'passed' && !report.recorded) throw new VideoError({ kind: 'run-not-recorded', step })
  }
  const notRun = reports.filter(({ result }) => result === 'not-run').map(({ step }) => step)
  if (notRun.length > 0 && failedRuns.size === 0)
    console.log(`Not run: ${notRun.join(', ')}. Their slides show earlier recordings, if there are any.`)
  return usedProfile
}

/** Returns the ids of the steps and of all steps that they depend on. */
function withDependencies(deck: Deck, steps: Step[]): string[] {
  const ids = new Set<string>()
  const add = (id: string) => {
    if (ids.has(id)) return
    ids.add(id)
    deck.steps.get(id)?.contract.depends.forEach(add)
  }
  for (const { id } of steps) add(id)
  return [...ids]
}

async function readLog(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new VideoError({ kind: 'unreadable-log', reason: error instanceof Error ? error.message : String(error) })
  }
}

/** Limits the frequency of progress reports. */
function throttled(report: (progress: RenderProgress) => void): (progress: RenderProgress) => void {
  const interval = process.stdout.isTTY ? TERMINAL_PROGRESS_INTERVAL_MS : LOG_PROGRESS_INTERVAL_MS
  let last = performance.now()
  return (progress) => {
    if (performance.now() - last < interval) return
    last = performance.now()
    report(progress)
  }
}

/** @param length seconds of the video */
function describeProgress({ frames, totalFrames, remainingSeconds }: RenderProgress, length: number): string {
  const percent = Math.floor((100 * frames) / totalFrames)
  const remaining = remainingSeconds === undefined ? '' : `, ${duration(remainingSeconds)} left`
  return `${percent} % of ${duration(length)}${remaining}`
}

/** @param length seconds of the video */
function describeStats({ seconds, capturedFrames, frames, cachedFrames }: RenderStats, length: number): string {
  const cached = cachedFrames > 0 ? `, ${cachedFrames} from the cache` : ''
  return `${duration(length)} in ${duration(seconds)}, ${frames} frames (${capturedFrames} captured${cached})`
}

function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`
}
