import { readdirSync, readFileSync } from 'node:fs'
import { startChildProcess } from './child-process.ts'
import { type Figure, medianFigure } from './figure.ts'
import { startServerUnderTest } from './server-under-test.ts'
import { logIn, Viewer } from './viewer.ts'

const VIEWERS = 50

/**
 * Measures 50 viewers of one terminal with full scrollback: the number of shells, and the time until a late viewer has
 * its snapshot.
 */
export async function measureManyViewers(): Promise<Figure[]> {
  const server = await startServerUnderTest()
  const { link, terminal } = server.ready
  const ticket = await logIn(link)
  const typist = await Viewer.open({ ticket, terminal })
  try {
    const filled = typist.waitFor('FILLED-42')
    typist.type(
      'for i in $(seq 12000); do printf "\\033[3%dm%d \\033[1mcolor\\033[0m\\n" $((i % 8)) $i; done; echo FILLED-$((6 * 7))\r',
    )
    await filled
    const snapshotTimes: number[] = []
    for (let iteration = 0; iteration < 5; iteration++) {
      const began = performance.now()
      const lateViewer = await Viewer.open({ ticket, terminal })
      snapshotTimes.push(performance.now() - began)
      await lateViewer.close()
    }
    const viewers = await startChildProcess(
      'viewers-process.ts',
      [JSON.stringify({ link, terminal, count: VIEWERS })],
      () => undefined,
    )
    const allShow = new Promise((resolve) => viewers.child.once('message', resolve))
    viewers.child.send('ALL-42')
    const began = performance.now()
    typist.type('echo ALL-$((6 * 7))\r')
    await allShow
    const milliseconds = Math.round(performance.now() - began)
    const shells = countShells(server.pid)
    await viewers.end()
    return [
      medianFigure('late viewer, until it has a snapshot with 10,000 lines', 'ms', snapshotTimes, {
        target: { atMost: 200 },
      }),
      { name: `${VIEWERS} viewers, until all show a typed command's output`, value: milliseconds, unit: 'ms' },
      { name: `${VIEWERS} viewers, shells`, value: shells, unit: '', target: { atMost: 1 } },
    ]
  } finally {
    await typist.close()
    await server.end()
  }
}

/** Counts the child processes of a process that run bash. */
function countShells(parent: number): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      return stat.includes('(bash)') && Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
    } catch {
      // The process has exited since the folder was listed.
      return false
    }
  }).length
}
