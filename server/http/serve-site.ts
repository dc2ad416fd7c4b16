import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import sirv from 'sirv'

/** A built site, served to this machine only. */
export interface ServedSite {
  /** For example `http://127.0.0.1:4000`. */
  origin: string
  close: () => void
}

/** @param folder of the site, absolute */
export async function serveSite(folder: string): Promise<ServedSite> {
  const server = createServer(sirv(folder, { dev: true }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
