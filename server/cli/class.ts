import { constants, existsSync } from 'node:fs'
import { copyFile, realpath, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseCommandString } from 'execa'
import { Listr, type ListrTask } from 'listr2'
import type { Deck } from '../deck/deck.ts'
import {
  availableEngines,
  Container,
  type Engine,
  ENGINE_PACKAGES,
  findEngine,
  removeContainers,
} from '../executor/container.ts'
import type { Executor } from '../executor/executor.ts'
import { ProcessRegistry } from '../executor/process-registry.ts'
import { PrefixExecutor } from '../executor/prefix.ts'
import { deckPaths, packageRoot } from '../lib/paths.ts'
import { TalkServer } from '../http/server.ts'
import { listen, openInBrowser, serve } from '../http/serving.ts'
import { progress, type RuntimeContext } from '../environment/runtime-context.ts'
import { openStage } from '../steps/open-stage.ts'
import { offerPackages } from '../environment/system-packages.ts'
import { accessToken, learnerToken } from '../http/token.ts'
import { claim } from '../lib/lock-file.ts'
import { fingerprint } from '../environment/workdir.ts'
import { admit, knownNeed, measureNeed, thisMachine } from '../workshop/capacity.ts'
import { copyIn, Learner, prepareCopy } from '../workshop/learner.ts'
import type { WorkshopOptions } from './workshop.ts'

export interface ClassOptions extends WorkshopOptions {
  /** Tell the learners apart; they stand in links and file names. */
  learners: string[]
  /** `https://<host>`: where a proxy on this machine serves it. */
  at?: string
  /** `https://*.<domain>`: what that proxy calls the pages of steps. */
  pagesAt?: string
  /** What has the shells of a learner run elsewhere, with `{learner}` for the name; absent: in containers on this machine. */
  commandPrefix?: string
  /** The same where there is a terminal; absent: as `commandPrefix`. */
  terminalPrefix?: string
}

/** Learners whose containers, or shells elsewhere, are opened at the same time. */
const AT_ONCE = 4

/**
 * Opens the workshop of a deck for several learners and who teaches them, and serves it until a signal ends it. Each learner has a container
 * on this machine, or a place that the operator's own command leads to.
 *
 * @returns once everything that was started has ended
 * @throws DeckError, BuildError or an Error whose message says what to do next
 */
export async function openClass(options: ClassOptions): Promise<void> {
  await serve(options, 'npm run workshop', async (serving) => {
    const { deck, signal, onShutdown } = serving
    const { port, gate, learners: names, commandPrefix } = options
    const engine = commandPrefix === undefined ? await makeEngine(deck, options.yes, signal) : undefined
    const setting = await openStage({ ...options, deck, fallBack: true }, signal)
    const { paths, flake, profile, secrets, recordings, notices, stage } = setting
    onShutdown(() => stage.end())
    onShutdown(await claim(paths.learners))
    if (engine) {
      const left = await removeContainers(engine, paths.learners)
      if (left > 0)
        console.log(`Removed ${left} container${left === 1 ? '' : 's'} that an earlier server had left behind.`)
    }

    const open = async (name: string): Promise<Opened> => {
      const folder = join(paths.learners, name)
      await prepareCopy(flake, folder)
      await lockAsHere(setting, folder)
      const place = engine
        ? await containerOf(name, folder, engine, setting)
        : await elsewhere(name, folder, options, setting)
      try {
        const learner = await Learner.open({
          name,
          folder,
          deck,
          flake,
          profile,
          executor: place.executor,
          gated: gate,
          recordings,
        })
        return { learner, executor: place.executor, end: () => learner.end().finally(place.end) }
      } catch (error) {
        await place.end()
        throw error
      }
    }

    const opened: Opened[] = []
    onShutdown(() => Promise.all(opened.map(({ end }) => end())))
    const steps = new Listr(
      [
        {
          title: 'Measure what this machine carries',
          enabled: () => engine !== undefined,
          task: async (_, task) => (task.title = await measure(names.length, open, setting, signal)),
        },
        {
          title: `Open the place${names.length === 1 ? '' : 's'} of ${names.length} learner${names.length === 1 ? '' : 's'}`,
          task: async (_, task) => {
            const waiting = [...names]
            const openNext = async (): Promise<void> => {
              const name = waiting.shift()
              if (name === undefined || signal.aborted) return
              opened.push(await open(name))
              task.output = `${opened.length} of ${names.length}: ${name}`
              await openNext()
            }
            const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, openNext))
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
      ...(options.at !== undefined && { at: options.at }),
      ...(options.pagesAt !== undefined && { pagesAt: options.pagesAt }),
      paths,
      log: console.log,
    })
    const { link, learners: links } = await listen(server, serving)

    for (const notice of notices) console.log(notice)
    const width = Math.max(...names.map((name) => name.length))
    const instructor = link.replace('/?', '/class?')
    console.log(
      `\n  ${deck.title}\n\n  Instructor  ${instructor}\n  Slides      ${link}\n\n  Learners, each with a link of their own:\n\n${names.map((name) => `    ${name.padEnd(width)}  ${links.get(name) ?? ''}\n`).join('')}\n  Their files are in ${paths.learners.replace(homedir(), '~')} and stay.\n  How learners on other machines come in: docs/workshop.md\n\n  Ctrl-C ends the workshop and everything it started.\n`,
    )
    if (options.open) await openInBrowser(instructor)
  })
}

