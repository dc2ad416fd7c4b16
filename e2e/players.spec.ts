import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from '@playwright/test'
import Headless from '@xterm/headless'
import { execa } from 'execa'
import * as pty from 'node-pty'
import sirv from 'sirv'
import { deckPaths } from '../server/lib/paths.ts'
import { type CastHeader, headerLine, parseCast } from '../shared/recording/cast.ts'

/** The recordings of the talk in asciinema's players and in the terminal. */

const folder = resolve('recordings/lab')
const steps = (await readdir(folder))
  .filter((name) => name.endsWith('.cast'))
  .map((name) => name.slice(0, -'.cast'.length))

/** @returns the rows of the screen after some output, as the slides show them */
async function finalScreen({ term }: Pick<CastHeader, 'term'>, output: string): Promise<string[]> {
  const terminal = new Headless.Terminal({ cols: term.cols, rows: term.rows, allowProposedApi: true })
  await new Promise<void>((resolve) => terminal.write(output, resolve))
  const { active } = terminal.buffer
  return Array.from({ length: term.rows }, (_, row) =>
    (active.getLine(active.baseY + row)?.translateToString() ?? '').trimEnd(),
  )
}

const recorded = async (step: string) => {
  const cast = parseCast(await readFile(join(folder, `${step}.cast`), 'utf8'))
  const output = cast.events.flatMap(({ code, data }) => (code === 'o' ? [data] : [])).join('')
  return { header: cast.header, screen: await finalScreen(cast.header, output) }
}

test("asciinema's web player shows the same final screen of every recording as the slides", async ({ page }) => {
  const [casts, player] = [folder, 'node_modules/asciinema-player/dist/bundle'].map((path) => sirv(path, { dev: true }))
  const server = createServer((request, response) => {
    const page = () =>
      void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><div id="player"></div>')
    casts?.(request, response, () => player?.(request, response, page))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.addStyleTag({ url: '/asciinema-player.css' })
    await page.addScriptTag({ url: '/asciinema-player.min.js' })
    for (const step of steps) {
      const { header, screen } = await recorded(step)
      const shown = () =>
        page
          .locator('.ap-term-text .ap-line')
          .allTextContents()
          .then((rows) => rows.map((row) => row.replaceAll('\u00a0', ' ').trimEnd()))
      await page.evaluate(async (name) => {
        const { AsciinemaPlayer } = window as unknown as {
          AsciinemaPlayer: {
            create: (
              url: string,
              element: Element | null,
            ) => {
              getDuration: () => Promise<number>
              play: () => Promise<void>
              pause: () => Promise<void>
              seek: (to: string) => Promise<void>
            }
          }
        }
        const element = document.querySelector('#player')
        element?.replaceChildren()
        const player = AsciinemaPlayer.create(`/${name}.cast`, element)
        await player.play()
        await player.pause()
        await player.seek('100%')
      }, step)
      await expect.poll(shown, { message: step }).toEqual(screen)
      expect(screen, step).toHaveLength(header.term.rows)
    }
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

test("exported casts play in Debian's asciinema", async () => {
  test.skip(spawnSync('asciinema', ['--version']).status !== 0, 'needs asciinema: apt-get install asciinema')
  const out = await mkdtemp(join(tmpdir(), 'understudy-casts-'))
  try {
    const { all, exitCode } = await execa(
      process.execPath,
      ['bin/understudy.js', 'export', '--format', 'cast', '--profile', 'lab', '--out', out],
      { reject: false, all: true },
    )
    expect(exitCode, all).toBe(0)
    expect((await readdir(out)).sort()).toEqual(steps.map((step) => `${step}.cast`).sort())
    for (const step of steps) {
      const { header, screen } = await recorded(step)
      // asciinema only plays to a terminal.
      const player = pty.spawn('asciinema', ['cat', join(out, `${step}.cast`)], {
        ...header.term,
        env: { ...process.env, LANG: 'C.UTF-8' },
      })
      let output = ''
      player.onData((data) => (output += data))
      const status = await new Promise((resolve) => player.onExit(({ exitCode: code }) => resolve(code)))
      expect(status, output).toBe(0)
      expect(await finalScreen(header, output), step).toEqual(screen)
    }
  } finally {
    await rm(out, { recursive: true })
  }
})

test('recordings and truncated session logs play in the current terminal', async () => {
  const cache = await mkdtemp(join(tmpdir(), 'understudy-play-'))
  process.env.UNDERSTUDY_CACHE = cache
  try {
    const { sessions } = deckPaths(resolve('slides.md'))
    await mkdir(sessions, { recursive: true })
    await writeFile(
      join(sessions, '2026-01-02T03-04-05.678Z-run-vm.cast'),
      `${headerLine({ version: 3, term: { cols: 40, rows: 5 } })}[0,"o","started\\r\\n"]\n[60,"o","after a minute\\r\\n"]\n[0.1,"o","cut o`,
    )
    const run = (...words: string[]) =>
      execa(process.execPath, ['bin/understudy.js', 'play', ...words], { reject: false, all: true })
    expect((await run()).stdout).toMatch(/image-sizes +\d+ \w+ 20\d\d, \d\d:\d\d +lab[^]*\n +1  run-vm +2 Jan 2026/)
    expect((await run('image-sizes')).stdout).toContain('du -h result/*')
    expect((await run('2')).stderr).toContain('List both with: npm run play')

    const player = pty.spawn(process.execPath, ['bin/understudy.js', 'play', '1'], {
      cols: 80,
      rows: 20,
      env: { ...process.env },
    })
    let output = ''
    player.onData((data) => (output += data))
    const ended = new Promise<number>((resolve) => player.onExit(({ exitCode }) => resolve(exitCode)))
    await expect.poll(() => output).toContain('started')
    player.write(' ')
    player.write('\r')
    await expect.poll(() => output).toContain('after a minute')
    expect(output).not.toContain('cut o')
    expect(await ended).toBe(0)
  } finally {
    delete process.env.UNDERSTUDY_CACHE
    await rm(cache, { recursive: true })
  }
})
