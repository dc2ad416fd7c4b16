import { writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ResolvedSlidevOptions, ResolvedSlidevUtils, VitePluginsSetup } from '@slidev/types'
import { INPUTS_VARIABLE, serializeInputs } from '../server/deck/build-inputs.ts'
import { createStepComparison } from '../server/deck/page-steps.ts'
import { STEP_LIST_VARIABLE } from '../server/deck/step-list.ts'
import { loadOnDemand } from '../server/deck/vite-build.ts'
import { DOOR_HEADER, DOOR_VARIABLE, sameToken } from '../server/http/token.ts'

type PluginOption = Exclude<ReturnType<VitePluginsSetup>, unknown[] | Promise<unknown>>

/** Compares the steps of the page with those that the server has read. Does nothing without a server (plain `slidev`). */
function stepComparison({ data }: ResolvedSlidevOptions): PluginOption[] {
  const list = process.env[STEP_LIST_VARIABLE]
  return list === undefined ? [] : [createStepComparison(list, () => data.slides)]
}

/**
 * Makes Slidev's development server reject requests that do not come through the front door. That server has its own
 * port, checks no token, and would accept edits of slides.md from any web page. Does nothing without a front door
 * (plain `slidev`).
 */
function frontDoor(): PluginOption[] {
  const secret = process.env[DOOR_VARIABLE]
  if (!secret) return []
  const isAuthorized = ({ headers }: IncomingMessage) => sameToken(secret, String(headers[DOOR_HEADER] ?? ''))
  return [
    {
      name: 'understudy:door',
      configureServer(server) {
        server.httpServer?.prependListener('upgrade', (request: IncomingMessage, socket: Duplex) => {
          if (!isAuthorized(request)) socket.destroy()
        })
        // Runs after all other plugins have added their handlers, so that this handler becomes the first.
        return () => {
          server.middlewares.stack.unshift({
            route: '',
            handle: (request: IncomingMessage, response: ServerResponse, next: () => void) =>
              isAuthorized(request)
                ? next()
                : void response
                    .writeHead(403, { 'Content-Type': 'text/plain' })
                    .end('Open the link that slidev-addon-understudy printed.\n'),
          })
        }
      },
    },
  ]
}

/**
 * Records the files that a build reads, for the version of the build. Does nothing unless this package's server builds
 * the deck.
 */
function inputsRecorder({ data }: ResolvedSlidevOptions): PluginOption[] {
  const file = process.env[INPUTS_VARIABLE]
  if (!file) return []
  return [
    {
      name: 'understudy:inputs',
      apply: 'build',
      async generateBundle() {
        // Slidev collects the snippets and imported slides in `watchFiles`.
        await writeFile(file, serializeInputs([...this.getModuleIds(), ...Object.keys(data.watchFiles)]))
      },
    },
  ]
}

/**
 * Makes `layout: stage` mean layouts/understudy-stage.vue if neither the deck nor its theme nor another addon has a
 * layout `stage`. A file named stage.vue in this addon would replace the theme's.
 */
function offerStageLayout(utils: ResolvedSlidevUtils): void {
  const { getLayouts } = utils
  utils.getLayouts = async () => {
    const layouts = await getLayouts()
    const own = layouts['understudy-stage']
    return { ...(own !== undefined && { stage: own }), ...layouts }
  }
}

export default ((options) => {
  offerStageLayout(options.utils)
  return [...frontDoor(), ...stepComparison(options), ...inputsRecorder(options), loadOnDemand()]
}) satisfies VitePluginsSetup
