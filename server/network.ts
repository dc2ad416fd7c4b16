import { connect } from 'node:net'

/** Milliseconds for a host to take a connection: on a network that swallows packets nothing else would end the wait. */
const PATIENCE = 3000

/** Whether a host takes connections on port 443. */
export function answersHttps(host: string, patience = PATIENCE): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host, port: 443 })
    const end = (answers: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      done(answers)
    }
    const timer = setTimeout(() => end(false), patience)
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}
