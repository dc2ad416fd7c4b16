import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from '@playwright/test'
import Headless from '@xterm/headless'
import { execa } from 'execa'
import * as pty from 'node-pty'
import sirv from 'sirv'
import { type CastHeader, parseCast } from '../server/recording/cast.ts'

/** The recordings of the talk, in the players of others. */

const folder = resolve('recordings/lab')
const steps = (await readdir(folder)).filter((name) => name.endsWith('.cast')).map((name) => name.slice(0, -'.cast'.length))

/** The rows of the screen that output ends with, as the slides show them. */
async function finalScreen({ term }: Pick<CastHeader, 'term'>, output: string): Promise<string[]> {
  const terminal = new Headless.Terminal({ cols: term.cols, rows: term.rows, allowProposedApi: true })
  await new Promise<void>((done) => terminal.write(output, done))
  const { active } = terminal.buffer
  return Array.from({ length: term.rows }, (_, row) => (active.getLine(active.baseY + row)?.translateToString() ?? '').trimEnd())
}

const recorded = async (step: string) => {
  const cast = parseCast(await readFile(join(folder, `${step}.cast`), 'utf8'))
  const output = cast.events.flatMap(({ code, data }) => (code === 'o' ? [data] : [])).join('')
  return { header: cast.header, screen: await finalScreen(cast.header, output) }
}

test("asciinema's player shows the end of every recording as the slides do", async ({ page }) => {
  const [casts, player] = [folder, 'node_modules/asciinema-player/dist/bundle'].map((path) => sirv(path, { dev: true }))
  const server = createServer((request, response) => {
    const page = () => void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><div id="player"></div>')
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
      const shown = () => page.locator('.ap-term-text .ap-line').allTextContents().then((rows) => rows.map((row) => row.replaceAll('\u00a0', ' ').trimEnd()))
      await page.evaluate(async (name) => {
        const { AsciinemaPlayer } = window as unknown as { AsciinemaPlayer: { create(url: string, place: Element | null): { getDuration(): Promise<number>; play(): Promise<void>; pause(): Promise<void>; seek(to: string): Promise<void> } } }
        const place = document.querySelector('#player')
        place?.replaceChildren()
        const player = AsciinemaPlayer.create(`/${name}.cast`, place)
        await player.play()
        await player.pause()
        await player.seek('100%')
      }, step)
      await expect.poll(shown, { message: step }).toEqual(screen)
      expect(screen, step).toHaveLength(header.term.rows)
    }
  } finally {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
})

test("what the export writes plays in Debian's asciinema", async () => {
  test.skip(spawnSync('asciinema', ['--version']).status !== 0, 'there is no asciinema here: apt-get install asciinema')
  const out = await mkdtemp(join(tmpdir(), 'understudy-casts-'))
  try {
    const { all, exitCode } = await execa(process.execPath, ['bin/understudy.js', 'export', '--format', 'cast', '--profile', 'lab', '--out', out], { reject: false, all: true })
    expect(exitCode, all).toBe(0)
    expect((await readdir(out)).sort()).toEqual(steps.map((step) => `${step}.cast`).sort())
    for (const step of steps) {
      const { header, screen } = await recorded(step)
      // It plays to a terminal only.
      const player = pty.spawn('asciinema', ['cat', join(out, `${step}.cast`)], { ...header.term, env: { ...process.env, LANG: 'C.UTF-8' } })
      let output = ''
      player.onData((data) => (output += data))
      const status = await new Promise((done) => player.onExit(({ exitCode: code }) => done(code)))
      expect(status, output).toBe(0)
      expect(await finalScreen(header, output), step).toEqual(screen)
    }
  } finally {
    await rm(out, { recursive: true })
  }
})
