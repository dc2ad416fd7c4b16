import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Profile } from '../../shared/deck/contract.ts'
import { LocalExecutor } from '../executor/local.ts'
import { deckPaths } from '../lib/paths.ts'
import { TalkServer } from '../http/server.ts'
import { listen, openInBrowser, serve, type ServingOptions } from '../http/serving.ts'
import { prepareRuntime } from '../environment/runtime-context.ts'
import { learnerToken } from '../http/token.ts'
import { copyIn, Learner, prepareCopy } from '../workshop/learner.ts'

export interface WorkshopOptions extends ServingOptions {
  /** Chosen by what this machine has, unless given. */
  profile?: Profile
  /** Install system packages without asking. */
  yes: boolean
  /** Open slides and tasks one after the other. */
  gate: boolean
}

/** The learner who is alone on this machine. */
const ALONE = 'me'

/**
 * Opens the workshop of a deck for one learner and serves it until a signal ends it.
 *
 * @returns once everything that was started has ended
 * @throws DeckError, BuildError or an Error whose message says what to do next
 */
export async function openWorkshop(options: WorkshopOptions): Promise<void> {
  await serve(options, 'npm run workshop', async (serving) => {
    const { deck, signal, onShutdown } = serving
    const { port, gate } = options
    const folder = join(deckPaths(deck.file).learners, ALONE)
    const flake = join(deck.file, '..', 'nix')
    const runtime = await prepareRuntime(
      { ...options, deck, copy: { folder: copyIn(folder), prepare: () => prepareCopy(flake, folder) } },
      signal,
    )
    const { paths, profile, env, registry, secrets, recordings, notices } = runtime
    const executor = new LocalExecutor({ cwd: copyIn(folder), env, registry })
    const learner = await Learner.open({
      name: ALONE,
      folder,
      deck,
      flake,
      profile,
      executor,
      gated: gate,
      secrets,
      recordings,
    })
    onShutdown(() => learner.end())

    const server = new TalkServer({
      deck,
      port,
      learners: [{ learner, token: await learnerToken(paths.token, ALONE) }],
      secrets,
      profile,
      // The learner's page is in no other build.
      built: `${paths.built}-workshop`,
      recordings,
      paths,
      log: console.log,
    })
    const link = (await listen(server, serving)).learners.get(ALONE) ?? ''

    for (const notice of [...notices, ...learner.course.info().notices]) console.log(notice)
    console.log(
      `\n  ${deck.title}\n\n  Workshop   ${link}\n  Your copy  ${copyIn(folder).replace(homedir(), '~')}\n             It stays, with your progress, until you remove ${folder.replace(homedir(), '~')}\n\n  Ctrl-C ends the workshop and everything it started.\n`,
    )
    if (options.open) await openInBrowser(link)
  })
}
