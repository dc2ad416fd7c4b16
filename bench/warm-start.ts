import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { WebSocket } from 'ws'
import { serverMessage, SOCKET_PATH, type ServerMessage } from '../shared/protocol/talk.ts'
import { type Figure, figure, round } from './figure.ts'
import { processorTime, sleep } from './child-process.ts'
import { startTalk } from './started.ts'
import { enter, Viewer } from './viewer.ts'

// By Node itself: the loader of TypeScript cannot load it.
const { chromium }: typeof import('playwright-core') = createRequire(import.meta.url)('playwright-core')

/** Where Debian and others put Chromium. */
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
)

/**
 * How long a talk that was given before takes from the command to its first slide, and to its first terminal.
 *
 * @param times that it is started
 * @param idle seconds for which the processor time of the last one is taken, while nothing happens
 */
export async function warmStart(times: number, idle: number): Promise<Figure[]> {
  // Built, prepared and in the disk's cache from here on.
  await (await startTalk()).end()
  const browser =
    CHROMIUM === undefined ? undefined : await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  const seconds = { link: [] as number[], page: [] as number[], slide: [] as number[], terminal: [] as number[] }
  let core = NaN
  try {
    for (let time = 0; time < times; time++) {
      const talk = await startTalk()
      try {
        const since = () => (performance.now() - talk.began) / 1000
        seconds.link.push((talk.printed - talk.began) / 1000)
        const ticket = await enter(talk.link)
        const headers = { cookie: ticket.cookie }
        const page = await (await fetch(ticket.origin, { headers })).text()
        const assets = [...page.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map((match) => match[1] ?? '')
        await Promise.all(assets.map(async (path) => (await fetch(ticket.origin + path, { headers })).arrayBuffer()))
        seconds.page.push(since())
        const terminal = (await hello(ticket)).steps[0]?.terminal ?? ''
        const asked = performance.now()
        const viewer = await Viewer.open({ ticket, terminal })
        seconds.terminal.push((performance.now() - asked) / 1000)
        if (browser) {
          const context = await browser.newContext()
          const tab = await context.newPage()
          const opened = performance.now()
          await tab.goto(talk.link)
          await tab.locator('.slidev-layout').first().waitFor({ state: 'visible' })
          seconds.slide.push((talk.printed - talk.began + performance.now() - opened) / 1000)
          await context.close()
        }
        if (time === times - 1) {
          await sleep(3000)
          const before = processorTime(talk.pid)
          await sleep(idle * 1000)
          core = ((processorTime(talk.pid) - before) / idle) * 100
        }
        await viewer.close()
      } finally {
        await talk.end()
      }
    }
  } finally {
    await browser?.close()
  }
  return [
    figure('warm start, until the link is printed', 's', seconds.link),
    figure('warm start, until page, scripts and styles are served', 's', seconds.page),
    ...(seconds.slide.length > 0
      ? [
          figure('warm start, until the first slide is seen in Chromium', 's', seconds.slide, {
            target: { atMost: 1.5 },
          }),
        ]
      : []),
    figure('first terminal, from asking to its prompt', 's', seconds.terminal, { target: { atMost: 0.3 } }),
    { name: 'idle server with one viewer', value: round(core), unit: '% of a core', target: { atMost: 0.5 } },
  ]
}

/**
 * Frames that Chromium draws each second while a terminal of the talk floods.
 *
 * @param duration seconds
 */
export async function frames(duration: number): Promise<Figure[]> {
  if (CHROMIUM === undefined) return []
  const talk = await startTalk()
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  try {
    const ticket = await enter(talk.link)
    const step = (await hello(ticket)).steps[0]
    if (!step) throw new Error('The deck has no step.')
    const tab = await browser.newPage({ viewport: { width: 1280, height: 720 } })
    await tab.goto(talk.link)
    await tab.goto(`${ticket.origin}/${step.slide}`)
    await tab.locator(`[data-terminal="${step.terminal}"] .xterm-screen`).first().waitFor({ state: 'visible' })
    const typist = await Viewer.open({ ticket, terminal: step.terminal })
    typist.send({ type: 'detach', terminal: step.terminal })
    const counted = () =>
      tab.evaluate(
        (milliseconds) =>
          new Promise<number>((done) => {
            let drawn = 0
            const began = performance.now()
            const draw = () => {
              drawn++
              if (performance.now() - began < milliseconds) requestAnimationFrame(draw)
              else done((drawn / (performance.now() - began)) * 1000)
            }
            requestAnimationFrame(draw)
          }),
        duration * 1000,
      )
    const still = await counted()
    typist.type('yes "$(seq 1 200)"\r')
    await sleep(1000)
    const flooded = await counted()
    typist.type('\u0003')
    await typist.close()
    return [
      {
        name: 'frames in Chromium during a flood',
        value: round(flooded),
        unit: '1/s',
        target: { atLeast: 50 },
        references: { 'the same page, nothing happening, 1/s': round(still) },
      },
    ]
  } finally {
    await browser.close()
    await talk.end()
  }
}

type Hello = Extract<ServerMessage, { type: 'hello' }>

/** What the server says first. */
async function hello({ origin, cookie }: { origin: string; cookie: string }): Promise<Hello> {
  const { host } = new URL(origin)
  const socket = new WebSocket(`ws://${host}${SOCKET_PATH}`, { headers: { host, origin, cookie } })
  try {
    return await new Promise<Hello>((done, fail) => {
      socket.once('error', fail)
      socket.once('message', (data) => {
        const message = serverMessage.parse(JSON.parse(String(data)))
        if (message.type === 'hello') done(message)
        else fail(new Error(`The server said ${message.type} first.`))
      })
    })
  } finally {
    socket.terminate()
  }
}
