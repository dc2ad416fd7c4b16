import { request } from 'node:http'
import { WebSocket } from 'ws'

/** Sends a GET request to a server on this machine. Unlike `fetch`, allows any Host header. */
export function fetchFrom(
  port: number,
  path: string,
  headers: Record<string, string>,
  address = '127.0.0.1',
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  return new Promise((resolve, reject) => {
    request({ host: address, port, path, headers: { host: `localhost:${port}`, ...headers } }, (response) => {
      let text = ''
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
        .on('error', reject)
    })
      .on('error', reject)
      .end()
  })
}

/** Opens a websocket. @returns `open`, or the HTTP status with which the handshake was refused */
export function handshake(port: number, path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
      headers: { host: `localhost:${port}`, ...headers },
    })
    socket.on('open', () => {
      socket.terminate()
      resolve('open')
    })
    socket.on('unexpected-response', (request, response) => {
      request.destroy()
      resolve(String(response.statusCode))
    })
    socket.on('error', () => {})
  })
}
