import { parentPort } from 'node:worker_threads'
import { Screen } from './screen.ts'

/**
 * Worker thread that holds the screens of all terminals. Parsing an output burst can occupy a CPU core; on the main
 * thread, it would delay keystrokes and other windows. worker-screen.ts is the counterpart on the main thread.
 */

/** A message to the worker. `screen` is the number that the main thread gave to a screen. */
export type ScreenRequest =
  | { type: 'open'; screen: number; cols: number; rows: number }
  | { type: 'write'; screen: number; bytes: Uint8Array }
  /**
   * Requests the screen after everything that was written before the request. `scrollback` is the number of lines above
   * the screen.
   */
  | { type: 'snapshot'; screen: number; request: number; scrollback: number }
  | { type: 'close'; screen: number }

/** A message from the worker. */
export type ScreenResponse =
  | { type: 'parsed'; screen: number; bytes: number }
  | { type: 'reply'; screen: number; data: string }
  | { type: 'snapshot'; screen: number; request: number; data: string }

const screens = new Map<number, Screen>()
const respond = (message: ScreenResponse) => parentPort?.postMessage(message)

parentPort?.on('message', (message: ScreenRequest) => {
  const screen = screens.get(message.screen)
  switch (message.type) {
    case 'open':
      screens.set(
        message.screen,
        new Screen(message.cols, message.rows, (data) => respond({ type: 'reply', screen: message.screen, data })),
      )
      return
    case 'write':
      screen?.write(message.bytes, () =>
        respond({ type: 'parsed', screen: message.screen, bytes: message.bytes.length }),
      )
      return
    case 'snapshot':
      screen?.write('', () =>
        respond({
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
