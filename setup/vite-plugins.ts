import type { IncomingMessage } from 'node:http'
import { defineVitePluginsSetup } from '@slidev/types'
import { DOOR_HEADER, DOOR_VARIABLE, sameToken } from '../server/http/token.ts'

/**
 * Closes Slidev's development server to everyone but the front door. It has a port of its own, checks no token, and takes an edit of
 * slides.md from any web page that finds it. Without a front door (plain `slidev`) it is as Slidev made it.
 */
export default defineVitePluginsSetup(() => {
  const secret = process.env[DOOR_VARIABLE]
  if (!secret) return []
  const known = ({ headers }: IncomingMessage) => sameToken(secret, String(headers[DOOR_HEADER] ?? ''))
  return [
    {
      name: 'understudy:door',
      configureServer(server) {
        server.httpServer?.prependListener('upgrade', (request, socket) => {
          if (!known(request)) socket.destroy()
        })
        // Once everybody else has put theirs in: before all of them.
        return () => {
          server.middlewares.stack.unshift({
            route: '',
            handle: (request: IncomingMessage, response: import('node:http').ServerResponse, next: () => void) =>
              known(request)
                ? next()
                : void response
                    .writeHead(403, { 'Content-Type': 'text/plain' })
                    .end('Open the link that the talk printed.\n'),
          })
        }
      },
    },
  ]
})
