import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'

/**
 * An address in TEST-NET-1 (RFC 5737). Connecting a UDP socket to it sends no packet and reveals the source address of
 * the default route.
 */
const TEST_NET_ADDRESS = '192.0.2.1'

/** Any UDP port; no packet is sent to it. */
const ANY_PORT = 53

/**
 * Finds the IPv4 address of this machine on the local network: the source address of the default route, or else
 * the first address that is not a loopback address.
 *
 * @returns undefined if this machine is not connected to a network
 */
export async function localAddress(): Promise<string | undefined> {
  const candidates = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal),
  )
  const socket = createSocket('udp4')
  try {
    socket.connect(ANY_PORT, TEST_NET_ADDRESS)
    await once(socket, 'connect')
    const { address } = socket.address()
    if (candidates.some((candidate) => candidate.address === address)) return address
  } catch {
    // Without a default route, the machine may still be on a local network.
  } finally {
    socket.close()
  }
  return candidates[0]?.address
}
