import sirv from 'sirv'
import type { DeckServer } from './front-door.ts'

/** Serves a built deck; `folder()` is asked at every request, so that a new build takes its place at once. */
export function serveBuilt(folder: () => string): DeckServer {
  let served: string | undefined
  let serve: ReturnType<typeof sirv>
  return {
    request(request, response) {
      if (folder() !== served) {
        served = folder()
        // `dev`: it looks at each request what is there, and survives that the cache is emptied.
        serve = sirv(served, { dev: true, single: true, etag: true })
      }
      serve(
        request,
        response,
        () => void response.writeHead(404, { 'Content-Type': 'text/plain' }).end('There is no such page.\n'),
      )
    },
  }
}
