import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { Listr, LISTR_LOGGER_STDERR_LEVELS, ListrLogger, ListrLogLevels, type ListrTask } from 'listr2'
import type { Profile } from '../../shared/deck/contract.ts'
import type { Deck } from '../deck/deck.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { type DeckPaths, deckPaths } from '../lib/paths.ts'
import { Recordings } from '../recording/recordings.ts'
import {
  chooseProfile,
  hostProfile,
  labProfile,
  missingLabPackages,
  nixosProfile,
  type ProfileRuntime,
  shellEnvironment,
} from './profile.ts'
import { offerPackages } from './system-packages.ts'
import { fingerprint, prepareWorkdir } from './workdir.ts'

export interface RuntimeOptions {
  deck: Deck
  /** If absent, it is chosen by the programs on this machine. */
  profile?: Profile | undefined
  /** Install system packages without asking. */
  yes: boolean
  /**
   * The workspace of a learner, which a workshop uses instead of the deck's workdir. `prepare` creates it if it is
   * missing.
   */
  workspace?: { folder: string; prepare: () => Promise<unknown> }
}

/** Everything that shells and scripts need to run: the profile, its environment, and the folders of the deck. */
export interface RuntimeContext {
  deck: Deck
  paths: DeckPaths
  /** The folder of the deck's flake, absolute; may not exist. */
  flake: string
  profile: ProfileRuntime
  /** Environment of the steps' shells. */
  env: Record<string, string>
  registry: ProcessRegistry
  recordings: Recordings
  /** Values to redact from recordings: those of the variables that the deck's contracts list. */
  secrets: string[]
  /** Messages for the user about restrictions. */
  notices: string[]
}

const FAILED: string = ListrLogLevels.FAILED

/** Marks a failed task without its error, which the command prints when it ends. */
class TaskLogger extends ListrLogger {
  override log(level: string, message: string, options?: Parameters<ListrLogger['log']>[2]): void {
    super.log(level, message, level === FAILED ? undefined : options)
  }
}

/** Options of progress displays. Each command handles signals itself, and prints its error once. */
export const progress = {
  rendererOptions: { showErrorMessage: false },
  fallbackRenderer: 'simple',
  fallbackRendererOptions: { logger: new TaskLogger({ useIcons: true, toStderr: LISTR_LOGGER_STDERR_LEVELS }) },
  registerSignalListeners: false,
} as const

/**
 * Prepares the environment of a deck: installs and prepares its profile, and creates its workdir or a learner's
 * workspace. Ends processes that an earlier server has left running.
 *
 * @throws an Error whose message contains the fix
 */
export async function prepareRuntime(options: RuntimeOptions, signal: AbortSignal): Promise<RuntimeContext> {
  const { deck, workspace } = options
  const own = deckPaths(deck.file)
  const paths = workspace ? { ...own, workdir: workspace.folder } : own
  const flake = join(dirname(deck.file), 'nix')
  const notices: string[] = []

  await mkdir(dirname(own.workdir), { recursive: true, mode: 0o700 })
  const registry = new ProcessRegistry(paths.registry)
  const orphans = await registry.endOrphans()
  if (orphans.length > 0)
    console.log(`Ended ${orphans.length} process${orphans.length === 1 ? '' : 'es'} of an earlier server.`)

  let name: Profile = 'host'
  let profile: ProfileRuntime | undefined
  const packages = { missing: false }
  const tasks: ListrTask[] = [
    {
      title: 'Choose the profile',
      task: async (_, task) => {
        name = options.profile ?? (existsSync(join(flake, 'flake.nix')) ? await chooseProfile(flake, signal) : 'host')
        task.title = `Profile: ${name}`
        if (name !== 'lab') return
        // The talk starts without the packages; the steps that require them are unavailable.
        const problem = await offerPackages(
          task,
          'The offline lab',
          await missingLabPackages(),
          options.yes,
          signal,
          registry,
        )
        if (problem) notices.push(problem)
        packages.missing = problem !== undefined
      },
    },
    {
      title: 'Prepare the workspace',
      enabled: () => workspace !== undefined,
      task: async (_, task) => {
        await workspace?.prepare()
        task.title = `Workspace: ${paths.workdir.replace(homedir(), '~')}`
      },
    },
    {
      title: 'Prepare the workdir',
      enabled: () => workspace === undefined,
      task: async (_, task) => {
        const state = await prepareWorkdir(flake, paths.workdir)
        task.title = `Workdir: ${paths.workdir.replace(homedir(), '~')}`
        if (state === 'created-without-git')
          notices.push('git is not installed: edits in the workdir are lost at the next start.')
        if (state === 'kept-with-edits')
          notices.push(
            'The workdir was kept because it has edits. "Reset the stage" on the presenter page recreates it.',
          )
      },
    },
    {
      title: 'Prepare the offline lab (about half a minute the first time)',
      enabled: () => name === 'lab',
      task: async (_, task) => {
        profile = await labProfile(paths.cache, (line) => (task.output = line), signal, registry)
        task.title = profile.problem
          ? 'The offline lab is not available; the reason is shown on each step that requires it'
          : 'The offline lab is ready'
      },
    },
    {
      title: 'Enter the development shell of the flake',
      enabled: () => name === 'nixos',
      task: async (_, task) => {
        profile = await nixosProfile(paths, (line) => (task.output = line), signal)
        if (profile.prefetched)
          task.title = `Development shell: prefetched on ${profile.prefetched.toLocaleString()}, downloads nothing`
      },
    },
  ]
  await new Listr(tasks, progress).run()
  signal.throwIfAborted()
  profile ??= hostProfile()
  // Without its packages, the lab's problem is that they are missing.
  for (const text of [packages.missing ? undefined : profile.problem, profile.notice])
    if (text !== undefined) notices.push(text)

  const declared = [...deck.steps.values()].flatMap((step) => step.contract.needs.env)
  const env = shellEnvironment(profile, declared)
  const secrets = declared.map((name) => env[name] ?? '').filter(Boolean)
  const recordings = new Recordings(join(dirname(deck.file), 'recordings'), profile.name, (of) =>
    fingerprint(flake, of === 'nixos'),
  )
  return { deck, paths, flake, profile, env, registry, recordings, secrets, notices }
}
