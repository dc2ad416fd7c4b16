/**
 * Binary frames of the websocket. They carry terminal output from the server to the browser:
 *
 *     bytes 0..3   unsigned 32-bit integer, big endian: the channel, which a `snapshot` message has opened
 *     bytes 4..    output of the pseudo-terminal
 */

/** Bytes before the output. */
const HEADER_BYTES = 4

/** Encodes a chunk of output as a frame. */
export function encodeFrame(channel: number, output: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + output.length)
  new DataView(frame.buffer).setUint32(0, channel)
  frame.set(output, HEADER_BYTES)
  return frame
}

/**
 * Splits a frame into its channel and its output.
 *
 * @throws RangeError if the frame is shorter than its header
 */
export function decodeFrame(frame: Uint8Array): { channel: number; output: Uint8Array } {
  const channel = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0)
  return { channel, output: frame.subarray(HEADER_BYTES) }
}
