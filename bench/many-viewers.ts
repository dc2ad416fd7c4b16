import { readdirSync, readFileSync } from 'node:fs'
import { type Figure, figure } from './figure.ts'
import { startPart } from './child-process.ts'
import { startSubject } from './talk.ts'
import { enter, Viewer } from './viewer.ts'

const VIEWERS = 50

/** Fifty viewers of one terminal: one shell, and how long each waits for its picture although the scrollback is full. */
export async function manyViewers(): Promise<Figure[]> {
  const subject = await startSubject()
  const { link, terminal } = subject.ready
  const ticket = await enter(link)
  const typist = await Viewer.open({ ticket, terminal })
  try {
    const filled = typist.shows('FILLED-42')
    typist.type(
      'for i in $(seq 12000); do printf "\\033[3%dm%d \\033[1mcolour\\033[0m\\n" $((i % 8)) $i; done; echo FILLED-$((6 * 7))\r',
    )
    await filled
    const alone: number[] = []
    for (let time = 0; time < 5; time++) {
      const began = performance.now()
      const late = await Viewer.open({ ticket, terminal })
      alone.push(performance.now() - began)
      await late.close()
    }
    const viewers = await startPart('viewers.ts', [JSON.stringify({ link, terminal, count: VIEWERS })], () => undefined)
    const seen = new Promise((done) => viewers.child.once('message', done))
    viewers.child.send('ALL-42')
    const began = performance.now()
    typist.type('echo ALL-$((6 * 7))\r')
    await seen
    const shown = performance.now() - began
    const shells = shellsOf(subject.pid)
    await viewers.end()
    return [
      figure('a late viewer, until it has its picture with 10,000 lines', 'ms', alone, { target: { atMost: 200 } }),
      { name: `${VIEWERS} viewers, until all show what was typed`, value: Math.round(shown), unit: 'ms' },
      { name: `${VIEWERS} viewers, shells`, value: shells, unit: '', target: { atMost: 1 } },
    ]
  } finally {
    await typist.close()
    await subject.end()
  }
}

/** Children of a process, by /proc. */
function shellsOf(parent: number): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      return stat.includes('(bash)') && Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
    } catch {
      return false
    }
  }).length
}
