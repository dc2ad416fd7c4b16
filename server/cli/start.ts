import { commandLine } from '../../shared/command-line.ts'
import { join, resolve } from 'node:path'
import { renderUnicodeCompact } from 'uqr'
import type { Profile } from '../../shared/deck/contract.ts'
import { buildDeck } from '../deck/build.ts'
import { deckPaths, packageRoot } from '../lib/paths.ts'
import type { Sharing } from '../http/front-door.ts'
import { describeDeckProblem } from '../../shared/failures/deck-problem.ts'
import { findNameClashes } from '../deck/name-clashes.ts'
import { findRoots } from '../deck/roots.ts'
import { localAddress } from '../environment/network.ts'
import { isPortFree } from '../lib/network-probes.ts'
import { TalkServer } from '../http/server.ts'
import { listen, openInBrowser, serve, type Serving, type ServingOptions } from '../http/serving.ts'
import { openStage } from '../steps/open-stage.ts'
import { StepListFile } from '../deck/step-list.ts'
import { developDeck } from '../http/slidev-dev-server.ts'
import { accessToken, guestTokens } from '../http/token.ts'
import { printWarnings } from './warnings.ts'

export interface StartOptions extends ServingOptions {
  /** If absent, it is chosen by the programs on this machine. */
  profile?: Profile
  /** Install system packages without asking. */
  yes: boolean
  /** Serve Slidev's development server instead of the built deck. */
  develop: boolean
  /** Share the talk view-only on the local network. */
  share?: boolean
  /** The address of this machine to share at; by default that of the default route. Implies `share`. */
  shareAddress?: string
  /** Save a log of the talk as the audience sees it: in this file, or in the cache if `true`. */
  saveLog?: string | true
  /** Let a phone run steps over HTTP, which lets others on the network read its token. Implies `share`. */
  insecureRemote?: boolean
}

/** Ports for Slidev's development server, which only this server connects to. */
const MIN_SLIDEV_PORT = 43030
const MAX_SLIDEV_PORT = 43129

/**
 * Serves the talk until a signal stops it.
 *
 * @returns after all started processes have ended
 * @throws DeckError, BuildError or an Error whose message contains the fix
 */
export async function start(options: StartOptions): Promise<void> {
  await serve(options, 'start', async (serving) => {
    const { deck, signal, onShutdown } = serving
    printWarnings(deck)
    const share = await sharingOf(options)
    const prebuilt = options.develop ? undefined : prebuild(serving)
    const { paths, profile, stage, secrets, recordings, notices } = await openStage(
      { ...options, deck, fallBack: true, log: true },
      signal,
    )
    onShutdown(() => stage.end())

    const stepList = options.develop ? await StepListFile.create(deck.slides) : undefined
    onShutdown(async () => stepList?.remove())
    const develop = stepList && (await developDeck(options.deck, await freePort(), console.log, stepList.path))
    if (develop) onShutdown(() => develop.close())
    const server = new TalkServer({
      deck,
      port: options.port,
      token: await accessToken(paths.token),
      guests: await guestTokens(paths.token),
      ...(share && { share }),
      stage,
      secrets,
      profile,
      built: paths.built,
      recordings,
      paths,
      ...(develop && { develop, stepList }),
      log: console.log,
    })
    const { link, share: links } = await listen(server, serving, {
      title: develop && 'Start Slidev, which shows edits immediately',
      prebuilt,
    })
    if (options.saveLog !== undefined) {
      const file =
        options.saveLog === true
          ? join(paths.talks, `${new Date().toISOString().replaceAll(':', '-')}.jsonl`)
          : resolve(options.saveLog)
      const { audience: token } = await guestTokens(paths.token)
      const { TalkLog } = await import('../video/talk-log.ts')
      const log = await TalkLog.open({
        file,
        port: options.port,
        token,
        title: deck.title,
        deck: deck.version,
        onFailure: ({ message }) => console.log(message),
      })
      onShutdown(async () => {
        await log.close()
        console.log(
          `Log of this talk: ${file}\nRender a video of it with: ${commandLine('record', '--from-log', file)}`,
        )
      })
    }

    for (const notice of notices) console.log(notice)
    const { all: roots, deck: folder } = await findRoots(deck.file)
    for (const clash of await findNameClashes({ roots, deck: folder }, deck.keys, packageRoot))
      console.log(describeDeckProblem(clash))
    console.log(
      `\n  ${deck.title}\n\n  Slides     ${link}\n  Presenter  ${link.replace('/?', '/presenter/1?')}\n\n${links.audience === undefined ? '' : describeAudienceLink(links.audience)}  Press Ctrl-C to stop the talk and everything it started.\n`,
    )
    if (options.open) await openInBrowser(link)
  })
}

/**
 * Builds the deck while its profile is prepared: in a fresh clone, both take long.
 *
 * @returns a promise whose rejection need not be handled
 */
function prebuild({ deck, signal, onShutdown }: Serving): Promise<unknown> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const built = buildDeck(deck, deckPaths(deck.file).built, { signal: either })
  const ended = built.catch(() => {})
  onShutdown(() => {
    stop.abort()
    return ended
  })
  return built
}

/** The address at which to share the talk; undefined if it is not shared. */
async function sharingOf({ share, shareAddress, insecureRemote = false }: StartOptions): Promise<Sharing | undefined> {
  if (!share && shareAddress === undefined && !insecureRemote) return undefined
  const address = shareAddress ?? (await localAddress())
  if (address === undefined)
    throw new Error(
      'Cannot share the talk: this machine is not connected to a network. Connect it, or start without --share.',
    )
  return { address, insecureRemote }
}

/** The link of the audience and its QR code. */
function describeAudienceLink(link: string): string {
  const code = renderUnicodeCompact(link, { border: 2 })
  return `  Audience   ${link}\n             View-only for anyone on this network who has the link.\n\n${code.replace(/^/gm, '  ')}\n\n`
}

/** Finds a port for Slidev's development server. */
async function freePort(): Promise<number> {
  for (let port = MIN_SLIDEV_PORT; port <= MAX_SLIDEV_PORT; port++) if (await isPortFree(port)) return port
  throw new Error(`No port from ${MIN_SLIDEV_PORT} to ${MAX_SLIDEV_PORT} is free for Slidev.`)
}
