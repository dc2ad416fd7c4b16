import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Deck } from '../deck/deck.ts'
import { prepareStep, type ProfileRuntime } from '../environment/profile.ts'
import { fingerprint, resetWorkdir } from '../environment/workdir.ts'
import type { Executor } from '../executor/executor.ts'
import { lockFolder } from '../lib/folder-lock.ts'
import type { Recordings } from '../recording/recordings.ts'
import { Stage } from '../steps/stage.ts'
import { Course } from './course.ts'
import { Progress } from './progress.ts'
import { WorkspaceHistory } from './workspace-history.ts'
import { Workspace } from './workspace.ts'

export interface LearnerOptions {
  /** Unique; used in links and file names. */
  name: string
  /** The learner's folder, absolute. */
  folder: string
  deck: Deck
  /** The deck's flake, absolute. */
  flake: string
  profile: ProfileRuntime
  /** Runs shells and scripts in the workspace. */
  executor: Executor
  /** Whether slides and tasks open in order. */
  sequential: boolean
  secrets?: readonly string[]
  recordings?: Recordings
}

/** @returns the workspace in a learner's folder */
export function workspaceIn(folder: string): string {
  return join(folder, 'workspace')
}

/**
 * Creates the workspace of a learner. An existing one is kept: a start never discards a learner's work.
 *
 * @throws an Error if Git is not installed
 */
export async function prepareWorkspace(flake: string, folder: string): Promise<'created' | 'kept'> {
  const workspace = workspaceIn(folder)
  // Earlier versions used another name for the workspace folder.
  const formerWorkspace = join(folder, 'copy')
  if (!existsSync(workspace) && existsSync(formerWorkspace)) await rename(formerWorkspace, workspace)
  if (existsSync(workspace)) return 'kept'
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await resetWorkdir(flake, workspace)
  if (!existsSync(join(workspace, '.git'))) {
    await rm(workspace, { recursive: true })
    throw new Error('A workshop requires Git, which is not installed. Install it: apt-get install git')
  }
  await writeFile(join(folder, 'source'), await fingerprint(flake, true))
  return 'created'
}

/**
 * One learner of a workshop: a stage and a course. Both keep their files in the learner's folder:
 *
 *     workspace/      the learner's copy of the flake: a Git work tree in which steps and tasks run
 *     history.git/    states of the workspace (see `WorkspaceHistory`)
 *     progress.json   progress in the tasks
 *     source          fingerprint of the flake that the workspace was created from
 */
export class Learner {
  readonly name: string
  readonly stage: Stage
  readonly course: Course
  private readonly unlock: () => Promise<void>

  private constructor(name: string, stage: Stage, course: Course, unlock: () => Promise<void>) {
    this.name = name
    this.stage = stage
    this.course = course
    this.unlock = unlock
  }

  /**
   * Opens a learner's folder, and creates missing files in it.
   *
   * @throws FolderLockedError if another server has it open
   */
  static async open(options: LearnerOptions): Promise<Learner> {
    const unlock = await lockFolder(options.folder)
    try {
      const course = await openCourse(options)
      return new Learner(options.name, await openStage(options, course), course, unlock)
    } catch (error) {
      await unlock()
      throw error
    }
  }

  /** Ends every process of this learner. */
  async close(): Promise<void> {
    await this.course.close()
    await this.stage.end()
    await this.unlock()
  }
}

async function openCourse({ folder, deck, flake, profile, executor, sequential }: LearnerOptions): Promise<Course> {
  await prepareWorkspace(flake, folder)
  await prepareStep(profile, executor)
  const history = new WorkspaceHistory(join(folder, 'history.git'), workspaceIn(folder))
  await history.prepare()
  const course = new Course({
    deck,
    profile: profile.name,
    executor,
    workspace: new Workspace(workspaceIn(folder), history, join(folder, 'scratch')),
    progress: await Progress.read(join(folder, 'progress.json')),
    sequential,
    beforeScript: () => prepareStep(profile, executor),
    notices: await flakeNotices(flake, folder),
  })
  await course.load()
  return course
}

async function openStage(
  { deck, profile, executor, secrets, recordings }: LearnerOptions,
  course: Course,
): Promise<Stage> {
  const stage = new Stage({
    deck,
    profile,
    executor,
    resetWorkdir: () => course.resetWorkspace(false),
    ...(secrets && { secrets }),
    ...(recordings && { recordings }),
  })
  await stage.checkRequirements()
  return stage
}

async function flakeNotices(flake: string, folder: string): Promise<string[]> {
  const source = await readFile(join(folder, 'source'), 'utf8').catch(() => undefined)
  if (source === undefined || source === (await fingerprint(flake, true))) return []
  return [
    `The talk's flake has changed since your workspace was created. Your workspace was not updated. To start with the new flake, stop the workshop and move the folder ${folder} to another location.`,
  ]
}
