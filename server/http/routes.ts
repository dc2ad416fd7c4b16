import { commandLine } from '../../shared/command-line.ts'
import { createReadStream } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { CAST_PATH, PAGE_PATH, THUMBNAIL_PATH } from '../../shared/protocol/talk.ts'
import { PATCH_PATH } from '../../shared/protocol/workshop.ts'
import type { Access } from '../../shared/roles.ts'
import type { Recordings } from '../recording/recordings.ts'
import type { Course } from '../workshop/course.ts'
import type { DeckServer } from './front-door.ts'
import type { StepPages } from './step-pages.ts'

/** The paths that the server adds to those of the deck. The front door has already checked their requests. */

/** Answers the requests for one path. @returns false if a request is for another path */
export type Route = (url: URL, response: ServerResponse, access: Access) => boolean

/** Adds routes to a deck. They are tried in order; the deck answers the remaining requests. */
export function withRoutes(deck: DeckServer, routes: readonly Route[]): DeckServer {
  return {
    ...(deck.upgrade && { upgrade: deck.upgrade.bind(deck) }),
    request(request, response, access) {
      const url = new URL(request.url ?? '', 'http://localhost')
      if (!routes.some((route) => route(url, response, access))) deck.request(request, response, access)
    },
  }
}

/** Redirects a browser on another machine to the page that a step serves. */
export function stepPageRoute(pages: StepPages | undefined): Route {
  return ({ pathname }, response, { learner }) => {
    if (!pages || !pathname.startsWith(PAGE_PATH)) return false
    const link = pages.link({ learner, step: pathname.slice(PAGE_PATH.length) })
    if (link === undefined) fail(response, 404, 'The step does not serve a page at the moment. Run it, then try again.')
    else response.writeHead(303, { Location: link, 'Cache-Control': 'no-store' }).end()
    return true
  }
}

/**
 * Downloads the changes of a learner as a patch.
 *
 * @param courseOf the course of a learner
 */
export function changesRoute(courseOf: (learner: string | undefined) => Course | undefined): Route {
  return ({ pathname, searchParams }, response, { learner, permissions }) => {
    if (pathname !== PATCH_PATH) return false
    const course = permissions.includes('learn') ? courseOf(learner) : undefined
    if (!course) {
      fail(response, 403, "Only a learner can download changes. Open the learner's link first.")
      return true
    }
    course.changes(searchParams.get('task') ?? undefined).then(
      (patch) =>
        response
          .writeHead(200, {
            'Content-Type': 'text/x-patch; charset=utf-8',
            'Content-Disposition': 'attachment; filename="changes.patch"',
            'Cache-Control': 'no-store',
          })
          .end(patch),
      (error: unknown) => fail(response, 404, error instanceof Error ? error.message : String(error)),
    )
    return true
  }
}

/** Serves the pictures of the pages that steps have served. */
export function thumbnailRoute(recordings: Pick<Recordings, 'thumbnailFile'> | undefined): Route {
  return (url, response) => {
    if (!url.pathname.startsWith(THUMBNAIL_PATH)) return false
    const step = stepIn(url, THUMBNAIL_PATH, '.png')
    const file = step === undefined ? undefined : recordings?.thumbnailFile(step)
    if (file === undefined) fail(response, 404, `Thumbnail not found. Rehearse the step: ${commandLine('rehearse')}`)
    else sendFile(response, file, 'image/png')
    return true
  }
}

/** Serves the recordings of steps. */
export function recordingRoute(recordings: Pick<Recordings, 'castFile'> | undefined): Route {
  return (url, response) => {
    if (!url.pathname.startsWith(CAST_PATH)) return false
    const step = stepIn(url, CAST_PATH, '.cast')
    const file = step === undefined ? undefined : recordings?.castFile(step)
    if (file === undefined) fail(response, 404, `Recording not found. Rehearse the step: ${commandLine('rehearse')}`)
    else sendFile(response, file, 'application/x-asciicast')
    return true
  }
}

/**
 * The step that a path names. It is only looked up among the deck's steps: no path of a request reaches the disk.
 *
 * @returns undefined if the path does not have the extension
 */
function stepIn({ pathname }: URL, folder: string, extension: string): string | undefined {
  return pathname.endsWith(extension) ? pathname.slice(folder.length, -extension.length) : undefined
}

function sendFile(response: ServerResponse, file: string, type: string): void {
  const stream = createReadStream(file)
  stream.once('open', () => response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-cache' }))
  stream.once('error', () => {
    if (response.headersSent) response.destroy()
    else fail(response, 404, `The file was removed. Rehearse the step: ${commandLine('rehearse')}`)
  })
  stream.pipe(response)
}

function fail(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}
