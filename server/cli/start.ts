import { join, resolve } from 'node:path'
import { renderUnicodeCompact } from 'uqr'
import type { Profile } from '../../shared/deck/contract.ts'
import { TalkLog } from '../video/talk-log.ts'
import type { Sharing } from '../http/front-door.ts'
import { localAddress } from '../environment/network.ts'
import { isPortFree } from '../lib/network-probes.ts'
import { TalkServer } from '../http/server.ts'
import { listen, openInBrowser, serve, type ServingOptions } from '../http/serving.ts'
import { openStage } from '../steps/open-stage.ts'
import { developDeck } from '../http/slidev-dev-server.ts'
import { accessToken, guestTokens } from '../http/token.ts'

export interface StartOptions extends ServingOptions {
  /** Chosen by what this machine has, unless given. */
  profile?: Profile
  /** Install system packages without asking. */
  yes: boolean
  /** Serve Slidev's development server instead of the built deck. */
  develop: boolean
  /** Let the local network look. */
  share?: boolean
  /** The address of this machine to do so at: chosen by the default route, unless given. Implies `share`. */
  shareAddress?: string
  /** Keep a log of the talk as its audience sees it: a file, or `true` for one in the cache. */
  log?: string | true
  /** Let a phone on that network act although its token can be read there. Implies `share`. */
  insecureRemote?: boolean
}

/**
 * Starts the talk and serves it until a signal ends it.
 *
 * @returns once everything that was started has ended
 * @throws DeckError, BuildError or an Error whose message says what to do next
 */
export async function start(options: StartOptions): Promise<void> {
  await serve(options, 'npm start', async (serving) => {
    const { deck, signal, onShutdown } = serving
    const share = await sharing(options)
    const { paths, profile, stage, secrets, recordings, notices } = await openStage(
      { ...options, deck, fallBack: true, log: true },
      signal,
    )
    onShutdown(() => stage.end())

    const develop = options.develop ? developDeck(options.deck, await freePort(), console.log) : undefined
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
      ...(develop && { develop }),
      log: console.log,
    })
    const { link, share: links } = await listen(
      server,
      serving,
      develop && 'Leave the deck to Slidev, which shows each edit at once',
    )
    if (options.log !== undefined) {
      const file =
        options.log === true
          ? join(paths.talks, `${new Date().toISOString().replaceAll(':', '-')}.jsonl`)
          : resolve(options.log)
      const { audience: token } = await guestTokens(paths.token)
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
        console.log(`The log of this talk: ${file}\nMake a video of it: npm run record -- --from ${file}`)
      })
    }

    for (const notice of notices) console.log(notice)
    console.log(
      `\n  ${deck.title}\n\n  Slides     ${link}\n  Presenter  ${link.replace('/?', '/presenter/1?')}\n\n${links.audience === undefined ? '' : audience(links.audience)}  Ctrl-C ends the talk and everything it started.\n`,
    )
    if (options.open) await openInBrowser(link)
  })
}

/** Where the talk is shared, if it is. */
async function sharing({ share, shareAddress, insecureRemote = false }: StartOptions): Promise<Sharing | undefined> {
  if (!share && shareAddress === undefined && !insecureRemote) return undefined
  const address = shareAddress ?? (await localAddress())
  if (address === undefined)
    throw new Error(
      'This machine is on no network: there is nobody to share the talk with. Connect it, or start without --share.',
    )
  return { address, insecureRemote }
}

/** The link of the audience, and its QR code for who has no keyboard. */
function audience(link: string): string {
  const code = renderUnicodeCompact(link, { border: 2 })
  return `  Audience   ${link}\n             Whoever has it, and is on this network, looks; nobody types.\n\n${code.replace(/^/gm, '  ')}\n\n`
}

async function freePort(): Promise<number> {
  for (let port = 43030; port < 43130; port++) if (await isPortFree(port)) return port
  throw new Error('No port between 43030 and 43129 is free for Slidev.')
}
