import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import sirv from 'sirv'
import { access } from '../shared/roles.ts'
import { staticDeckOf } from '../server/cli/build.ts'
import { buildDeck, buildSite } from '../server/deck/build.ts'
import { compressFolder } from '../server/deck/compress.ts'
import { readDeck } from '../server/deck/deck.ts'
import { serveBuilt } from '../server/http/built-deck.ts'
import { packageRoot } from '../server/lib/paths.ts'
import { launchChromium } from './chromium.ts'
import { type Figure, median, medianFigure, round } from './figure.ts'
import { measurePageLoad, type PageLoad, totalBytes } from './page-load.ts'
import { startTalk } from './running-talk.ts'

const MAX_FIRST_SLIDE_KB = 700

/** Two slides, the first of which has a terminal if the deck uses the addon. */
const deckSource = (withAddon: boolean) => `---
theme: none
${withAddon ? 'addons: [slidev-addon-understudy]\nlayout: stage\n' : ''}title: Benchmark
fonts: { provider: none }
favicon: 'data:,'
---

# Count

\`\`\`sh ${withAddon ? '{step=count}' : ''}
seq 3
\`\`\`

---

# Second slide
`

/**
 * Measures what a browser with an empty cache transfers until it shows the first slide, and how soon it does: for the
 * talk of this repository, its static site, and a small deck with and without the addon.
 *
 * @param rounds number of loads of each page
 */
export async function measurePage(rounds: number): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-bench-page-'))
  const browser = await launchChromium()
  const cache = join(folder, 'cache')
  try {
    const talk = await withTalk({}, (link) => load(browser, link, rounds))
    const site = await withServer(sirv(await writeSite(join(folder, 'site')), { brotli: true, gzip: true }), (link) =>
      load(browser, link, rounds),
    )
    const plainFile = await writeDeck(join(folder, 'plain'), false)
    const { folder: plainFolder } = await buildDeck({ file: plainFile, files: [plainFile], slides: [] }, cache)
    const plainDeck = serveBuilt(() => plainFolder)
    const plain = await withServer(
      (request, response) => plainDeck.request(request, response, access('audience')),
      (link) => load(browser, link, rounds),
    )
    const deck = await writeDeck(join(folder, 'deck'), true)
    const small = await withTalk({ deck, env: { UNDERSTUDY_CACHE: cache } }, (link) => load(browser, link, rounds))

    const firstSlide = (name: string, loads: PageLoad[]) =>
      medianFigure(`first slide of ${name}, transferred`, 'kB', loads.map(firstKilobytes), {
        target: { atMost: MAX_FIRST_SLIDE_KB },
        references: {
          'all other slides afterwards, kB': round(median(loads.map((each) => totalBytes(each.later) / 1000))),
        },
      })
    const relative = (name: string, unit: string, measure: (load: PageLoad) => number): Figure => {
      const [measured, reference] = [median(small.map(measure)), median(plain.map(measure))]
      return {
        name: `a slide with a terminal, relative to the same slide without the addon: ${name}`,
        value: round(measured / reference),
        unit: '×',
        references: { [`with, ${unit}`]: round(measured), [`without, ${unit}`]: round(reference) },
      }
    }
    return [
      firstSlide('the talk', talk),
      firstSlide('the static site', site),
      relative('transferred', 'kB', firstKilobytes),
      relative('first contentful paint', 'ms', (each) => each.firstContentfulPaintMs),
      medianFigure(
        'total blocking time of that slide',
        'ms',
        small.map((each) => each.totalBlockingTimeMs),
        {
          references: { 'without the addon, ms': round(median(plain.map((each) => each.totalBlockingTimeMs))) },
        },
      ),
    ]
  } finally {
    await browser.close()
    await rm(folder, { recursive: true })
  }
}

const firstKilobytes = ({ first }: PageLoad) => totalBytes(first) / 1000

async function load(browser: Browser, link: string, rounds: number): Promise<PageLoad[]> {
  const loads: PageLoad[] = []
  for (let round = 0; round < rounds; round++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 } })
    loads.push(await measurePageLoad(context, link))
    await context.close()
  }
  return loads
}

async function withTalk<Result>(
  options: Parameters<typeof startTalk>[0],
  use: (link: string) => Promise<Result>,
): Promise<Result> {
  const talk = await startTalk(options)
  try {
    return await use(talk.link)
  } finally {
    await talk.end()
  }
}

async function withServer<Result>(serve: RequestListener, use: (link: string) => Promise<Result>): Promise<Result> {
  const server = createServer(serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** Builds this repository's deck as a static site. @returns its folder */
async function writeSite(out: string): Promise<string> {
  const deck = await readDeck(join(packageRoot, 'slides.md'))
  const { signal } = new AbortController()
  await buildSite(deck, out, { site: await staticDeckOf(deck), withNotes: false, signal })
  await compressFolder(out, 'best')
  return out
}

/** Writes a deck with the packages that it needs. @returns its file */
async function writeDeck(folder: string, withAddon: boolean): Promise<string> {
  const packages = join(folder, 'node_modules')
  await mkdir(packages, { recursive: true })
  await symlink(packageRoot, join(packages, 'slidev-addon-understudy'))
  for (const name of ['@slidev', 'vue']) await symlink(join(packageRoot, 'node_modules', name), join(packages, name))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'benchmark', private: true, type: 'module' }))
  await writeFile(join(folder, 'slides.md'), deckSource(withAddon))
  return join(folder, 'slides.md')
}
