import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Profile } from '../../shared/deck/contract.ts'
import { type Deck, type Grid, readDeck } from '../deck/deck.ts'
import type { Step } from '../deck/step.ts'
import { describeStepProblem } from '../../shared/failures/step-problem.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { PageScreenshotter } from '../lib/page-screenshotter.ts'
import { json } from '../../shared/json.ts'
import { deleteBuildResults } from '../environment/nix/build-results.ts'
import { nixVersions } from '../environment/nix/versions.ts'
import { RecordingStore } from '../recording/store.ts'
import { rehearse, type StepReport } from '../rehearsal/rehearsal.ts'
import type { RunResult } from '../steps/step-run.ts'
import { junit, rehearsalFile, type RehearsalFile, table, fileEntries } from '../rehearsal/rehearsal-report.ts'
import { describeNotRun } from '../rehearsal/not-run.ts'
import { prepareStep } from '../environment/profile.ts'
import { openStage, type StageContext } from '../steps/open-stage.ts'
import { editedFiles, fingerprint } from '../environment/workdir.ts'
import { printWarnings } from './warnings.ts'

export interface RehearseOptions {
  /** The deck, absolute. */
  deck: string
  /** Ids of the steps to run; empty for all steps. */
  steps: string[]
  /** Skip the steps before this one. */
  startAt?: string
  profile?: Profile
  yes: boolean
  keepGoing: boolean
  /** Time for the whole rehearsal, in seconds. */
  timeLimit?: number
  /** File to write the report to as JSON; by default one in the cache. */
  json?: string
  /** File to write the report to as JUnit XML; by default one in the cache. */
  junit?: string
  /** Save successful runs as recordings. */
  record: boolean
  /** Rebuild the Nix results of the steps, so that recordings show the builds. */
  fresh: boolean
  /** Folder of the recordings, absolute; by default `recordings` beside the deck. */
  recordings?: string
  /** Size of the terminals; by default that of the deck. */
  grid?: Grid
  /** Receives the recording of each failed step. */
  onFailure?: (step: Step, result: RunResult, cast: string, profile: Profile) => Promise<void>
}

/** Result of a rehearsal. */
export interface Rehearsal {
  /** Whether no step failed and at least one passed. */
  succeeded: boolean
  reports: StepReport[]
  /** The profile that the steps ran in. */
  profile: Profile
}

/**
 * Runs the steps of a deck, checks their contracts and prints the results.
 *
 * @throws DeckError, or an Error if a step does not exist or the environment cannot be prepared
 */
