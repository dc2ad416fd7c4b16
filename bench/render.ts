import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Timeline } from '../shared/video/timeline.ts'
import { staticDeckOf } from '../server/cli/build.ts'
import { readDeck } from '../server/deck/deck.ts'
import { stepTimeline, talkTimeline } from '../server/video/deck-timeline.ts'
import type { VideoFormat } from '../server/video/ffmpeg.ts'
import { render } from '../server/video/render.ts'
import type { RenderSettings } from '../server/video/render-settings.ts'
import { openRenderSite } from '../server/video/render-site.ts'
import { readTimelineSources, recordingsFolder } from '../server/video/timeline-sources.ts'
import { type Figure, round } from './figure.ts'

/** Id of the step that is rendered in all formats. It boots a virtual machine that serves a page. */
const STEP_ID = 'run-vm'
const FULL_HD = { width: 1920, height: 1080, scale: 1, dark: false }
const TALK_VARIANT = { name: '1080p30', settings: { ...FULL_HD, fps: 30 }, format: 'mp4' } as const
const VARIANTS: { name: string; settings: RenderSettings; format: VideoFormat }[] = [
  TALK_VARIANT,
  { name: '1080p60', settings: { ...FULL_HD, fps: 60 }, format: 'mp4' },
  { name: '2160p30', settings: { ...FULL_HD, width: 3840, height: 2160, scale: 2, fps: 30 }, format: 'mp4' },
  { name: 'vertical 1080x1920', settings: { ...FULL_HD, width: 1080, height: 1920, scale: 2, fps: 30 }, format: 'mp4' },
  { name: 'WebM 1080p30', settings: { ...FULL_HD, fps: 30 }, format: 'webm' },
  { name: 'GIF 960x540', settings: { ...FULL_HD, width: 960, height: 540, fps: 20 }, format: 'gif' },
]

/**
 * Measures rendering of this repository's deck from its recordings: one step in every format, and the whole talk.
 *
 * @param quick whether to render only the step in 1080p30
 */
export async function measureRendering(quick: boolean): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-bench-render-'))
  const { signal } = new AbortController()
  const deck = await readDeck(join(process.cwd(), 'slides.md'))
  const staticDeck = await staticDeckOf(deck)
  const { origin, version: siteVersion, clicks, close } = await openRenderSite(deck, staticDeck, folder, signal)
  const figures: Figure[] = []

  const measure = async (
    name: string,
    timeline: Timeline,
    { settings, format }: { settings: RenderSettings; format: VideoFormat },
    target?: Figure['target'],
  ) => {
    // Each measurement starts with an empty cache.
    const cache = await mkdtemp(join(folder, 'segments-'))
    const start = performance.now()
    const result = await render({ timeline, settings, format, origin, siteVersion, cache, signal })
    const seconds = (performance.now() - start) / 1000
    const framesPerCore = result.frames / seconds / availableParallelism()
    figures.push(
      {
        name: `${name}, relative to real time`,
        value: round(timeline.length / seconds),
        unit: '×',
        ...(target && { target }),
        references: { seconds: round(timeline.length), 'captured frames': result.capturedFrames },
      },
      { name: `${name}, frames per core`, value: round(framesPerCore), unit: '/s' },
    )
  }

  try {
    const sources = await readTimelineSources({
      deck,
      steps: staticDeck.steps,
      folders: [recordingsFolder(deck)],
      clicks,
      failedRuns: new Map(),
    })
    const step = deck.steps.get(STEP_ID)
    if (!step) throw new Error(`The deck has no step "${STEP_ID}". Set STEP_ID in bench/render.ts to one of its steps.`)
    const timeline = await stepTimeline(sources, step)
    for (const variant of quick ? [TALK_VARIANT] : VARIANTS) await measure(`a step, ${variant.name}`, timeline, variant)
    if (!quick) {
      const allSlides = sources.slides.map(({ number }) => number)
      const name = `the talk, ${TALK_VARIANT.name}`
      await measure(name, await talkTimeline(sources, allSlides), TALK_VARIANT, { atLeast: 1 })
    }
  } finally {
    close()
    await rm(folder, { recursive: true })
  }
  return figures
}
