import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { packageRoot } from '../server/lib/paths.ts'
import { freePort } from '../server/test/free-port.ts'

/** A talk as `npm start` runs it: the real command and, unless set otherwise, this repository's deck and the user's cache. */
export interface RunningTalk {
  pid: number
  link: string
  /** `performance.now()` when the command was started. */
  startedAt: number
  /** `performance.now()` when the command had printed the link. */
  printedAt: number
  end: () => Promise<void>
}

/**
 * @param deck absolute; by default the deck of this repository
 * @throws Error with the command's output if it exits before it prints the link
 */
export async function startTalk({
  deck = join(packageRoot, 'slides.md'),
  env = {},
}: { deck?: string; env?: Record<string, string> } = {}): Promise<RunningTalk> {
  const port = await freePort()
  const startedAt = performance.now()
  const child = spawn(
    process.execPath,
    [join(packageRoot, 'bin', 'understudy.js'), 'start', deck, '--no-open', '--yes', '--port', String(port)],
    { cwd: packageRoot, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const exited = once(child, 'exit')
  let output = ''
  const link = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += String(chunk)
        const found = /http:\/\/localhost:\d+\/\?token=[\w-]+/.exec(output)
        if (found) resolve(found[0])
      })
    void exited.then(([status]) =>
      reject(new Error(`The talk exited with status ${String(status)} before it printed its link:\n${output}`)),
    )
  })
  return {
    pid: child.pid ?? 0,
    link,
    startedAt,
    printedAt: performance.now(),
    async end() {
      child.kill('SIGINT')
      await exited
    },
  }
}
