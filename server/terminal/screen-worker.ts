import { parentPort } from 'node:worker_threads'
import { Screen } from './screen.ts'

/**
 * The thread in which the screens of all terminals are kept: a flood keeps the parser busy, and must not delay the keys and the other
 * windows, which the main thread serves. `ThreadedScreen` is its other side.
 */

/** What the main thread asks for. `screen` is its number for one. */
export type ScreenRequest =
  | { type: 'open'; screen: number; cols: number; rows: number }
  | { type: 'write'; screen: number; bytes: Uint8Array }
  /** The screen as it is after everything that was written before. `scrollback` counts lines above it. */
  | { type: 'snapshot'; screen: number; request: number; scrollback: number }
  | { type: 'close'; screen: number }

/** What the thread answers. */
export type ScreenAnswer =
  | { type: 'parsed'; screen: number; bytes: number }
  | { type: 'reply'; screen: number; data: string }
  | { type: 'snapshot'; screen: number; request: number; data: string }

const screens = new Map<number, Screen>()
const answer = (message: ScreenAnswer) => parentPort?.postMessage(message)

parentPort?.on('message', (message: ScreenRequest) => {
  const screen = screens.get(message.screen)
  switch (message.type) {
    case 'open':
      screens.set(
        message.screen,
        new Screen(message.cols, message.rows, (data) => answer({ type: 'reply', screen: message.screen, data })),
      )
      return
    case 'write':
      screen?.write(message.bytes, () =>
        answer({ type: 'parsed', screen: message.screen, bytes: message.bytes.length }),
      )
      return
    case 'snapshot':
      screen?.write('', () =>
        answer({
          type: 'snapshot',
          screen: message.screen,
          request: message.request,
          data: screen.snapshot(message.scrollback),
        }),
      )
      return
    case 'close':
      screen?.dispose()
      screens.delete(message.screen)
  }
})
