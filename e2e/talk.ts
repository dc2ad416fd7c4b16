import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { test as base, expect, type Page } from '@playwright/test'
import { freePort } from '../server/test/free-port.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A talk that was started from the command line. */
export interface Talk {
  /** `http://localhost:<port>` */
  origin: string
  /** The link that the server has printed, with its token. */
  link: string
  process: ChildProcess
  /** The output of the server so far. */
  output: () => string
  stop: (signal?: NodeJS.Signals) => Promise<number | null>
}

/**
 * Starts the talk and waits for its link.
 *
 * @param deck path of the slides, relative to the project or absolute
 * @param port a free port by default
 * @param through a command that runs the rest of its command line, to change the environment of the talk
 * @throws if the server exits before it prints the link
 */
export async function startTalk({
  command = 'start',
  deck = 'slides.md',
  port,
  args = [],
  env = {},
  through = [],
}: {
  command?: 'start' | 'dev' | 'workshop'
  deck?: string
  port?: number
  args?: string[]
  env?: Record<string, string>
  through?: string[]
} = {}): Promise<Talk> {
  const chosen = port ?? (await freePort())
  const [program, ...words] = [...through, process.execPath]
  const child = spawn(
    program,
    [
      ...words,
      'bin/understudy.js',
      command,
      deck,
      '--port',
      String(chosen),
      '--profile',
      'lab',
      '--yes',
      '--no-open',
      ...args,
    ],
    {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)))
  const exited = once(child, 'exit')
  const link = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const found = /(?:Slides|Workshop)\s+(https?:\S+)/.exec(output)?.[1]
      if (found) resolve(found)
    })
    void exited.then(([status]) =>
      reject(new Error(`the server exited with ${String(status)} before it printed its link:\n${output}`)),
    )
  })
  return {
    origin: `http://localhost:${chosen}`,
    link,
    process: child,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      const [status] = (await exited) as [number | null]
      return status
    },
  }
}

/** One talk for all tests of a file. */
export const test = base.extend<{ stage: Page }, { talk: Talk }>({
  talk: [
    async ({}, use) => {
      const talk = await startTalk()
      await use(talk)
      await talk.stop()
    },
    { scope: 'worker', timeout: 300_000 },
  ],
  /** A window of the presenter at the first slide. */
  stage: async ({ page, talk }, use) => {
    await page.goto(talk.link)
    await use(page)
  },
})
export { expect }

/** A step on the visible slide. */
export const step = (page: Page, id: string) => page.locator(`[data-step="${id}"]:visible`).first()

/** A terminal on the visible slide. */
export const terminal = (page: Page, name: string) => page.locator(`[data-terminal="${name}"]:visible`).first()

/** The text of a terminal's screen, row by row. */
export async function screen(page: Page, name: string): Promise<string> {
  return (await terminal(page, name).locator('.xterm-rows > div').allInnerTexts()).join('\n').replaceAll('\u00a0', ' ')
}

/** Process ids and command lines of all processes whose command line matches. */
export async function processes(pattern: RegExp): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim()
    if (pattern.test(command)) found.push(`${pid} ${command}`)
  }
  return found
}
