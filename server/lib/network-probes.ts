import { connect, createServer } from 'node:net'

/** Time limit of a connection attempt. A network that drops packets would otherwise block for minutes. */
const CONNECT_TIMEOUT_MS = 3000

/** Whether a host accepts TCP connections on port 443 from this machine. */
export function answersHttps(host: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 443 })
    const finish = (connected: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(connected)
    }
    const timer = setTimeout(() => finish(false), timeoutMs)
    socket.once('connect', () => finish(true)).once('error', () => finish(false))
  })
}

/**
 * Whether a TCP port of this machine's 127.0.0.1 (and of ::1, if the machine has it) is free.
 * Both addresses are tried, because a browser that opens `localhost` may use either.
 */
export async function isPortFree(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '::1']) {
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      const server = createServer()
      server.once('error', resolve)
      server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)))
    })
    if (error && error.code !== 'EADDRNOTAVAIL' && error.code !== 'EAFNOSUPPORT') return false
  }
  return true
}
