import { homedir } from 'node:os'
import { join } from 'node:path'
import { Listr } from 'listr2'
import type { Profile } from '../deck/contract.ts'
import { readDeck } from '../deck/deck.ts'
import { LocalExecutor } from '../executor/local.ts'
import { interruptSignal } from '../interrupt.ts'
import { deckPaths } from '../paths.ts'
import { describeHolder, isFree } from '../ports.ts'
import { TalkServer } from '../server.ts'
import { prepareGround, progress } from '../setting.ts'
import { openInBrowser } from '../start.ts'
import { learnerToken } from '../token.ts'
import { copyIn, Learner, prepareCopy } from '../workshop/learner.ts'

export interface WorkshopOptions {
  /** The deck, absolute. */
  deck: string
  port: number
  /** Chosen by what this machine has, unless given. */
  profile?: Profile
  /** Install system packages without asking. */
  yes: boolean
  /** Open slides and tasks one after the other. */
  gate: boolean
  /** Open a browser where there is one. */
  open: boolean
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
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  const { port, gate } = options
  if (!(await isFree(port))) throw new Error(`${await describeHolder(port)}, or choose another: npm run workshop -- --port ${port + 1}`)

  const cleanUps: (() => Promise<void>)[] = []
  try {
    const folder = join(deckPaths(deck.file).learners, ALONE)
    const flake = join(deck.file, '..', 'nix')
    const ground = await prepareGround({ ...options, deck, copy: { folder: copyIn(folder), prepare: () => prepareCopy(flake, folder) } }, signal)
    const { paths, profile, env, ledger, secrets, recordings, notices } = ground
    const executor = new LocalExecutor({ cwd: copyIn(folder), env, ledger })
    const learner = await Learner.open({ name: ALONE, folder, deck, flake, profile, executor, gated: gate, secrets, recordings })
    cleanUps.push(() => learner.end())

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
    cleanUps.push(() => server.close())
    await new Listr([{ title: 'Build the deck (half a minute after an edit)', task: () => server.build(signal) }], progress).run()
    signal.throwIfAborted()
    const link = (await server.open()).learners.get(ALONE) ?? ''

    for (const notice of [...notices, ...learner.course.info().notices]) console.log(notice)
    console.log(`\n  ${deck.title}\n\n  Workshop   ${link}\n  Your copy  ${copyIn(folder).replace(homedir(), '~')}\n             It stays, with your progress, until you remove ${folder.replace(homedir(), '~')}\n\n  Ctrl-C ends the workshop and everything it started.\n`)
    if (options.open) await openInBrowser(link)
    await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }))
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    // The front door first, so that no window starts anything while the rest ends.
    for (const cleanUp of cleanUps.reverse()) await cleanUp()
  }
}
