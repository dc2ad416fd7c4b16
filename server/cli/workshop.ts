import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Profile } from '../../shared/deck/contract.ts'
import { prepareRuntime } from '../environment/runtime-context.ts'
import { LocalExecutor } from '../executor/local.ts'
import { TalkServer } from '../http/server.ts'
import { listen, openInBrowser, serve, type ServingOptions } from '../http/serving.ts'
import { learnerToken } from '../http/token.ts'
import { deckPaths } from '../lib/paths.ts'
import { Learner, prepareWorkspace, workspaceIn } from '../workshop/learner.ts'

export interface WorkshopOptions extends ServingOptions {
  /** If absent, it is chosen by the programs on this machine. */
  profile?: Profile
  /** Install system packages without asking. */
  yes: boolean
  /** Open slides and tasks in order. */
  sequential: boolean
}

/** Name of the only learner of a workshop without a class. */
const SINGLE_LEARNER = 'me'

/**
 * Serves the workshop of a deck for one learner until the process receives a signal.
 *
 * @returns after all started processes have ended
 * @throws DeckError, BuildError, or an Error with instructions for the user
 */
export async function openWorkshop(options: WorkshopOptions): Promise<void> {
  await serve(options, 'workshop', async (serving) => {
    const { deck, signal, onShutdown } = serving
    const { port, sequential } = options
    const folder = join(deckPaths(deck.file).learners, SINGLE_LEARNER)
    const workspace = workspaceIn(folder)
    const flake = join(deck.file, '..', 'nix')
    const runtime = await prepareRuntime(
      { ...options, deck, workspace: { folder: workspace, prepare: () => prepareWorkspace(flake, folder) } },
      signal,
    )
    const { paths, profile, env, registry, secrets, recordings, notices } = runtime
    const learner = await Learner.open({
      name: SINGLE_LEARNER,
      folder,
      deck,
      flake,
      profile,
      executor: new LocalExecutor({ cwd: workspace, env, registry }),
      sequential,
      secrets,
      recordings,
    })
    onShutdown(() => learner.close())

    const server = new TalkServer({
      deck,
      port,
      learners: [{ learner, token: await learnerToken(paths.token, SINGLE_LEARNER) }],
      secrets,
      profile,
      // Builds of the talk do not include the learner's page.
      built: `${paths.built}-workshop`,
      recordings,
      paths,
      log: console.log,
    })
    const link = (await listen(server, serving)).learners.get(SINGLE_LEARNER) ?? ''

    for (const notice of [...notices, ...learner.course.info().notices]) console.log(notice)
    const display = (path: string) => path.replace(homedir(), '~')
    console.log(
      `\n  ${deck.title}\n\n  Workshop   ${link}\n  Workspace  ${display(workspace)}\n             Your files and progress are kept there. To start over, remove ${display(folder)}\n\n  Press Ctrl-C to stop the workshop and everything it started.\n`,
    )
    if (options.open) await openInBrowser(link)
  })
}
