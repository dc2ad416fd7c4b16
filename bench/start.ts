import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deckPaths, packageRoot } from '../server/lib/paths.ts'
import { type Figure, medianFigure, round } from './figure.ts'
import { startTalk } from './running-talk.ts'

/**
 * Measures the time from the command until it prints the link: warm, and with an empty cache. `npm run try` measures
 * the start of a fresh clone.
 *
 * Other work on the machine slows down every start, so each warm start is also compared with the start of Node.js
 * alone, measured immediately before it.
 *
 * @param rounds number of warm starts
 */
export async function measureStart(rounds: number): Promise<Figure[]> {
  const cold = await coldStart()
  // The first start builds the deck, prepares the lab and fills the page cache.
  await secondsToLink()
  const seconds: number[] = []
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const node = startOfNode()
    const start = await secondsToLink()
    seconds.push(start)
    ratios.push(start / node)
  }
  return [
    medianFigure('warm start, until the link is printed', 's', seconds, { target: { atMost: 1 } }),
    medianFigure('warm start, relative to node -e 0', '×', ratios),
    { name: 'start with an empty cache but downloaded Debian packages', value: round(cold), unit: 's' },
  ]
}

async function secondsToLink(env: Record<string, string> = {}): Promise<number> {
  const talk = await startTalk({ env })
  await talk.end()
  return (talk.printedAt - talk.startedAt) / 1000
}

/** Prepares the lab and builds the deck in an empty cache. */
async function coldStart(): Promise<number> {
  const downloads = join(deckPaths(join(packageRoot, 'slides.md')).cache, 'debs')
  const cache = await mkdtemp(join(tmpdir(), 'understudy-bench-'))
  try {
    await mkdir(downloads, { recursive: true })
    await symlink(downloads, join(cache, 'debs'))
    return await secondsToLink({ UNDERSTUDY_CACHE: cache })
  } finally {
    await rm(cache, { recursive: true, force: true })
  }
}

/** Seconds that Node.js takes to run an empty script. */
function startOfNode(): number {
  const startedAt = performance.now()
  spawnSync(process.execPath, ['-e', '0'])
  return (performance.now() - startedAt) / 1000
}
