import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { spawnTerminal } from './pty.ts'

// A child process with the simplest possible terminal server: node-pty and ws, one shell, no flow control. The first
// message to the parent is the port.
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
await once(server, 'listening')
const terminal = spawnTerminal('exec bash --noprofile --norc', 88, 18, (bytes) => {
  for (const socket of server.clients) socket.send(bytes)
})
server.on('connection', (socket) => socket.on('message', (data) => terminal.write(String(data))))
process.send?.({ port: (server.address() as AddressInfo).port })
process.once('disconnect', () => {
  terminal.kill('SIGKILL')
  process.exit()
})
