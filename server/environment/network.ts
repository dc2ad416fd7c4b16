import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'

/** Milliseconds for a host to take a connection: on a network that swallows packets nothing else would end the wait. */
const PATIENCE = 3000

/** Whether a host takes connections on port 443. */
export function answersHttps(host: string, patience = PATIENCE): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host, port: 443 })
    const end = (answers: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      done(answers)
    }
    const timer = setTimeout(() => end(false), patience)
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}

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
