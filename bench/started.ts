import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { packageRoot } from '../server/lib/paths.ts'
import { freePort } from '../server/test/free-port.ts'

/** A talk as `npm start` gives it: the real command, the deck of this repository, in this user's cache. */
export interface Started {
  pid: number
  link: string
  /** As of `performance.now()`: when it was started, and when it had printed the link. */
  began: number
  printed: number
  end: () => Promise<void>
}

/** @throws an Error with what it has printed, where it ends before it serves */
export async function startTalk(): Promise<Started> {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(
    process.execPath,
    [join(packageRoot, 'bin', 'understudy.js'), 'start', '--no-open', '--yes', '--port', String(port)],
    {
      cwd: packageRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const ended = once(child, 'exit')
  let text = ''
  const link = await new Promise<string>((done, fail) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        text += String(chunk)
        const found = /http:\/\/localhost:\d+\/\?token=[\w-]+/.exec(text)
        if (found) done(found[0])
      })
    void ended.then(() => fail(new Error(`The talk did not start:\n${text}`)))
  })
  return {
    pid: child.pid ?? 0,
    link,
    began,
    printed: performance.now(),
    async end() {
      child.kill('SIGINT')
      await ended
    },
  }
}
