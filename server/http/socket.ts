import type { WebSocket } from 'ws'
import { z, type ZodError } from 'zod'
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

/** Invalid messages that are answered before the connection is closed. */
const MAX_INVALID_MESSAGES = 16

/** The longest part of an invalid message that its answer repeats, in UTF-16 code units. */
const MAX_QUOTE_LENGTH = 100

/**
 * Serves one window until its socket closes. A message is parsed, waits until the window's budget allows it, is checked
 * against the window's permissions, and is handled (message-table.ts): nothing that a page sends gets past these four
 * steps. A message that is not part of the protocol is refused. One that is not even JSON closes the connection.
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

  let invalidMessages = 0
  function refuseInvalid(message: unknown, error: ZodError): void {
    const type = z.object({ type: z.string() }).safeParse(message).data?.type ?? 'no type'
    const { path = [], message: text = '' } = error.issues[0] ?? {}
    const issue = `${path.map(String).join('.')} ${text}`.trim()
    window.tell({
      type: 'refused',
      refusal: {
        kind: 'invalid-message',
        type: type.slice(0, MAX_QUOTE_LENGTH),
        issue: issue.slice(0, MAX_QUOTE_LENGTH),
      },
    })
    if (++invalidMessages > MAX_INVALID_MESSAGES) closeMalformed()
  }

  const closeMalformed = () =>
    socket.close(CLOSE.malformed, 'The message is not part of the protocol. Reload the page.')

  window.tell(hello())
  socket.on('message', (data, isBinary) => {
    // Messages right behind a malformed one: the window is not understood any more.
    if (!window.isOpen) return
    const json = isBinary ? undefined : parseJson((data as Buffer).toString())
    if (!json) return closeMalformed()
    const message = clientMessage.safeParse(json.value)
    if (message.success) limiter.take(message.data)
    else refuseInvalid(json.value, message.error)
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

/** @returns undefined if the text is not JSON */
function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
