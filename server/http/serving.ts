import { Listr } from 'listr2'
import openBrowser from 'open'
import { type Deck, readDeck } from '../deck/deck.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { describeHolder } from '../environment/ports.ts'
import { isPortFree } from '../lib/network-probes.ts'
import type { TalkServer } from './server.ts'
import { progress } from '../environment/runtime-context.ts'

/** Asked for by a command that serves a deck. */
export interface ServingOptions {
  /** The deck, absolute. */
  deck: string
  port: number
  /** Open a browser where there is one. */
  open: boolean
}

/** What a command that serves a deck works with. */
export interface Serving {
  deck: Deck
  /** Aborts when the command is to end. */
  signal: AbortSignal
  /** Has something ended when the command ends: what was named last is ended first. */
  onShutdown: (end: () => Promise<unknown>) => void
}

/**
 * Serves a deck until a signal ends it.
 *
 * @param command how the user has begun it, to name another port
 * @param begin opens everything, and tells the user
 * @returns once everything that was started has ended
 * @throws DeckError, what `begin` throws, or an Error whose message says what to do next
 */
export async function serve(
  { deck: file, port }: ServingOptions,
  command: string,
  begin: (serving: Serving) => Promise<void>,
): Promise<void> {
  const signal = interruptSignal()
  const deck = await readDeck(file)
  if (!(await isPortFree(port)))
    throw new Error(`${await describeHolder(port)}, or choose another: ${command} -- --port ${port + 1}`)

  const ends: (() => Promise<unknown>)[] = []
  try {
    await begin({ deck, signal, onShutdown: (end) => void ends.push(end) })
    if (!signal.aborted)
      await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }))
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

/**
 * Builds the deck and opens the front door to it. The door is the first thing that closes at the end, so that no window starts anything
 * while the rest ends.
 *
 * @param building what is shown while that lasts
 * @returns the links
 * @throws BuildError or an Error whose message says what to do next
 */
export async function listen(
  server: TalkServer,
  { signal, onShutdown }: Serving,
  building = 'Build the deck (half a minute after an edit)',
): ReturnType<TalkServer['open']> {
  onShutdown(() => server.close())
  await new Listr([{ title: building, task: () => server.build(signal) }], progress).run()
  signal.throwIfAborted()
  return server.open()
}

/** Opens a browser where there is a screen to show it on; a talk does not fail for the lack of one. */
export async function openInBrowser(link: string): Promise<void> {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return
  const child = await openBrowser(link).catch(() => undefined)
  child?.on('error', () => {})
}
