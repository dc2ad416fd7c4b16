import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test as base } from '@playwright/test'
import { execa, execaSync } from 'execa'
import { readDeck } from '../server/deck/deck.ts'
import { launchBrowser } from '../server/lib/browser.ts'
import { FrameCapturer } from '../server/video/frame-capturer.ts'
import { manifest } from '../server/video/manifest.ts'
import { render, writeVideo } from '../server/video/render.ts'
import { openRenderSite } from '../server/video/render-site.ts'
import { segmentOf } from '../server/video/segments.ts'
import { timeline } from '../shared/video/timeline.ts'
import { parseCast } from '../shared/recording/cast.ts'
import { staticDeckOf } from '../server/cli/build.ts'
import { type OtherDeck, otherDeck } from './deck.ts'
import { processes, startTalk, step } from './talk.ts'

/** A talk of about 15 seconds. Its step prints a secret and fails if the file `broken` exists in `folder`. */
const slides = (folder: string) => `---
theme: none
addons: [slidev-addon-understudy]
title: Opening
fonts: { provider: none }
favicon: 'data:,'
transition: fade
understudy: { cols: 60, rows: 10 }
---

# Opening

<v-click>

A point to make

</v-click>

<!-- Say four words, then [click] make a point. -->

---
layout: stage
steps:
  count: { needs: { env: [DEMO_TOKEN] }, timeout: 20 }
---

# Counting

\`\`\`sh {step=count}
echo token $DEMO_TOKEN; printf '\\033[8mhidden\\033[0m 漢字\\n'; for word in one two three; do echo word $word; sleep 0.3; done; test ! -e ${folder}/broken
\`\`\`

---
narration: voice.wav
---

# Closing

<!-- That was it. -->
`

const SECRET = 'correct-horse-battery-staple'
const SETTINGS = { width: 640, height: 360, scale: 1, fps: 30, dark: false }
const SIZE_ARGS = ['--size', '640x360']

const hasFfmpeg = execaSync('ffmpeg', ['-version'], { reject: false }).exitCode === 0

/** The captures of a render that calls the renderer instead of the command. */
interface Capture {
  /** The text of each captured frame, by frame number. */
  texts: Map<number, string>
  /** The last frame of the slide "Counting". */
  lastFrame: number
  /** Images of the last and of the first frame. */
  lastImage: string
  firstImage: string
  video: string
  frames: number
  capturedFrames: number
  /** The last frame, captured in a page that was opened at this frame. */
  lateCapture: Buffer
}

interface Fixtures {
  /** A temporary folder. `out` in it contains the video of the whole talk. */
  folder: string
  cache: string
  deck: OtherDeck
  /** The renderer's folder in the cache. */
  renders: string
  /** A second render of the talk. */
  capture: Capture
}

