import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { Listr } from 'listr2'
import openBrowser from 'open'
import type { Profile } from './deck/contract.ts'
import { readDeck } from './deck/deck.ts'
import { Ledger } from './executor/ledger.ts'
import { LocalExecutor } from './executor/local.ts'
import { deckPaths } from './paths.ts'
import { describeHolder, isFree } from './ports.ts'
import { chooseProfile, labProfile, missingLabPackages, nixosProfile, type ProfileRuntime, shellEnvironment } from './profile.ts'
import { TalkServer } from './server.ts'
import { developDeck } from './slidev.ts'
import { Stage } from './stage.ts'
import { installPackages, mayInstall } from './system-packages.ts'
import { accessToken } from './token.ts'
import { prepareWorkdir, resetWorkdir } from './workdir.ts'

export interface StartOptions {
  /** The deck, absolute. */
  deck: string
  port: number
  /** Chosen by what this machine has, unless given. */
  profile?: Profile
  /** Install system packages without asking. */
  yes: boolean
  /** Open a browser where there is one. */
  open: boolean
  /** Serve Slidev's development server instead of the built deck. */
  develop: boolean
}

/**
 * Starts the talk and serves it until a signal ends it.
 *
 * @returns once everything that was started has ended
 * @throws DeckError, BuildError or an Error whose message says what to do next
 */
export async function start(options: StartOptions): Promise<void> {
  const paths = deckPaths(options.deck)
  const flake = join(dirname(options.deck), 'nix')
  const interrupted = new AbortController()
  const stop = () => interrupted.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)

  const deck = await readDeck(options.deck)
  if (!(await isFree(options.port))) throw new Error(`${await describeHolder(options.port)}, or choose another: npm start -- --port ${options.port + 1}`)

  await mkdir(dirname(paths.workdir), { recursive: true, mode: 0o700 })
  const ledger = new Ledger(paths.ledger)
  const left = await ledger.cleanUp()
  if (left.length > 0) console.log(`Ended ${left.length} process${left.length === 1 ? '' : 'es'} that an earlier server had left behind.`)

  const cleanUps: (() => Promise<void>)[] = []
  try {
    let profile: ProfileRuntime | undefined
    let notice = ''
    const tasks = new Listr(
      [
        {
          title: 'Choose the profile',
          task: async (_, task) => {
            const name = options.profile ?? (await chooseProfile(flake))
            task.title = `Profile: ${name}`
            if (name === 'nixos') {
              profile = nixosProfile()
              return
            }
            const missing = await missingLabPackages()
            if (missing.length === 0) return
            if (!(await mayInstall(missing, options.yes, interrupted.signal))) return
            task.title = `Profile: lab (installing ${missing.join(', ')})`
            const problem = await installPackages(missing, (line) => (task.output = line), interrupted.signal, ledger)
            if (problem) console.log(problem)
            task.title = 'Profile: lab'
          },
        },
        {
          title: 'Prepare the offline lab (about half a minute the first time)',
          enabled: () => profile === undefined,
          task: async (_, task) => {
            profile = await labProfile(paths.cache, (line) => (task.output = line), interrupted.signal, ledger)
            if (profile.problem) notice = profile.problem
            task.title = profile.problem ? 'The offline lab is not there: steps that need it say why' : 'The offline lab is ready'
          },
        },
        {
          title: 'Prepare the workdir',
          task: async (_, task) => {
            const state = await prepareWorkdir(flake, paths.workdir)
            task.title = `Workdir: ${paths.workdir.replace(homedir(), '~')}`
            if (state === 'kept-with-edits') notice = 'The workdir has edits and was kept. "Reset the stage" on the presenter page makes it anew.'
          },
        },
      ],
      progress,
    )
    await tasks.run()
    interrupted.signal.throwIfAborted()
    if (!profile) throw new Error('No profile was chosen.')

    const asked = [...deck.steps.values()].flatMap((step) => step.contract.needs.env)
    const executor = new LocalExecutor({ cwd: paths.workdir, env: shellEnvironment(profile, asked), ledger })
    const stage = new Stage({ deck, profile, executor, workdir: paths.workdir, resetWorkdir: () => resetWorkdir(flake, paths.workdir) })
    cleanUps.push(() => stage.end())
    await stage.checkNeeds()

    const develop = options.develop ? developDeck(options.deck, await freePort(), console.log) : undefined
    if (develop) cleanUps.push(() => develop.close())
    const server = new TalkServer({
      deck,
      port: options.port,
      token: await accessToken(paths.token),
      stage,
      profile,
      built: paths.built,
      ...(develop && { develop }),
      log: console.log,
    })
    cleanUps.push(() => server.close())
    await new Listr([{ title: 'Build the deck (half a minute after an edit)', task: () => server.build(interrupted.signal) }], progress).run()
    interrupted.signal.throwIfAborted()
    const link = await server.open()

    if (notice) console.log(notice)
    console.log(`\n  ${deck.title}\n\n  Slides     ${link}\n  Presenter  ${link.replace('/?', '/presenter/1?')}\n\n  Ctrl-C ends the talk and everything it started.\n`)
    if (options.open) await openInBrowser(link)
    await new Promise<void>((done) => interrupted.signal.addEventListener('abort', () => done(), { once: true }))
  } catch (error) {
    if (!interrupted.signal.aborted) throw error
  } finally {
    // The front door first, so that no window starts anything while the stage is cleared.
    for (const cleanUp of cleanUps.reverse()) await cleanUp()
  }
}

/** How long work is shown. Signals are handled in one place, by `start`. */
const progress = { fallbackRenderer: 'simple', registerSignalListeners: false } as const

/** Opens a browser where there is a screen to show it on; a talk does not fail for the lack of one. */
async function openInBrowser(link: string): Promise<void> {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return
  const child = await openBrowser(link).catch(() => undefined)
  child?.on('error', () => {})
}

async function freePort(): Promise<number> {
  for (let port = 43030; port < 43130; port++) if (await isFree(port)) return port
  throw new Error('No port between 43030 and 43129 is free for Slidev.')
}
