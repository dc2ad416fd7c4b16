import sirv from 'sirv'
import type { DeckServer } from './front-door.ts'

/**
 * Serves a built deck.
 *
 * @param folder returns the folder of the current build, absolute; called for every request, so that a new build is
 * served at once
 */
export function serveBuilt(folder: () => string): DeckServer {
  let served: string | undefined
  let serve: ReturnType<typeof sirv>
  return {
    request(request, response) {
      if (folder() !== served) {
        served = folder()
        // `dev` reads the folder for every request, so that the server survives an emptied cache.
        serve = sirv(served, { dev: true, single: true, etag: true })
      }
      serve(request, response, () => {
        response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Page not found.\n')
      })
    },
  }
}