/** A learner, where their shells run, and the end of both. */
interface Opened {
  learner: Learner
  executor: Executor
  end: () => Promise<void>
}

/**
 * Finds what runs containers, and installs it where it is missing.
 *
 * @throws an Error that says what to do where there is none
 */
async function makeEngine(deck: Deck, yes: boolean, signal: AbortSignal): Promise<Engine> {
  const install: ListrTask = {
    title: 'Containers for the learners',
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
  const there = await availableEngines()
  if (there.length > 0) return findEngine(there)
  await new Listr([install], progress).run()
  return findEngine()
}

/** Where the shells of a learner run. */
type Place = Pick<Opened, 'executor' | 'end'>

/** A container on this machine, which sees what the profile has prepared. Nothing of the operator's environment is in it. */
async function containerOf(
  name: string,
  folder: string,
  engine: Engine,
  { paths, profile, registry }: RuntimeContext,
): Promise<Place> {
  const lab = join(paths.cache, 'lab')
  const sees =
    profile.name === 'lab' && existsSync(lab) ? [lab, await realpath(lab), join(packageRoot, 'nix', 'lab')] : []
  const container = new Container(engine, {
    name,
    workshop: paths.learners,
    folder,
    cwd: copyIn(folder),
    readOnlyPaths: sees,
    env: { PATH: process.env.PATH ?? '', ...profile.env },
    registry,
    // nixpkgs comes over it, unless it was fetched before.
    network: profile.name === 'nixos' && !profile.prefetched,
  })
  return { executor: container.executor, end: () => container.end() }
}

/**
 * Where the operator's own command leads to.
 *
 * @throws an Error where it cannot be run, or does not lead to the learner's files
 */
async function elsewhere(
  name: string,
  folder: string,
  { commandPrefix = '', terminalPrefix = commandPrefix }: ClassOptions,
  { profile, registry }: RuntimeContext,
): Promise<Place> {
  const words = (command: string) => parseCommandString(command).map((word) => word.replaceAll('{learner}', name))
  const cwd = copyIn(folder)
  const executor = new PrefixExecutor({
    prefix: (terminal) => words(terminal ? terminalPrefix : commandPrefix),
    cwd,
    env: profile.env,
    registry,
  })
  const { exit, output } = await executor.script('test -d .git', REACHED)
  if (exit !== 0) {
    await executor.close()
    throw new Error(
      `${words(commandPrefix).join(' ')} does not lead to the files of ${name}, which must be there by the same path, ${cwd}. ${output}`,
    )
  }
  return { executor, end: () => executor.close() }
}

/** Seconds in which a place elsewhere must answer. */
const REACHED = 30

/** The flake was locked on this machine: a learner's copy without a lock would have another nixpkgs, or none. */
async function lockAsHere({ profile, paths }: RuntimeContext, folder: string): Promise<void> {
  const lock = join(paths.workdir, 'flake.lock')
  if (profile.name !== 'nixos' || !existsSync(lock)) return
  await copyFile(lock, join(copyIn(folder), 'flake.lock'), constants.COPYFILE_EXCL).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    },
  )
}

/** A learner's name that none has: who is measured. */
const TRIAL = 'trial'

/**
 * Finds out whether this machine carries so many learners.
 *
 * @returns what was found, in a line
 * @throws an Error with the figures where it does not
 */
async function measure(
  wanted: number,
  open: (name: string) => Promise<Opened>,
  { deck, paths, flake, profile }: RuntimeContext,
  signal: AbortSignal,
): Promise<string> {
  const machine = await thisMachine(paths.learners)
  const folder = join(paths.learners, TRIAL)
  const need = await knownNeed(
    paths.need,
    `${profile.name} ${machine.processors} ${deck.version} ${await fingerprint(flake, true)}`,
    async () => {
      await rm(folder, { recursive: true, force: true })
      const trial = await open(TRIAL)
      // What it is doing is given up then.
      const abort = () => void trial.learner.course.end()
      signal.addEventListener('abort', abort)
      try {
        signal.throwIfAborted()
        return await measureNeed(deck, trial.learner, trial.executor, folder)
      } finally {
        signal.removeEventListener('abort', abort)
        await trial.end()
        await rm(folder, { recursive: true, force: true })
      }
    },
  )
  return admit(wanted, need, machine, deck.tasks.size)
}
