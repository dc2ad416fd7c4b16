import type { WebSocket } from 'ws'
import { type Refusal } from '../../shared/failures/refusal.ts'
import { type ClientMessage, clientMessage, CLOSE, type ServerMessage } from '../../shared/protocol/talk.ts'
import { RefusedError, refusalOf } from '../steps/refused-error.ts'
import { SessionError } from '../terminal/session-error.ts'
import { costOf, rowOf } from './message-table.ts'
import { RateLimiter } from './rate-limiter.ts'
import { WindowConnection, type WindowConnectionOptions } from './window-connection.ts'

export interface SocketOptions extends Omit<WindowConnectionOptions, 'onError'> {
  /** The first message that the window receives. */
  hello: () => ServerMessage
}

/**
 * Serves one window until its socket closes. A message is parsed, waits until the window's budget allows it, is checked
 * against the window's permissions, and is handled (message-table.ts): nothing that a page sends gets past these four
 * steps.
 *
 * @returns the window, which has entered its room
 */
export function serveSocket(socket: WebSocket, { hello, ...options }: SocketOptions): WindowConnection {
  const window = new WindowConnection(socket, { ...options, onError: refuse })
  const limiter = new RateLimiter<ClientMessage>(window, costOf, carryOut)

  function carryOut(message: ClientMessage): void {
    const { permission, handle } = rowOf(message)
    const { role, permissions, reason } = window.access
    if (!permissions.includes(permission))
      return refuse(
        message,
        new RefusedError({ kind: 'not-allowed', role, permission, ...(reason !== undefined && { reason }) }),
      )
    // A handler may throw, or return a promise.
    new Promise((resolve) => resolve(handle(window, message))).catch((error: unknown) => refuse(message, error))
  }

  function refuse(message: ClientMessage, error: unknown): void {
    window.tell({
      type: 'refused',
      refusal: refusalFor(message, error),
      ...('step' in message && { step: message.step }),
      ...('terminal' in message && { terminal: message.terminal }),
      ...('task' in message && message.task !== undefined && { task: message.task }),
      ...('path' in message && { path: message.path }),
    })
  }

  window.tell(hello())
  socket.on('message', (data, isBinary) => {
    // Messages right behind a malformed one: the window is not understood any more.
    if (!window.isOpen) return
    const message = isBinary ? undefined : parse((data as Buffer).toString())
    if (message) limiter.take(message)
    else socket.close(CLOSE.malformed, 'The message is not part of the protocol. Reload the page.')
  })
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    window.close()
    options.room.leave(window)
  })
  options.room.enter(window)
  return window
}

function refusalFor(message: ClientMessage, error: unknown): Refusal {
  if (error instanceof SessionError && 'terminal' in message)
    return { kind: 'shell-failed', terminal: message.terminal, failure: error.failure }
  return refusalOf(error)
}

function parse(text: string): ClientMessage | undefined {
  try {
    return clientMessage.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
