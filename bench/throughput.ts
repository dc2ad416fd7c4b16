import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { startChildProcess } from './child-process.ts'
import { type Figure, median, medianFigure, round } from './figure.ts'
import { secondsToRead } from './reference/pty.ts'
import { type ServerUnderTest, startServerUnderTest } from './server-under-test.ts'
import { logIn, Viewer } from './viewer.ts'

const GRID = { cols: 88, rows: 18 }

/**
 * Measures the speed at which a large output reaches the screen, the recorder and, as screen snapshots, every viewer.
 * References: the headless screen alone with the same bytes; node-pty alone; and node-pty with a screen in a worker
 * thread, which is the upper limit on this machine.
 *
 * @param size bytes of the output
 * @param rounds number of measurements of the server and each reference. They take turns, so that other load on the
 * machine affects all of them.
 */
export async function measureThroughput(size: number, rounds: number): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-throughput-'))
  const printedFile = join(folder, 'printed')
  const receivedFile = join(folder, 'received')
  const megabytes = (await writeLines(printedFile, receivedFile, size)) / 1e6
  const speeds = {
    screen: [] as number[],
    pty: [] as number[],
    ptyAndScreen: [] as number[],
    oneViewer: [] as number[],
    tenViewers: [] as number[],
  }
  const ratiosToScreen = { oneViewer: [] as number[], tenViewers: [] as number[] }
  const ratiosToPtyAndScreen = { oneViewer: [] as number[], tenViewers: [] as number[] }
  let snapshots = 0
  try {
    for (let iteration = 0; iteration < rounds; iteration++) {
      speeds.pty.push(megabytes / (await secondsToRead(`cat ${printedFile}`, GRID.cols, GRID.rows)))
      for (const [name, viewers] of [
        ['oneViewer', 1],
        ['tenViewers', 10],
      ] as const) {
        const before = megabytes / (await secondsOfReference('parser-process.ts', receivedFile))
        const ptyAndScreen = megabytes / (await secondsOfReference('pty-screen-process.ts', `cat ${printedFile}`))
        const shown = await showFile(printedFile, viewers)
        const after = megabytes / (await secondsOfReference('parser-process.ts', receivedFile))
        const speed = megabytes / shown.seconds
        snapshots += shown.snapshots
        speeds.screen.push(before, after)
        speeds.ptyAndScreen.push(ptyAndScreen)
        speeds[name].push(speed)
        ratiosToScreen[name].push(speed / ((before + after) / 2))
        ratiosToPtyAndScreen[name].push(speed / ptyAndScreen)
      }
    }
  } finally {
    await rm(folder, { recursive: true })
  }
  const references = {
    'headless screen alone, MB/s': round(median(speeds.screen)),
    'node-pty alone, MB/s': round(median(speeds.pty)),
    'node-pty and a headless screen, MB/s': round(median(speeds.ptyAndScreen)),
  }
  const figuresOf = (name: 'oneViewer' | 'tenViewers', label: string): Figure[] => [
    medianFigure(`throughput, ${label}`, 'MB/s', speeds[name], { references }),
    medianFigure(`throughput, ${label}, relative to the headless screen alone`, 'ratio', ratiosToScreen[name], {
      target: { atLeast: 0.9 },
    }),
    medianFigure(
      `throughput, ${label}, relative to node-pty and a headless screen`,
      'ratio',
      ratiosToPtyAndScreen[name],
    ),
  ]
  return [
    ...figuresOf('oneViewer', '1 viewer'),
    ...figuresOf('tenViewers', '10 viewers'),
    { name: 'throughput, screen snapshots sent to viewers', value: snapshots, unit: 'in all runs' },
  ]
}

/**
 * Writes a file of short lines, and another file with the same lines as a terminal sends them: with a carriage return
 * before each line feed.
 *
 * @returns the size of the second file in bytes
 */
async function writeLines(printedFile: string, receivedFile: string, size: number): Promise<number> {
  const [printed, received] = [createWriteStream(printedFile), createWriteStream(receivedFile)]
  let bytes = 0
  for (let number = 0; bytes < size;) {
    let lines = ''
    for (; lines.length < 1 << 20; number++)
      lines += `${number} ${'the quick brown fox jumps over the lazy dog'.slice(0, number % 44)}\n`
    const sent = lines.replaceAll('\n', '\r\n')
    bytes += sent.length
    for (const [stream, text] of [
      [printed, lines],
      [received, sent],
    ] as const)
      if (!stream.write(text)) await once(stream, 'drain')
  }
  for (const stream of [printed, received]) await new Promise<void>((resolve) => stream.end(resolve))
  return bytes
}

/** Runs a reference process. @returns its duration in seconds, which the process sends */
async function secondsOfReference(file: string, input: string): Promise<number> {
  const { ready, end } = await startChildProcess(
    `reference/${file}`,
    [input, String(GRID.cols), String(GRID.rows)],
    (seconds) => z.number().parse(seconds),
  )
  await end()
  return ready
}

/**
 * Prints a file in the terminal of a new server.
 *
 * @returns seconds until all viewers show the end of the file, and the number of snapshots sent to them
 */
async function showFile(file: string, count: number): Promise<{ seconds: number; snapshots: number }> {
  const server = await startServerUnderTest()
  const { link, terminal } = server.ready
  const viewers = await startChildProcess(
    'viewers-process.ts',
    [JSON.stringify({ link, terminal, count })],
    () => undefined,
  )
  try {
    const typist = await Viewer.open({ ticket: await logIn(link), terminal })
    const allShow = new Promise<{ snapshots: number }>((resolve) =>
      viewers.child.once('message', (message) => resolve(z.object({ snapshots: z.number() }).parse(message))),
    )
    viewers.child.send('END-42')
    // Only the counted viewers receive output.
    typist.send({ type: 'detach', terminal })
    const began = performance.now()
    typist.type(`cat ${file}; echo END-$((6 * 7))\r`)
    const { snapshots } = await allShow
    const seconds = (performance.now() - began) / 1000
    await assertOnServerScreen(server, 'END-42')
    await typist.close()
    return { seconds, snapshots }
  } finally {
    await viewers.end()
    await server.end()
  }
}

/** Checks the server's own screen, using the snapshot that a new viewer receives. */
async function assertOnServerScreen({ ready: { link, terminal } }: ServerUnderTest, text: string): Promise<void> {
  let drawn = ''
  const lateViewer = await Viewer.open({ ticket: await logIn(link), terminal, onDrawn: (each) => (drawn += each) })
  await lateViewer.close()
  if (!drawn.includes(text)) throw new Error(`The screen of the server does not show ${text}.`)
}
