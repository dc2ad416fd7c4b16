import { commandLine } from '../../shared/command-line.ts'
import { Listr } from 'listr2'
import { type Deck, readDeck } from '../deck/deck.ts'
import { findPortHolder } from '../environment/ports.ts'
import { describePortHolder } from '../environment/problems.ts'
import { progress } from '../environment/runtime-context.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { isPortFree } from '../lib/network-probes.ts'
import type { TalkServer } from './server.ts'

/** Options of every command that serves a deck. */
export interface ServingOptions {
  /** The deck, absolute. */
  deck: string
  port: number
  /** Open a browser if this machine has a display. */
  open: boolean
}

/** What a command that serves a deck works with. */
export interface Serving {
  deck: Deck
  /** Aborts when the user ends the command. */
  signal: AbortSignal
  /** Registers a function that runs when the command ends. The last one registered runs first. */
  onShutdown: (end: () => Promise<unknown>) => void
}

/**
 * Serves a deck until a signal ends it.
 *
 * @param command its name, for the hint to choose another port
 * @param begin starts everything and prints the links
 * @returns when everything that was started has ended
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
    throw new Error(
      `${describePortHolder(port, await findPortHolder(port))}, or choose another: ${commandLine(command, '--port', String(port + 1))}`,
    )

  const shutdown: (() => Promise<unknown>)[] = []
  try {
    await begin({ deck, signal, onShutdown: (end) => void shutdown.push(end) })
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    for (const end of shutdown.reverse()) await end()
  }
}

/**
 * Builds the deck and opens the front door to it. At the end the door closes first, so that no window starts anything
 * during the shutdown.
 *
 * @param options.title of the build, shown while it lasts
 * @param options.prebuilt a build of this deck that was started before; its failure is that of the build
 * @returns the links
 * @throws BuildError, or an Error whose message says what to do next
 */
export async function listen(
  server: TalkServer,
  { signal, onShutdown }: Serving,
  {
    title = 'Build the deck (half a minute after an edit)',
    prebuilt,
  }: { title?: string | undefined; prebuilt?: Promise<unknown> | undefined } = {},
): ReturnType<TalkServer['open']> {
  onShutdown(() => server.close())
  const task = async () => {
    await prebuilt
    await server.build(signal)
  }
  await new Listr([{ title, task }], progress).run()
  signal.throwIfAborted()
  return server.open()
}

/** Opens a browser if this machine has a display. A talk starts without one. */
export async function openInBrowser(link: string): Promise<void> {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return
  // Loaded after the link is printed.
  const { default: openBrowser } = await import('open')
  const child = await openBrowser(link).catch(() => undefined)
  child?.on('error', () => {})
}
