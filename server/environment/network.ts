import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'

/** An address that belongs to nobody (RFC 5737): asked for the way there, the system says which address it would go out by. */
const ELSEWHERE = '192.0.2.1'

/**
 * The IPv4 address by which the local network reaches this machine: that of the default route, else the first that is not a loopback's.
 * Nothing is sent.
 *
 * @returns undefined where this machine is on no network
 */
export async function localAddress(): Promise<string | undefined> {
  const own = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal),
  )
  const socket = createSocket('udp4')
  try {
    socket.connect(53, ELSEWHERE)
    await once(socket, 'connect')
    const { address } = socket.address()
    if (own.some((each) => each.address === address)) return address
  } catch {
    // There is no way out: a network without a router is one all the same.
  } finally {
    socket.close()
  }
  return own[0]?.address
}