const test = base.extend<object, Fixtures>({
  folder: [
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'understudy-record-'))
      await use(folder)
      await rm(folder, { recursive: true })
    },
    { scope: 'worker' },
  ],
  cache: [async ({ folder }, use) => use(join(folder, 'cache')), { scope: 'worker' }],
  deck: [
    async ({ folder, cache }, use) => {
      const deck = await otherDeck(slides(folder))
      const voice = join(dirname(deck.file), 'voice.wav')
      await execa('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'sine=frequency=440:duration=4', voice])
      const { exitCode, all } = await record(deck, cache, ['--out', join(folder, 'out'), ...SIZE_ARGS])
      expect(exitCode, all).toBe(0)
      await use(deck)
      await deck.remove()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  renders: [
    // Rendering the deck creates the folder.
    async ({ cache, deck: _ }, use) => {
      const [deckFolder = ''] = await readdir(join(cache, 'decks'))
      await use(join(cache, 'decks', deckFolder, 'renders'))
    },
    { scope: 'worker' },
  ],
  capture: [
    async ({ folder, deck, renders }, use) => use(await captureTalk(deck, folder, renders)),
    { scope: 'worker', timeout: 120_000 },
  ],
})
test.describe.configure({ mode: 'serial' })
test.skip(!hasFfmpeg, 'ffmpeg is not installed: apt-get install ffmpeg')

function record(deck: OtherDeck, cache: string, args: string[], env: Record<string, string> = {}) {
  return execa(process.execPath, ['bin/understudy.js', 'record', '--deck', deck.file, '--profile', 'host', ...args], {
    env: { UNDERSTUDY_CACHE: cache, DEMO_TOKEN: SECRET, ...env },
    reject: false,
    all: true,
  })
}

interface Probe {
  format: { duration: string }
  streams: { codec_name: string; nb_frames: string; width?: number; height?: number; r_frame_rate: string }[]
  chapters: { start_time: string; tags: { title: string } }[]
}

async function probe(file: string): Promise<Probe> {
  const { stdout } = await execa('ffprobe', [
    '-v',
    'error',
    '-of',
    'json',
    '-show_format',
    '-show_streams',
    '-show_chapters',
    file,
  ])
  return JSON.parse(stdout) as Probe
}

const frameHashes = async (file: string) =>
  (await execa('ffmpeg', ['-v', 'error', '-i', file, '-map', '0:v', '-f', 'framemd5', '-'])).stdout

/** @returns the similarity of a frame to an image: peak signal-to-noise ratio in decibels */
async function similarity(video: string, frame: number, image: string): Promise<number> {
  const filter = `[0:v]select=eq(n\\,${frame}),setpts=0,format=gbrp[a];[1:v]setpts=0,format=gbrp[b];[a][b]psnr`
  const { stderr } = await execa('ffmpeg', [
    '-hide_banner',
    '-i',
    video,
    '-i',
    image,
    '-filter_complex',
    filter,
    '-frames:v',
    '1',
    '-f',
    'null',
    '-',
  ])
  return Number(/average:([\d.]+|inf)/.exec(stderr)?.[1]?.replace('inf', '100'))
}

/** @returns the mean volume of a second of a video's sound, in decibels */
async function loudness(video: string, from: number): Promise<number> {
  const { stderr } = await execa('ffmpeg', [
    '-hide_banner',
    '-ss',
    String(from),
    '-t',
    '1',
    '-i',
    video,
    '-vn',
    '-af',
    'volumedetect',
    '-f',
    'null',
    '-',
  ])
  return Number(/mean_volume: (-?[\d.]+)/.exec(stderr)?.[1])
}

const readTimeline = async (folder: string, name: string) =>
  timeline.parse(JSON.parse(await readFile(join(folder, `${name}.timeline.json`), 'utf8')))
const readManifest = async (folder: string, name: string) =>
  manifest.parse(JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')))

async function captureTalk(deck: OtherDeck, folder: string, renders: string): Promise<Capture> {
  const talk = await readTimeline(join(folder, 'out'), 'talk')
  const parsedDeck = await readDeck(deck.file)
  const { signal } = new AbortController()
  const site = await openRenderSite(parsedDeck, await staticDeckOf(parsedDeck, 'host'), renders, signal)
  const { fps } = SETTINGS
  const lastFrame = Math.round(talk.chapters[3]!.time * fps) - fps
  const cache = join(folder, 'second-render')
  const video = join(folder, 'second-render.mp4')
  const lastImage = join(folder, 'last.png')
  const firstImage = join(folder, 'first.png')
  const texts = new Map<number, string>()
  const browser = await launchBrowser()
  try {
    const { segments, ...counts } = await render({
      timeline: talk,
      settings: SETTINGS,
      format: 'mp4',
      origin: site.origin,
      siteVersion: site.version,
      cache,
      signal,
      onCapture: async (frame, capturer) => {
        const text = await capturer.text()
        texts.set(frame, text)
        if (frame <= lastFrame && text.includes('succeeded')) await writeFile(lastImage, await capturer.capture())
        if (frame === 0) await writeFile(firstImage, await capturer.capture())
      },
    })
    await writeVideo({ segments, format: 'mp4', fps, length: talk.length, narration: [], out: video }, cache, signal)
    const lateSegment = segmentOf(talk, fps, { from: lastFrame, to: lastFrame + 1 })
    const capturer = await FrameCapturer.open(browser, site.origin, talk, SETTINGS, lateSegment)
    await capturer.advance(lastFrame, lastFrame + 1)
    const lateCapture = await capturer.capture()
    return { texts, lastFrame, lastImage, firstImage, video, ...counts, lateCapture }
  } finally {
    await browser.close()
    site.close()
  }
}

/** @returns the text of a frame, captured or repeated */
function textAt({ texts }: Capture, frame: number): string {
  const captured = [...texts.keys()].filter((number) => number <= frame)
  return texts.get(Math.max(...captured)) ?? ''
}

test('the video of a talk is as long as its timeline', async ({ deck: _, folder }) => {
  const { length } = await readTimeline(join(folder, 'out'), 'talk')
  const { streams, format } = await probe(join(folder, 'out', 'talk.mp4'))
  expect(streams[0]).toMatchObject({
    codec_name: 'h264',
    width: 640,
    height: 360,
    r_frame_rate: '30/1',
    nb_frames: String(Math.round(length * 30)),
  })
  expect(Number(format.duration)).toBeCloseTo(length, 2)
})

test('the video of a talk has a chapter for each slide and step', async ({ deck: _, folder }) => {
  const talk = await readTimeline(join(folder, 'out'), 'talk')
  const { chapters } = await probe(join(folder, 'out', 'talk.mp4'))
  expect(chapters.map(({ tags }) => tags.title)).toEqual(['Opening', 'Counting', 'Counting: count', 'Closing'])
  expect(chapters.map(({ start_time: start }) => Number(start))).toEqual(talk.chapters.map(({ time }) => time))
})

test('captions and transcript contain the speaker notes', async ({ deck: _, folder }) => {
  const out = join(folder, 'out')
  const { streams } = await probe(join(out, 'talk.mp4'))
  expect(streams.map(({ codec_name: name }) => name)).toContain('mov_text')
  expect(await readFile(join(out, 'talk.vtt'), 'utf8')).toContain('Say four words,')
  expect(await readFile(join(out, 'talk.md'), 'utf8')).toMatch(
    /## 0:00 Opening\n\nSay four words, then make a point\.\n/,
  )
})

test('the manifest lists the files and the runs that the video shows', async ({ deck, folder }) => {
  const { steps, files } = await readManifest(join(folder, 'out'), 'talk')
  expect(steps).toMatchObject([{ step: 'count', shown: 'recorded', profile: 'host', exit: 0 }])
  expect(files.map(({ file }) => file)).toEqual(['talk.mp4'])
  expect((await readDeck(deck.file)).steps.get('count')?.command).toBe(steps[0]?.command)
})

test('narration plays while its slide is shown and determines the length of the slide', async ({ deck: _, folder }) => {
  const video = join(folder, 'out', 'talk.mp4')
  const { length, narration } = await readTimeline(join(folder, 'out'), 'talk')
  const [voice] = narration
  expect(length - voice!.time).toBeCloseTo(4.5, 1)
  const { streams } = await probe(video)
  expect(streams.map(({ codec_name: name }) => name)).toContain('aac')
  expect(await loudness(video, voice!.time - 2)).toBeLessThan(-80)
  expect(await loudness(video, voice!.time + 0.5)).toBeGreaterThan(-40)
})

test('two renders of a timeline have the same frames', async ({ capture, folder }) => {
  expect(await frameHashes(capture.video)).toBe(await frameHashes(join(folder, 'out', 'talk.mp4')))
})

test('frames that are equal to the previous one are not captured', ({ capture }) => {
  expect(capture.capturedFrames).toBeLessThan(capture.frames / 2)
})

test('a segment that starts within a slide starts with the same image as a full render', async ({ capture }) => {
  expect(capture.lateCapture.equals(await readFile(capture.lastImage))).toBe(true)
})

test('each chapter starts on its slide', async ({ capture, folder }) => {
  const { chapters } = await readTimeline(join(folder, 'out'), 'talk')
  for (const { time, title } of chapters) {
    const text = textAt(capture, Math.ceil(time * SETTINGS.fps))
    expect(text).toContain(title.split(':')[0])
    expect(['Opening', 'Counting', 'Closing'].filter((other) => text.includes(other))).toHaveLength(1)
  }
})

test('the last frame of a step shows its output and status', async ({ capture, folder }) => {
  const { lastFrame, lastImage, firstImage } = capture
  expect(textAt(capture, lastFrame)).toMatch(/word one\n+word two\n+word three/)
  expect(textAt(capture, lastFrame)).toContain('succeeded')
  const video = join(folder, 'out', 'talk.mp4')
  expect(await similarity(video, lastFrame, lastImage)).toBeGreaterThan(35)
  expect(await similarity(video, lastFrame, firstImage)).toBeLessThan(25)
})

test('no frame shows a loading slide or a terminal without a prompt', ({ capture }) => {
  for (const [frame, text] of capture.texts) {
    expect(text, `frame ${frame}`).not.toMatch(/loading/i)
    if (text.includes('Counting')) expect(text, `frame ${frame}`).toContain('❯')
  }
})

test('secrets are redacted in frames and files', async ({ capture, folder }) => {
  for (const [frame, text] of capture.texts) expect(text, `frame ${frame}`).not.toContain(SECRET)
  expect(textAt(capture, capture.lastFrame)).toContain('*'.repeat(SECRET.length))
  for (const name of await readdir(join(folder, 'out')))
    if (!name.endsWith('.mp4')) expect(await readFile(join(folder, 'out', name), 'utf8'), name).not.toContain(SECRET)
})

test('a step is rendered in every format', async ({ deck, folder, cache }) => {
  const out = join(folder, 'formats')
  const formats = ['--format', 'mp4', 'webm', 'gif', 'png', 'cast']
  const settings = ['--fps', '10', '--size', '320x180']
  const { exitCode, all } = await record(deck, cache, ['count', '--render-only', ...formats, ...settings, '--out', out])
  expect(exitCode, all).toBe(0)
  const { length } = await readTimeline(out, 'count')
  const codecs = { mp4: 'h264', webm: 'vp9', gif: 'gif', png: 'png' }
  for (const [extension, codec] of Object.entries(codecs)) {
    const { streams, format } = await probe(join(out, `count.${extension}`))
    expect(streams[0]).toMatchObject({ codec_name: codec, width: 320, height: 180 })
    if (extension === 'mp4' || extension === 'webm')
      expect(Math.abs(Number(format.duration) - length)).toBeLessThan(0.1)
  }
  const video = { width: 320, height: 180, fps: 10 }
  const { files } = await readManifest(out, 'count')
  expect(files).toMatchObject([
    { file: 'count.mp4', ...video },
    { file: 'count.webm', ...video },
    { file: 'count.gif', ...video },
    { file: 'count.png', width: 320, height: 180 },
    { file: 'count.cast' },
  ])
  expect(parseCast(await readFile(join(out, 'count.cast'), 'utf8')).header.command).toContain('echo token')
})

test('--size 2160p renders 3840 by 2160 pixels', async ({ deck, folder, cache }) => {
  const out = join(folder, '2160p')
  const args = ['count', '--render-only', '--format', 'png', '--size', '2160p', '--out', out]
  const { exitCode, all } = await record(deck, cache, args)
  expect(exitCode, all).toBe(0)
  expect((await probe(join(out, 'count.png'))).streams[0]).toMatchObject({ width: 3840, height: 2160 })
})

test('--size vertical records the step in a narrow terminal and renders 1080 by 1920 pixels', async ({
  deck,
  folder,
  cache,
}) => {
  const out = join(folder, 'vertical')
  // The vertical recording does not depend on a horizontal one.
  const recordings = join(dirname(deck.file), 'recordings')
  await rename(recordings, `${recordings}-aside`)
  const { exitCode, all } = await record(deck, cache, ['count', '--format', 'png', '--size', 'vertical', '--out', out])
  await rename(`${recordings}-aside`, recordings)
  expect(exitCode, all).toBe(0)
  expect((await probe(join(out, 'count-vertical.png'))).streams[0]).toMatchObject({ width: 1080, height: 1920 })
  const { events } = await readTimeline(out, 'count-vertical')
  expect(events).toContainEqual(expect.objectContaining({ type: 'screen', cols: 46, rows: 32 }))
})

test('a failing step makes the command fail, and its run is rendered', async ({ deck, folder, cache }) => {
  const out = join(folder, 'failed')
  await writeFile(join(folder, 'broken'), '')
  const { exitCode, all } = await record(deck, cache, ['--out', out, ...SIZE_ARGS])
  await rm(join(folder, 'broken'))
  expect(exitCode).toBe(1)
  expect(all).toContain('Step "count" failed: The exit status is 1, not 0.')
  const { events } = parseCast(await readFile(join(out, 'count.failed.cast'), 'utf8'))
  expect(events.map(({ data }) => data).join('')).toContain('word three')
  const { chapters } = await probe(join(out, 'talk.failed.mp4'))
  expect(chapters.map(({ tags }) => tags.title)).toEqual(['Opening', 'Counting', 'Counting: count'])
  const { steps } = await readManifest(out, 'talk.failed')
  expect(steps).toMatchObject([{ step: 'count', shown: 'failed', problems: ['The exit status is 1, not 0.'] }])
})

test('Ctrl-C keeps only complete segments, which the next run reuses', async ({ deck, folder, cache, renders }) => {
  const segments = join(renders, 'segments')
  const isSegment = (name: string) => /^[0-9a-f]{32}\.mp4$/.test(name)
  await rm(segments, { recursive: true })
  const out = join(folder, 'interrupted')
  const args = ['--render-only', '--out', out, ...SIZE_ARGS, '--fps', '60']
  const running = record(deck, cache, args)
  await expect
    .poll(async () => (await readdir(segments).catch(() => [])).filter(isSegment).length, { timeout: 60_000 })
    .toBeGreaterThan(0)
  running.kill('SIGINT')
  expect((await running).exitCode).toBe(130)
  expect((await readdir(segments)).filter((name) => !isSegment(name))).toEqual([])
  expect(await readdir(out)).toEqual([])
  await expect.poll(() => processes(new RegExp(folder))).toEqual([])
  const { exitCode, all } = await record(deck, cache, args)
  expect(exitCode, all).toBe(0)
  expect(all).toMatch(/\d+ from the cache/)
})

test('the log of a live talk is rendered with its timing, as a whole or by slides', async ({
  deck,
  cache,
  folder,
  page,
}) => {
  const log = join(folder, 'talk.jsonl')
  const talk = await startTalk({
    deck: deck.file,
    args: ['--profile', 'host', '--save-log', log],
    env: { UNDERSTUDY_CACHE: cache, DEMO_TOKEN: SECRET },
  })
  await page.goto(talk.link)
  await expect(page.getByRole('heading', { name: 'Opening' })).toBeVisible()
  const point = page.getByText('A point to make')
  await expect(point).toHaveClass(/slidev-vclick-hidden/)
  await page.keyboard.press('ArrowRight')
  await expect(point).not.toHaveClass(/slidev-vclick-hidden/)
  await page.keyboard.press('ArrowRight')
  await expect(page).toHaveURL(/\/2/)
  await step(page, 'count').getByRole('button', { name: 'Run count' }).click()
  await expect(step(page, 'count')).toHaveAttribute('data-state', 'succeeded')
  await page.keyboard.press('ArrowRight')
  await expect(page).toHaveURL(/\/3/)
  await expect.poll(() => readFile(log, 'utf8')).toMatch(/"page":3/)
  await talk.stop()
  expect(await readFile(log, 'utf8')).not.toContain(SECRET)

  const renderLog = async (name: string, args: string[]) => {
    const out = join(folder, name)
    const settings = ['--size', '320x180', '--fps', '10']
    const { exitCode, all } = await record(deck, cache, ['--from-log', log, '--out', out, ...settings, ...args])
    expect(exitCode, all).toBe(0)
    const rendered = await readTimeline(out, 'given')
    const { streams, chapters } = await probe(join(out, 'given.mp4'))
    expect(Number(streams[0]?.nb_frames)).toBe(Math.round(rendered.length * 10))
    return { ...rendered, chapterTitles: chapters.map(({ tags }) => tags.title) }
  }
  const whole = await renderLog('log-whole', [])
  const statusTime = (state: string) =>
    whole.events.find((event) => event.type === 'step' && event.status.state === state)?.time ?? NaN
  // The step prints three words and waits 0.3 s after each.
  expect(statusTime('succeeded') - statusTime('running')).toBeGreaterThan(0.8)
  expect(whole.chapterTitles).toContain('Counting: count')
  const secondSlide = await renderLog('log-slide', ['--slides', '2'])
  expect(secondSlide.length).toBeLessThan(whole.length)
  expect(secondSlide.chapterTitles.every((title) => title.startsWith('Counting'))).toBe(true)
})

test('--from-log rejects a file that is not a talk log', async ({ deck, cache, folder }) => {
  const log = join(folder, 'invalid.jsonl')
  await writeFile(log, 'not a log\n')
  const { exitCode, all } = await record(deck, cache, [
    '--from-log',
    log,
    '--out',
    join(folder, 'invalid'),
    ...SIZE_ARGS,
  ])
  expect(exitCode).toBe(1)
  expect(all).toContain('Invalid talk log: line 1 is not a header.')
})

test('without Chromium, the command names the package to install before it runs anything', async ({
  deck,
  cache,
  folder,
}) => {
  test.skip(process.getuid?.() !== 0, 'hiding Chromium needs root')
  const hide = `for file in /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do [ ! -e $file ] || mount --bind /dev/null $file; done; exec "$@"`
  const out = join(folder, 'no-chromium')
  const recordCommand = [
    ...[process.execPath, 'bin/understudy.js', 'record'],
    ...['--deck', deck.file, '--profile', 'host', '--out', out],
  ]
  const { exitCode, all } = await execa('unshare', ['--mount', 'sh', '-c', hide, 'sh', ...recordCommand], {
    env: { UNDERSTUDY_CACHE: cache, DEMO_TOKEN: SECRET, PLAYWRIGHT_BROWSERS_PATH: folder },
    reject: false,
    all: true,
  })
  expect(exitCode).toBe(1)
  expect(all).toMatch(/Install it: apt-get install chromium/)
  expect(existsSync(out)).toBe(false)
})

test('without ffmpeg, the command names the package to install before it runs anything', async ({
  deck,
  cache,
  folder,
}) => {
  const out = join(folder, 'no-ffmpeg')
  const { exitCode, all } = await record(deck, cache, ['--out', out], { PATH: folder })
  expect(exitCode).toBe(1)
  expect(all).toBe('ffmpeg was not found. Install it: apt-get install ffmpeg')
  expect(existsSync(out)).toBe(false)
})
