import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { json } from '../../shared/json.ts'
import type { StaticDeck } from '../../shared/static-deck.ts'
import type { Timeline } from '../../shared/video/timeline.ts'
import type { Deck } from '../deck/deck.ts'
import { deckVersion } from '../deck/build-version.ts'
import { buildSite } from '../deck/build.ts'
import { type ServedSite, serveSite } from '../http/serve-site.ts'
import { launchBrowser } from '../lib/browser.ts'
import { FrameCapturer } from './frame-capturer.ts'
import type { RenderSettings } from './render-settings.ts'
import { segmentOf } from './segments.ts'

/** The static site of a deck, served for the renderer. */
export interface RenderSite extends ServedSite {
  /** Changes with everything that the site shows. */
  version: string
  /** The number of clicks of each slide, in order. */
  clicks: number[]
}

const CLICKS_FILE = 'clicks.json'
/** The size does not matter for counting clicks. */
const COUNTING_SETTINGS: RenderSettings = { width: 640, height: 360, scale: 1, fps: 30, dark: false }

/**
 * Builds the site of a deck, unless this version exists already, and serves it on the loopback interface.
 *
 * @param folder of the built sites, absolute; older versions in it are removed
 * @throws BuildError, VideoError
 */
export async function openRenderSite(
  deck: Deck,
  site: StaticDeck,
  folder: string,
  signal: AbortSignal,
): Promise<RenderSite> {
  const versionWith = (deckVersion: string) =>
    createHash('sha256').update(deckVersion).update(JSON.stringify(site)).digest('hex').slice(0, 16)
  let version = versionWith(await deckVersion(deck.file, deck.files, 'site'))
  let out = join(folder, `site-${version}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (!existsSync(join(out, 'index.html'))) {
    for (const name of await readdir(folder))
      if (name.startsWith('site-')) await rm(join(folder, name), { recursive: true })
    const fresh = join(folder, 'site-new')
    version = versionWith(await buildSite(deck, fresh, { site, withNotes: false, signal }))
    out = join(folder, `site-${version}`)
    await rename(fresh, out)
  }
  const served = await serveSite(out)
  try {
    return { ...served, version, clicks: await readClicks(join(out, CLICKS_FILE), served.origin, site, signal) }
  } catch (error) {
    served.close()
    throw error
  }
}

/**
 * Counts the clicks by opening each slide once, because only Slidev can compute them. The result is stored with the
 * site.
 */
async function readClicks(file: string, origin: string, { steps }: StaticDeck, signal: AbortSignal): Promise<number[]> {
  const stored = z.array(z.number().int()).safeParse(json(await readFile(file, 'utf8').catch(() => '')))
  if (stored.success) return stored.data
  const browser = await launchBrowser()
  const close = () => void browser.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    const timeline: Timeline = {
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
    const segment = segmentOf(timeline, COUNTING_SETTINGS.fps, { from: 0, to: 1 })
    const capturer = await FrameCapturer.open(browser, origin, timeline, COUNTING_SETTINGS, segment)
    const clicks = await capturer.countClicks()
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
