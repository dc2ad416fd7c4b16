import { constants, existsSync } from 'node:fs'
import { copyFile, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Listr, type ListrTask } from 'listr2'
import type { Deck } from '../deck/deck.ts'
import { progress, type RuntimeContext } from '../environment/runtime-context.ts'
import { offerPackages } from '../environment/system-packages.ts'
import { fingerprint } from '../environment/workdir.ts'
import { availableEngines, type Engine, ENGINE_PACKAGES, findEngine, removeContainers } from '../executor/container.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { TalkServer } from '../http/server.ts'
import { listen, openInBrowser, serve } from '../http/serving.ts'
import { accessToken, learnerToken } from '../http/token.ts'
import { errorCode } from '../lib/error-code.ts'
import { lockFolder } from '../lib/folder-lock.ts'
import { deckPaths } from '../lib/paths.ts'
import { openStage } from '../steps/open-stage.ts'
import { cachedUsage, checkCapacity, measureUsage, readMachineResources } from '../workshop/capacity.ts'
import { Learner, prepareWorkspace, workspaceIn } from '../workshop/learner.ts'
import { createContainerRuntime, createRemoteExecutor, type LearnerRuntime } from '../workshop/learner-runtime.ts'
import type { WorkshopOptions } from './workshop.ts'

export interface ClassOptions extends WorkshopOptions {
  /** Unique names of the learners; used in links and file names. */
  learners: string[]
  /** Public URL of the reverse proxy on this machine: `https://<host>`. */
  publicUrl?: string
  /** The proxy's URL for the pages of steps: `https://*.<domain>`. */
  pageUrl?: string
  /**
   * Command that runs a learner's shells in another environment, with `{learner}` for the name. By default, containers.
   */
  commandPrefix?: string
  /** The prefix for shells with a terminal; `commandPrefix` if absent. */
  terminalPrefix?: string
}

/** Number of learner environments that are started at the same time. */
const CONCURRENT_STARTS = 4

/** Name of the temporary learner whose resource usage is measured; no other learner can have it. */
const TRIAL_LEARNER = 'trial'

/** A learner, and the environment of the learner's shells. */
interface OpenedLearner {
  learner: Learner
  runtime: LearnerRuntime
  close: () => Promise<void>
}

/**
 * Serves the workshop of a deck for a class until the process receives a signal. Each learner's shells run in a
 * container on this machine, or in an environment that the operator's own command reaches.
 *
 * @returns after all started processes have ended
 * @throws DeckError, BuildError, or an Error with instructions for the user
 */
export async function openClass(options: ClassOptions): Promise<void> {
  await serve(options, 'workshop', async (serving) => {
    const { deck, signal, onShutdown } = serving
    const { port, sequential, learners: names, commandPrefix, terminalPrefix } = options
    const engine = commandPrefix === undefined ? await prepareEngine(deck, options.yes, signal) : undefined
    const context = await openStage({ ...options, deck, fallBack: true }, signal)
    const { paths, flake, profile, secrets, recordings, notices, stage } = context
    onShutdown(() => stage.end())
    onShutdown(await lockFolder(paths.learners))
    if (engine) await removeOrphanedContainers(engine, paths.learners)

    const openLearner = async (name: string): Promise<OpenedLearner> => {
      const folder = join(paths.learners, name)
      await prepareWorkspace(flake, folder)
      await copyFlakeLock(context, folder)
      const runtime =
        commandPrefix !== undefined
          ? await createRemoteExecutor(name, folder, { commandPrefix, terminalPrefix }, context)
          : await createContainerRuntime(name, folder, engine ?? (await findEngine()), context)
      try {
        const { executor } = runtime
        const learner = await Learner.open({ name, folder, deck, flake, profile, executor, sequential, recordings })
        return { learner, runtime, close: () => learner.close().finally(runtime.close) }
      } catch (error) {
        await runtime.close()
        throw error
      }
    }

    const opened: OpenedLearner[] = []
    onShutdown(() => Promise.all(opened.map(({ close }) => close())))
    const steps = new Listr(
      [
        {
          title: 'Measure the capacity of this machine',
          enabled: () => engine !== undefined,
          task: async (_, task) => {
            task.title = await measureCapacity(names.length, openLearner, context, signal)
          },
        },
        {
          title: `Start ${names.length} learner environment${names.length === 1 ? '' : 's'}`,
          task: async (_, task) => {
            const remaining = [...names]
            const openNext = async (): Promise<void> => {
              const name = remaining.shift()
              if (name === undefined || signal.aborted) return
              opened.push(await openLearner(name))
              task.output = `${opened.length} of ${names.length}: ${name}`
              await openNext()
            }
            const results = await Promise.allSettled(Array.from({ length: CONCURRENT_STARTS }, openNext))
            for (const result of results) if (result.status === 'rejected') throw result.reason
          },
        },
      ],
      progress,
    )
    await steps.run()
    signal.throwIfAborted()
    const learners = opened.map(({ learner }) => learner).sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))

    const server = new TalkServer({
      deck,
      port,
      token: await accessToken(paths.token),
      stage,
      learners: await Promise.all(
        learners.map(async (learner) => ({ learner, token: await learnerToken(paths.token, learner.name) })),
      ),
      secrets,
      profile,
      built: `${paths.built}-workshop`,
      recordings,
      ...(options.publicUrl !== undefined && { publicUrl: options.publicUrl }),
      ...(options.pageUrl !== undefined && { pageUrl: options.pageUrl }),
      paths,
      log: console.log,
    })
    const { link, learners: links } = await listen(server, serving)

    for (const notice of notices) console.log(notice)
    const width = Math.max(...names.map((name) => name.length))
    const instructor = link.replace('/?', '/class?')
    const learnerLinks = names.map((name) => `    ${name.padEnd(width)}  ${links.get(name) ?? ''}\n`).join('')
    console.log(
      `\n  ${deck.title}\n\n  Instructor  ${instructor}\n  Slides      ${link}\n\n  Links of the learners:\n\n${learnerLinks}\n  The learners' files stay in ${paths.learners.replace(homedir(), '~')}\n  To let learners connect from other machines, see docs/workshop.md.\n\n  Press Ctrl-C to stop the workshop and everything it started.\n`,
    )
    if (options.open) await openInBrowser(instructor)
  })
}

