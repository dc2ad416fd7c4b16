import { request } from 'node:http'
import { WebSocket } from 'ws'

/** Asks a server on this machine, at one of its addresses, by any name. */
export function fetchFrom(port: number, path: string, headers: Record<string, string>, address = '127.0.0.1') {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((done, fail) => {
    request({ host: address, port, path, headers: { host: `localhost:${port}`, ...headers } }, async (response) => {
      let text = ''
      for await (const chunk of response) text += String(chunk)
      done({ status: response.statusCode ?? 0, headers: response.headers, text })
    })
      .on('error', fail)
      .end()
  })
}

/** How a handshake of a websocket ends: `open`, or the status that it was refused with. */
export function handshake(port: number, path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((done) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
      headers: { host: `localhost:${port}`, ...headers },
    })
    socket.on('open', () => (socket.terminate(), done('open')))
    socket.on('unexpected-response', (request, response) => (request.destroy(), done(String(response.statusCode))))
    socket.on('error', () => {})
  })
}
