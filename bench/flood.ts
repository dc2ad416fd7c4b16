import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { type Figure, figure, median, round } from './figure.ts'
import { startPart } from './child-process.ts'
import { readingTime } from './reference/pty.ts'
import { type Subject, startSubject } from './talk.ts'
import { enter, Viewer } from './viewer.ts'

const GRID = { cols: 88, rows: 18 }

/**
 * How fast 100 MB of output come through: to the screen, the recorder and, by pictures, every viewer, held against the headless screen alone with
 * the same bytes, against node-pty alone, and against node-pty with a screen in a thread and nothing else: what the machine can carry at most.
 *
 * @param size bytes of the flood
 * @param times that each is measured, one after the other, so that all have the same noise
 */
export async function flood(size: number, times: number): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-flood-'))
  const plain = join(folder, 'plain')
  const parsed = join(folder, 'parsed')
  const bytes = await writeLines(plain, parsed, size)
  const megabytes = bytes / 1e6
  const speeds = {
    parser: [] as number[],
    pty: [] as number[],
    both: [] as number[],
    one: [] as number[],
    ten: [] as number[],
  }
  const ratios = { one: [] as number[], ten: [] as number[] }
  const ofBoth = { one: [] as number[], ten: [] as number[] }
  let resyncs = 0
  try {
    for (let time = 0; time < times; time++) {
      speeds.pty.push(megabytes / (await readingTime(`cat ${plain}`, GRID.cols, GRID.rows)))
      for (const [name, count] of [
        ['one', 1],
        ['ten', 10],
      ] as const) {
        const before = megabytes / (await secondsOf('parser.ts', parsed))
        const both = megabytes / (await secondsOf('pty-screen.ts', `cat ${plain}`))
        const { seconds, snapshots } = await show(plain, count)
        const after = megabytes / (await secondsOf('parser.ts', parsed))
        const speed = megabytes / seconds
        resyncs += snapshots
        speeds.parser.push(before, after)
        speeds.both.push(both)
        ofBoth[name].push(speed / both)
        speeds[name].push(speed)
        ratios[name].push(speed / ((before + after) / 2))
      }
    }
  } finally {
    await rm(folder, { recursive: true })
  }
  const references = {
    'headless screen alone, MB/s': round(median(speeds.parser)),
    'node-pty alone, MB/s': round(median(speeds.pty)),
    'node-pty and a headless screen, MB/s': round(median(speeds.both)),
  }
  return [
    figure('flood, 1 viewer', 'MB/s', speeds.one, { references }),
    figure('flood, 1 viewer, of the headless screen alone', 'ratio', ratios.one, { target: { atLeast: 0.9 } }),
    figure('flood, 1 viewer, of node-pty and a headless screen', 'ratio', ofBoth.one),
    figure('flood, 10 viewers', 'MB/s', speeds.ten, { references }),
    figure('flood, 10 viewers, of the headless screen alone', 'ratio', ratios.ten, { target: { atLeast: 0.9 } }),
    figure('flood, 10 viewers, of node-pty and a headless screen', 'ratio', ofBoth.ten),
    { name: 'flood, pictures that viewers were shown', value: resyncs, unit: 'in all runs' },
  ]
}

/** Writes short lines, and the same as the terminal sends them: with a carriage return before each line feed. @returns bytes of the latter */
async function writeLines(plain: string, parsed: string, size: number): Promise<number> {
  const [toPlain, toParsed] = [createWriteStream(plain), createWriteStream(parsed)]
  let bytes = 0
  for (let number = 0; bytes < size;) {
    let lines = ''
    for (; lines.length < 1 << 20; number++)
      lines += `${number} ${'the quick brown fox jumps over the lazy dog'.slice(0, number % 44)}\n`
    const sent = lines.replaceAll('\n', '\r\n')
    bytes += sent.length
    for (const [stream, text] of [
      [toPlain, lines],
      [toParsed, sent],
    ] as const)
      if (!stream.write(text)) await once(stream, 'drain')
  }
  for (const stream of [toPlain, toParsed]) await new Promise<void>((done) => stream.end(done))
  return bytes
}

/** @param of a reference that tells the seconds that it took */
async function secondsOf(reference: string, of: string): Promise<number> {
  const { ready, end } = await startPart(
    `reference/${reference}`,
    [of, String(GRID.cols), String(GRID.rows)],
    (seconds) => z.number().parse(seconds),
  )
  await end()
  return ready
}

async function show(file: string, count: number): Promise<{ seconds: number; snapshots: number }> {
  const subject = await startSubject()
  const { link, terminal } = subject.ready
  const viewers = await startPart('viewers.ts', [JSON.stringify({ link, terminal, count })], () => undefined)
  try {
    const typist = await Viewer.open({ ticket: await enter(link), terminal })
    const seen = new Promise<{ snapshots: number }>((done) =>
      viewers.child.once('message', (message) => done(z.object({ snapshots: z.number() }).parse(message))),
    )
    viewers.child.send('END-42')
    // It does not watch: only those that are counted do.
    typist.send({ type: 'detach', terminal })
    const began = performance.now()
    typist.type(`cat ${file}; echo END-$((6 * 7))\r`)
    const { snapshots } = await seen
    const seconds = (performance.now() - began) / 1000
    await onScreen(subject, 'END-42')
    await typist.close()
    return { seconds, snapshots }
  } finally {
    await viewers.end()
    await subject.end()
  }
}

/** A viewer that comes now is painted by the server's own screen: it has parsed everything before. */
async function onScreen({ ready: { link, terminal } }: Subject, text: string): Promise<void> {
  let shown = ''
  const late = await Viewer.open({ ticket: await enter(link), terminal, onDrawn: (drawn) => (shown += drawn) })
  await late.close()
  if (!shown.includes(text)) throw new Error(`The screen does not show ${text}.`)
}
