import { join, resolve } from 'node:path'
import { Listr } from 'listr2'
import openBrowser from 'open'
import { renderUnicodeCompact } from 'uqr'
import type { Profile } from './deck/contract.ts'
import { readDeck } from './deck/deck.ts'
import { TalkLog } from './film/talk-log.ts'
import { interruptSignal } from './interrupt.ts'
import type { Sharing } from './front-door.ts'
import { localAddress } from './network.ts'
import { describeHolder, isFree } from './ports.ts'
import { TalkServer } from './server.ts'
import { makeSetting, progress } from './setting.ts'
import { developDeck } from './slidev.ts'
import { accessToken, guestTokens } from './token.ts'

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
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  if (!(await isFree(options.port))) throw new Error(`${await describeHolder(options.port)}, or choose another: npm start -- --port ${options.port + 1}`)

  const share = await sharing(options)

  const cleanUps: (() => Promise<void>)[] = []
  try {
    const { paths, profile, stage, secrets, recordings, notices } = await makeSetting({ ...options, deck, fallBack: true, log: true }, signal)
    cleanUps.push(() => stage.end())

    const develop = options.develop ? developDeck(options.deck, await freePort(), console.log) : undefined
    if (develop) cleanUps.push(() => develop.close())
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
    cleanUps.push(() => server.close())
    if (develop) await server.build(signal)
    else await new Listr([{ title: 'Build the deck (half a minute after an edit)', task: () => server.build(signal) }], progress).run()
    signal.throwIfAborted()
    const { link, share: links } = await server.open()
    if (options.log !== undefined) {
      const file = options.log === true ? join(paths.talks, `${new Date().toISOString().replaceAll(':', '-')}.jsonl`) : resolve(options.log)
      const { audience: token } = await guestTokens(paths.token)
      const log = await TalkLog.open({ file, port: options.port, token, title: deck.title, deck: deck.version, onProblem: console.log })
      cleanUps.push(async () => {
        await log.close()
        console.log(`The log of this talk: ${file}\nMake a video of it: npm run record -- --from ${file}`)
      })
    }

    for (const notice of notices) console.log(notice)
    console.log(`\n  ${deck.title}\n\n  Slides     ${link}\n  Presenter  ${link.replace('/?', '/presenter/1?')}\n\n${links.audience === undefined ? '' : audience(links.audience)}  Ctrl-C ends the talk and everything it started.\n`)
    if (options.open) await openInBrowser(link)
    await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }))
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    // The front door first, so that no window starts anything while the stage is cleared.
    for (const cleanUp of cleanUps.reverse()) await cleanUp()
  }
}

/** Where the talk is shared, if it is. */
async function sharing({ share, shareAddress, insecureRemote = false }: StartOptions): Promise<Sharing | undefined> {
  if (!share && shareAddress === undefined && !insecureRemote) return undefined
  const address = shareAddress ?? (await localAddress())
  if (address === undefined) throw new Error('This machine is on no network: there is nobody to share the talk with. Connect it, or start without --share.')
  return { address, insecureRemote }
}

/** The link of the audience, and its QR code for who has no keyboard. */
function audience(link: string): string {
  const code = renderUnicodeCompact(link, { border: 2 })
  return `  Audience   ${link}\n             Whoever has it, and is on this network, looks; nobody types.\n\n${code.replace(/^/gm, '  ')}\n\n`
}

/** Opens a browser where there is a screen to show it on; a talk does not fail for the lack of one. */
export async function openInBrowser(link: string): Promise<void> {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return
  const child = await openBrowser(link).catch(() => undefined)
  child?.on('error', () => {})
}

async function freePort(): Promise<number> {
  for (let port = 43030; port < 43130; port++) if (await isFree(port)) return port
  throw new Error('No port between 43030 and 43129 is free for Slidev.')
}