/**
 * Finds a container engine, and installs one if none is available.
 *
 * @throws an Error with instructions if the installation fails or is declined
 */
async function prepareEngine(deck: Deck, yes: boolean, signal: AbortSignal): Promise<Engine> {
  const install: ListrTask = {
    title: 'Install a container engine',
    task: async (_, task) => {
      const problem = await offerPackages(
        task,
        'A class',
        ENGINE_PACKAGES,
        yes,
        signal,
        new ProcessRegistry(deckPaths(deck.file).registry),
      )
      if (problem !== undefined) throw new Error(`${problem}\nSee docs/workshop.md for classes without containers.`)
    },
  }
  const engines = await availableEngines()
  if (engines.length > 0) return findEngine(engines)
  await new Listr([install], progress).run()
  return findEngine()
}

async function removeOrphanedContainers(engine: Engine, workshop: string): Promise<void> {
  const count = await removeContainers(engine, workshop)
  if (count > 0) console.log(`Removed ${count} container${count === 1 ? '' : 's'} left behind by an earlier server.`)
}

/**
 * Copies the lock file of the workdir to a learner's workspace: without it, Nix would lock other inputs, or require a
 * network.
 */
async function copyFlakeLock({ profile, paths }: RuntimeContext, folder: string): Promise<void> {
  const lock = join(paths.workdir, 'flake.lock')
  if (profile.name !== 'nixos' || !existsSync(lock)) return
  const destination = join(workspaceIn(folder), 'flake.lock')
  await copyFile(lock, destination, constants.COPYFILE_EXCL).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error
  })
}

/**
 * Checks that this machine has the capacity for a class.
 *
 * @param learners number of learners
 * @returns the result in one line
 * @throws an Error with the figures if the capacity is too low
 */
async function measureCapacity(
  learners: number,
  openLearner: (name: string) => Promise<OpenedLearner>,
  { deck, paths, flake, profile }: RuntimeContext,
  signal: AbortSignal,
): Promise<string> {
  const machine = await readMachineResources(paths.learners)
  const folder = join(paths.learners, TRIAL_LEARNER)
  const key = `${profile.name} ${machine.processors} ${deck.version} ${await fingerprint(flake, true)}`
  const usage = await cachedUsage(paths.need, key, async () => {
    await rm(folder, { recursive: true, force: true })
    const trial = await openLearner(TRIAL_LEARNER)
    const cancel = () => void trial.learner.course.close()
    signal.addEventListener('abort', cancel)
    try {
      signal.throwIfAborted()
      return await measureUsage(deck, trial.learner, trial.runtime.executor, folder)
    } finally {
      signal.removeEventListener('abort', cancel)
      await trial.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
  return checkCapacity(learners, usage, machine, deck.tasks.size)
}
