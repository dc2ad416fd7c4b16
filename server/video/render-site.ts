import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { launchBrowser } from '../lib/browser.ts'
import type { Deck } from '../deck/deck.ts'
import { json } from '../../shared/json.ts'
import { type ServedSite, serveSite } from '../http/serve-site.ts'
import { buildSite, deckVersion } from '../deck/slidev.ts'
import type { StaticDeck } from '../../shared/static-deck.ts'
import { Camera, partOf } from './frame-capturer.ts'
import type { Timeline } from '../../shared/video/timeline.ts'

/** The static site that is filmed. */
export interface FilmSite extends ServedSite {
  version: string
  /** The clicks of each slide. */
  clicks: number[]
}

const CLICKS = 'clicks.json'

/**
 * Builds the site, unless this version is there, and serves it to this machine.
 *
 * @param folder of the films, absolute
 * @throws BuildError
 */
export async function openSite(deck: Deck, site: StaticDeck, folder: string, signal: AbortSignal): Promise<FilmSite> {
  const version = createHash('sha256')
    .update(await deckVersion(deck.file, deck.files))
    .update(JSON.stringify(site))
    .digest('hex')
    .slice(0, 16)
  const out = join(folder, `site-${version}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (!existsSync(join(out, 'index.html'))) {
    for (const name of await readdir(folder))
      if (name.startsWith('site-')) await rm(join(folder, name), { recursive: true })
    await buildSite(deck.file, out, { site, withNotes: false, signal })
  }
  const served = await serveSite(out)
  try {
    return { ...served, version, clicks: await clicksOf(join(out, CLICKS), served.origin, site, signal) }
  } catch (error) {
    served.close()
    throw error
  }
}

/** Only Slidev knows how many clicks a slide takes: each is opened once, and what was found is kept with the site. */
async function clicksOf(file: string, origin: string, { steps }: StaticDeck, signal: AbortSignal): Promise<number[]> {
  const known = z.array(z.number().int()).safeParse(json(await readFile(file, 'utf8').catch(() => '')))
  if (known.success) return known.data
  const browser = await launchBrowser()
  const close = () => void browser.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    const empty: Timeline = {
      version: 1,
      title: '',
      date: new Date(0).toISOString(),
      length: 1,
      opening: { profile: 'host', steps, terminals: [] },
      events: [],
      chapters: [],
      captions: [],
      narration: [],
      poster: 0,
    }
    const camera = await Camera.open(
      browser,
      origin,
      empty,
      { width: 640, height: 360, scale: 1, fps: 30, dark: false },
      partOf(empty, 30, 0, 1),
    )
    const clicks = await camera.clicks()
    await writeFile(file, JSON.stringify(clicks))
    return clicks
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', close)
    await browser.close()
  }
}