export async function rehearseDeck(options: RehearseOptions, signal = interruptSignal()): Promise<Rehearsal> {
  const read = await readDeck(options.deck)
  printWarnings(read)
  const deck = { ...read, grid: options.grid ?? read.grid }
  const steps = chooseSteps(deck, options)
  const context = await openStage({ ...options, deck }, signal)
  const { paths, profile, stage, executor, secrets } = context
  for (const notice of context.notices) console.log(notice)

  await mkdir(paths.rehearsals, { recursive: true, mode: 0o700 })
  const file = join(paths.rehearsals, `${profile.name}.json`)
  const previous = rehearsalFile.safeParse(json(await readFile(file, 'utf8').catch(() => ''))).data
  const store = options.record
    ? await recordingTarget(context, options.recordings ?? join(dirname(deck.file), 'recordings'))
    : undefined
  if (options.fresh) await forceRebuilds(context, steps, signal)
  const screenshotter = new PageScreenshotter(console.log)
  let reports: StepReport[]
  try {
    reports = await rehearse({
      deck,
      stage,
      executor,
      steps,
      keepGoing: options.keepGoing,
      timeLimit: options.timeLimit,
      scratch: paths.rehearsals,
      secrets,
      store,
      thumbnail: (url) => screenshotter.take(url),
      onFailure: async (step, result, cast) => options.onFailure?.(step, result, cast, profile.name),
      signal,
      onStep: (step, report) => {
        if (!report)
          console.log(`▶ ${step.id}  ${step.command.split('\n').find((line) => !line.trim().startsWith('#')) ?? ''}`)
        else if (report.result === 'not-run') console.log(`– ${step.id}  not run: ${describeNotRun(report.reason)}`)
        else
          console.log(
            `${report.result === 'passed' ? '✔' : '✖'} ${step.id}  ${report.seconds.toFixed(1)} s${report.recorded ? ', recorded' : ''}${report.problems.map((problem) => `\n  ${describeStepProblem(problem)}`).join('')}`,
          )
      },
    })
  } finally {
    await stage.end()
    await screenshotter.close()
  }

  const date = new Date().toISOString()
  const entries = fileEntries(reports)
  const text = `${JSON.stringify({ deck: deck.title, profile: profile.name, date, steps: entries } satisfies RehearsalFile, undefined, 2)}\n`
  const xml = junit(deck.title, profile.name, date, reports)
  // Steps that did not run keep their results of the previous rehearsal.
  const merged = entries.map((entry) =>
    entry.result === 'not-run' ? (previous?.steps.find(({ step }) => step === entry.step) ?? entry) : entry,
  )
  const others = previous?.steps.filter(({ step }) => !reports.some((report) => report.step === step)) ?? []
  await writeFile(
    file,
    JSON.stringify({
      deck: deck.title,
      profile: profile.name,
      date,
      steps: [...merged, ...others],
    } satisfies RehearsalFile),
  )
  for (const [path, content] of [
    [options.json ?? join(paths.rehearsals, 'last.json'), text],
    [options.junit ?? join(paths.rehearsals, 'last.xml'), xml],
  ] as const)
    await writeFile(path, content)

  const count = (result: StepReport['result']) => reports.filter((report) => report.result === result).length
  console.log(
    `\n${table(reports, previous)}\n\n${count('passed')} passed, ${count('failed')} failed, ${count('not-run')} not run`,
  )
  console.log(
    `Written: ${options.json ?? join(paths.rehearsals, 'last.json')} and ${options.junit ?? join(paths.rehearsals, 'last.xml')}`,
  )
  signal.throwIfAborted()
  return { succeeded: count('failed') === 0 && count('passed') > 0, reports, profile: profile.name }
}

/**
 * The steps to run, in the deck's order.
 *
 * @throws Error if a step does not exist or none remains
 */
function chooseSteps(deck: Deck, { steps, startAt }: RehearseOptions): Step[] {
  for (const id of [...steps, ...(startAt === undefined ? [] : [startAt])])
    if (!deck.steps.has(id))
      throw new Error(`Unknown step "${id}". Steps of this deck: ${[...deck.steps.keys()].join(', ')}.`)
  const all = [...deck.steps.values()]
  const rest = startAt === undefined ? all : all.slice(all.findIndex(({ id }) => id === startAt))
  const chosen = steps.length === 0 ? rest : rest.filter(({ id }) => steps.includes(id))
  if (chosen.length === 0) throw new Error('No steps to rehearse.')
  return chosen
}

/**
 * The store for recordings, and the facts that are saved with each.
 *
 * @returns undefined if the workdir has edits, because recordings would not show the deck's flake
 */
async function recordingTarget({ flake, paths, profile, executor, env }: StageContext, folder: string) {
  const edited = await editedFiles(paths.workdir)
  if (edited.length > 0) {
    console.log(
      `No recordings are saved, since the workdir has edits (${edited.join(', ')}). "Reset the stage" discards them.`,
    )
    return undefined
  }
  await prepareStep(profile, executor)
  return {
    recordings: new RecordingStore(folder),
    facts: {
      profile: profile.name,
      ...(await nixVersions(paths.workdir, env)),
      flake: await fingerprint(flake, profile.name === 'nixos'),
    },
  }
}

/** Deletes the results of the steps' builds from the Nix store, and prints those that cannot be deleted. */
async function forceRebuilds(
  { paths, env, profile, executor }: StageContext,
  steps: Step[],
  signal: AbortSignal,
): Promise<void> {
  await prepareStep(profile, executor)
  const installables = new Set(steps.flatMap(({ contract }) => contract.needs.installables))
  for (const { installable, roots } of await deleteBuildResults({ workdir: paths.workdir, env, signal }, installables))
    console.log(`${installable} is not rebuilt, since it is used by ${roots.join(', ') || 'another store path'}.`)
}
