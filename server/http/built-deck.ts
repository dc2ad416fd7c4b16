import sirv from 'sirv'
import type { DeckServer } from './front-door.ts'

/** Files whose name contains a hash of their content, so that a browser never has to ask for them again. */
const HASHED_FILE = /^\/assets\/[^?]*-[\w-]{8}\.\w+(\?|$)/

/** Browsers keep hashed files for a year, the longest time that they support. */
const KEEP = 'private, max-age=31536000, immutable'

/** Browsers ask for a new version of the file whenever they need it, and receive 304 if there is none. */
const REVALIDATE = 'no-cache'

/**
 * Serves a built deck. Sends the precompressed copy of a file (see `compressFolder`) to browsers that accept it.
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
        serve = sirv(served, { dev: true, single: true, etag: true, brotli: true, gzip: true })
      }
      // Set here, because sirv sends a 304 without these headers.
      response.setHeader('Vary', 'Accept-Encoding')
      response.setHeader('Cache-Control', HASHED_FILE.test(request.url ?? '') ? KEEP : REVALIDATE)
      serve(request, response, () => {
        response.setHeader('Cache-Control', 'no-store')
        response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Page not found.\n')
      })
    },
  }
}
