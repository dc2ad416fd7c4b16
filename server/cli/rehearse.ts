import { describeStepProblem } from '../../shared/failures/step-problem.ts'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../lib/browser.ts'
import type { Profile } from '../../shared/deck/contract.ts'
import { type Deck, type Grid, readDeck, type Step } from '../deck/deck.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { json } from '../../shared/json.ts'
import { nix } from '../environment/nix/nix.ts'
import { nixVersions } from '../environment/nix/versions.ts'
import { RecordingStore } from '../recording/store.ts'
import { rehearse, type StepReport } from '../rehearsal/rehearsal.ts'
import type { RunResult } from '../steps/step-run.ts'
import { junit, rehearsalFile, type RehearsalFile, table, fileEntries } from '../rehearsal/rehearsal-report.ts'
import { describeNotRun } from '../rehearsal/not-run.ts'
import { prepareStep } from '../environment/profile.ts'
import { openStage, type StageContext } from '../steps/open-stage.ts'
import { editedFiles, fingerprint } from '../environment/workdir.ts'

export interface RehearseOptions {
  /** The deck, absolute. */
  deck: string
  /** Ids of the steps to run; all of them unless given. */
  steps: string[]
  /** The first step to run. */
  from?: string
  profile?: Profile
  yes: boolean
  keepGoing: boolean
  /** Seconds for all of it. */
  timeLimit?: number
  /** Where to write the report, besides the cache. */
  json?: string
  junit?: string
  /** Keep good runs as recordings beside the deck. */
  record: boolean
  /** Have Nix build again what the steps build, so that recordings show the work and not only its result. */
  fresh: boolean
  /** Where recordings are kept, absolute: beside the deck unless given. */
  recordings?: string
  /** Of the terminals: the deck's unless given. */
  grid?: Grid
  /** Given the recording of a step that failed. */
  onFailure?: (step: Step, result: RunResult, cast: string, profile: Profile) => Promise<void>
}

/** What a rehearsal has found. */
export interface Rehearsal {
  /** No step failed, and at least one passed. */
  succeeded: boolean
  reports: StepReport[]
  /** What the steps ran against. */
  profile: Profile
}

/**
 * Rehearses the deck and prints what each step did against its contract.
 *
 * @throws DeckError or an Error whose message says what to do next
 */
export async function rehearseDeck(options: RehearseOptions, signal = interruptSignal()): Promise<Rehearsal> {
  const read = await readDeck(options.deck)
  const deck = { ...read, grid: options.grid ?? read.grid }
  const steps = choose(deck, options)
  const setting = await openStage({ ...options, deck }, signal)
  const { paths, profile, stage, executor, secrets } = setting
  for (const notice of setting.notices) console.log(notice)

  await mkdir(paths.rehearsals, { recursive: true, mode: 0o700 })
  const file = join(paths.rehearsals, `${profile.name}.json`)
  const last = rehearsalFile.safeParse(json(await readFile(file, 'utf8').catch(() => ''))).data
  const store = options.record
    ? await recordings(setting, options.recordings ?? join(dirname(deck.file), 'recordings'))
    : undefined
  if (options.fresh) await forgetResults(setting, steps, signal)
  const screenshotter = new Screenshotter()
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
      thumbnail: (url) => screenshotter.capture(url),
      onFailure: async (step, result, cast) => options.onFailure?.(step, result, cast, profile.name),
      signal,
      onStep: (step, report) => {
        if (!report)
          console.log(`▶ ${step.id}  ${step.command.split('\n').find((line) => !line.trim().startsWith('#')) ?? ''}`)
        else if (report.result === 'not-run') console.log(`– ${step.id}: not run. ${describeNotRun(report.reason)}`)
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
  // A rehearsal of some steps does not forget what the others took.
  const merged = entries.map((entry) =>
    entry.result === 'not-run' ? (last?.steps.find(({ step }) => step === entry.step) ?? entry) : entry,
  )
  const others = last?.steps.filter(({ step }) => !reports.some((report) => report.step === step)) ?? []
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
    `\n${table(reports, last)}\n\n${count('passed')} passed, ${count('failed')} failed, ${count('not-run')} not run`,
  )
  console.log(
    `Written: ${options.json ?? join(paths.rehearsals, 'last.json')} and ${options.junit ?? join(paths.rehearsals, 'last.xml')}`,
  )
  signal.throwIfAborted()
  return { succeeded: count('failed') === 0 && count('passed') > 0, reports, profile: profile.name }
}

/** The steps that were asked for, in the deck's order. */
function choose(deck: Deck, { steps, from }: RehearseOptions): Step[] {
  for (const id of [...steps, ...(from === undefined ? [] : [from])])
    if (!deck.steps.has(id))
      throw new Error(`This deck has no step "${id}". It has: ${[...deck.steps.keys()].join(', ')}.`)
  const all = [...deck.steps.values()]
  const rest = from === undefined ? all : all.slice(all.findIndex(({ id }) => id === from))
  const chosen = steps.length === 0 ? rest : rest.filter(({ id }) => steps.includes(id))
  if (chosen.length === 0) throw new Error('There is no step to rehearse.')
  return chosen
}

/** Where good runs are kept. A workdir with edits gives none: its recordings would show what the deck's flake does not do. */
async function recordings({ flake, paths, profile, executor, env }: StageContext, folder: string) {
  const edited = await editedFiles(paths.workdir)
  if (edited.length > 0) {
    console.log(`Nothing is recorded: the workdir has edits (${edited.join(', ')}). "Reset the stage" makes it anew.`)
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

/** Removes from the store what the steps make Nix build. What something else needs stays, and is named. */
async function forgetResults(
  { paths, env, profile, executor }: StageContext,
  steps: Step[],
  signal: AbortSignal,
): Promise<void> {
  const place = { workdir: paths.workdir, env, signal }
  await prepareStep(profile, executor)
  for (const name of await readdir(paths.workdir)) if (/^result(-|$)/.test(name)) await rm(join(paths.workdir, name))
  for (const installable of new Set(steps.flatMap(({ contract }) => contract.needs.installables))) {
    const path = await nix(place, 'nix', ['eval', '--raw', `${installable}.outPath`]).catch(() => '')
    if (path === '' || !existsSync(path)) continue
    await nix(place, 'nix-store', ['--delete', path]).catch(async () => {
      const roots = (await nix(place, 'nix-store', ['--query', '--roots', path]).catch(() => ''))
        .split('\n')
        .filter(Boolean)
      console.log(
        `${installable} is not built again: ${roots.length > 0 ? `${roots.map((root) => root.split(' -> ')[0]).join(', ')} keeps it` : 'something else needs it'}.`,
      )
    })
  }
}

/** Captures thumbnails of pages. Without Chromium, it prints one notice and captures nothing. */
class Screenshotter {
  private browser: Promise<Browser | undefined> | undefined

  async capture(url: string): Promise<Buffer | undefined> {
    this.browser ??= launchBrowser().catch((error: unknown) => {
      console.log(`No thumbnails of pages: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    })
    const page = await (await this.browser)?.newPage({ viewport: { width: 960, height: 600 } })
    try {
      await page?.goto(url, { waitUntil: 'networkidle', timeout: 15_000 })
      return await page?.screenshot({ type: 'png' })
    } catch (error) {
      console.log(`No thumbnail of ${url}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
      return undefined
    } finally {
      await page?.close()
    }
  }

  async close(): Promise<void> {
    await (await this.browser)?.close()
  }
}
