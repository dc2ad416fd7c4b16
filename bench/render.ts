import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { staticDeckOf } from '../server/cli/build.ts'
import { readDeck } from '../server/deck/deck.ts'
import type { Shot } from '../server/video/frame-capturer.ts'
import { readScript, recordingsBeside } from '../server/video/deck-timeline.ts'
import type { VideoFormat } from '../server/video/ffmpeg.ts'
import { render } from '../server/video/render.ts'
import { stepTimeline, talkTimeline } from '../server/video/step-timeline.ts'
import { openSite } from '../server/video/render-site.ts'
import { type Figure, round } from './figure.ts'

const FULL_HD = { width: 1920, height: 1080, scale: 1, dark: false }
const FORMATS: [name: string, shot: Shot, format: VideoFormat][] = [
  ['1080p30', { ...FULL_HD, fps: 30 }, 'mp4'],
  ['1080p60', { ...FULL_HD, fps: 60 }, 'mp4'],
  ['2160p30', { ...FULL_HD, width: 3840, height: 2160, scale: 2, fps: 30 }, 'mp4'],
  ['upright 1080x1920', { ...FULL_HD, width: 1080, height: 1920, scale: 2, fps: 30 }, 'mp4'],
  ['WebM 1080p30', { ...FULL_HD, fps: 30 }, 'webm'],
  ['GIF 960x540', { ...FULL_HD, width: 960, height: 540, fps: 20 }, 'gif'],
]

/**
 * Films the deck of this repository from its recordings: a step in every format, and the whole talk.
 *
 * @param quick only the step, as 1080p30
 */
export async function film(quick: boolean): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-bench-film-'))
  const { signal } = new AbortController()
  const deck = await readDeck(join(process.cwd(), 'slides.md'))
  const shown = await staticDeckOf(deck)
  const site = await openSite(deck, shown, folder, signal)
  const figures: Figure[] = []
  try {
    const script = await readScript({
      deck,
      steps: shown.steps,
      folders: [recordingsBeside(deck)],
      clicks: site.clicks,
      failed: new Map(),
    })
    const step = deck.steps.get('run-vm')
    if (!step) throw new Error('The deck has no step "run-vm" any more: choose another one here.')
    const measure = async (
      name: string,
      timeline: Awaited<ReturnType<typeof stepTimeline>>,
      shot: Shot,
      format: VideoFormat,
    ) => {
      const cache = await mkdtemp(join(folder, 'parts-'))
      const began = performance.now()
      const { frames, pictures } = await render({
        timeline,
        shot,
        format,
        origin: site.origin,
        version: site.version,
        cache,
        signal,
      })
      const seconds = (performance.now() - began) / 1000
      figures.push(
        {
          name: `${name}, against real time`,
          value: round(timeline.length / seconds),
          unit: '×',
          ...(name.startsWith('the talk') && { target: { atLeast: 1 } }),
          references: { seconds: round(timeline.length), pictures },
        },
        { name: `${name}, frames of a core`, value: round(frames / seconds / availableParallelism()), unit: '/s' },
      )
    }
    const ofStep = await stepTimeline(script, step)
    for (const [name, shot, format] of quick ? FORMATS.slice(0, 1) : FORMATS)
      await measure(`a step, ${name}`, ofStep, shot, format)
    if (!quick)
      await measure(
        'the talk, 1080p30',
        await talkTimeline(
          script,
          script.slides.map(({ number }) => number),
        ),
        { ...FULL_HD, fps: 30 },
        'mp4',
      )
  } finally {
    site.close()
    await rm(folder, { recursive: true })
  }
  return figures
}
