import type { ClientMessage, ServerMessage } from '../../shared/protocol/talk.ts'

/** Receives every message from the server, or from the transport that replaces it. */
export type Receive = (message: ServerMessage) => void

/** Receives every binary frame of terminal output (see shared/protocol/frame.ts). */
export type ReceiveFrame = (frame: Uint8Array) => void

/**
 * Carries messages between this window and its peer: a server, the recordings of a static site, or the video renderer.
 */
export interface Transport {
  /** Starts to deliver messages; the first is `hello`. */
  open: () => void
  /** Delivers a message of this window. A message that cannot be delivered is dropped. */
  handle: (message: ClientMessage) => void
}
