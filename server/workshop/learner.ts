import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Deck } from '../deck/deck.ts'
import type { Executor } from '../executor/executor.ts'
import { prepareStep, type ProfileRuntime } from '../environment/profile.ts'
import type { Recordings } from '../recording/recordings.ts'
import { Stage } from '../steps/stage.ts'
import { fingerprint, resetWorkdir } from '../environment/workdir.ts'
import { claim } from '../lib/lock-file.ts'
import { Copy } from './workspace.ts'
import { Course } from './course.ts'
import { History } from './history.ts'
import { Progress } from './progress.ts'

export interface LearnerOptions {
  /** Tells learners apart; it stands in links and file names. */
  name: string
  /** Absolute. */
  folder: string
  deck: Deck
  /** The deck's flake, absolute. */
  flake: string
  profile: ProfileRuntime
  /** Runs shells and scripts in the copy. */
  executor: Executor
  gated: boolean
  secrets?: readonly string[]
  recordings?: Recordings
}

/** Where the copy of the learner of a folder is. */
export function copyIn(folder: string): string {
  return join(folder, 'copy')
}

/**
 * Makes the copy of a learner, unless it is there: what a learner has done is never thrown away by a start.
 *
 * @throws an Error where there is no git
 */
export async function prepareCopy(flake: string, folder: string): Promise<'made' | 'kept'> {
  if (existsSync(copyIn(folder))) return 'kept'
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await resetWorkdir(flake, copyIn(folder))
  if (!existsSync(join(copyIn(folder), '.git'))) {
    await rm(copyIn(folder), { recursive: true })
    throw new Error('The workshop keeps what you do in git, which is not installed. Install it: apt-get install git')
  }
  await writeFile(join(folder, 'source'), await fingerprint(flake, true))
  return 'made'
}

/**
 * One learner of a workshop: a stage, a course, and what is kept of both in a folder of its own:
 *
 *     copy/           the copy of the flake: a git work tree, in which the steps and the tasks run
 *     history.git/    its states (see `History`)
 *     progress.json   how far the learner is
 *     source          which flake the copy was made of
 *     server.json     the process that has the folder open
 */
export class Learner {
  readonly name: string
  readonly stage: Stage
  readonly course: Course
  private readonly release: () => Promise<void>

  private constructor(name: string, stage: Stage, course: Course, release: () => Promise<void>) {
    this.name = name
    this.stage = stage
    this.course = course
    this.release = release
  }

  /**
   * Opens what the folder of a learner has, and makes what it lacks.
   *
   * @throws an Error where another server has it open
   */
  static async open({
    name,
    folder,
    deck,
    flake,
    profile,
    executor,
    gated,
    secrets,
    recordings,
  }: LearnerOptions): Promise<Learner> {
    const workdir = copyIn(folder)
    const release = await claim(folder)
    await prepareCopy(flake, folder)
    await prepareStep(profile, executor)
    const history = new History(join(folder, 'history.git'), workdir)
    await history.prepare()
    const course = new Course({
      deck,
      profile: profile.name,
      executor,
      copy: new Copy(workdir, history, join(folder, 'scratch')),
      progress: await Progress.read(join(folder, 'progress.json')),
      gated,
      beforeScript: () => prepareStep(profile, executor),
      notices: await movedOn(flake, folder),
    })
    await course.begin()
    const stage = new Stage({
      deck,
      profile,
      executor,
      resetWorkdir: () => course.resetCopy(false),
      ...(secrets && { secrets }),
      ...(recordings && { recordings }),
    })
    await stage.checkRequirements()
    return new Learner(name, stage, course, release)
  }

  /** Ends every process of this learner. */
  async end(): Promise<void> {
    await this.course.end()
    await this.stage.end()
    await this.release()
  }
}

async function movedOn(flake: string, folder: string): Promise<string[]> {
  const source = await readFile(join(folder, 'source'), 'utf8').catch(() => undefined)
  if (source === undefined || source === (await fingerprint(flake, true))) return []
  return [
    `The talk's flake has changed since your copy was made. Your copy stays as it is; to begin with the new one, end the workshop and move the folder ${folder} away.`,
  ]
}
