import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test as base } from '@playwright/test'
import { execa, execaSync } from 'execa'
import { readDeck } from '../server/deck/deck.ts'
import { launchBrowser } from '../server/lib/browser.ts'
import { Camera, partOf } from '../server/video/frame-capturer.ts'
import { manifest } from '../server/video/manifest.ts'
import { publish, render } from '../server/video/render.ts'
import { openSite } from '../server/video/render-site.ts'
import { timeline } from '../shared/video/timeline.ts'
import { parseCast } from '../shared/recording/cast.ts'
import { staticDeckOf } from '../server/cli/build.ts'
import { type OtherDeck, otherDeck } from './deck.ts'
import { processes, startTalk, step } from './talk.ts'

/** A talk of a quarter of a minute. Its step prints a secret, and fails where a file is there. */
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

A point that is made

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
const SHOT = { width: 640, height: 360, scale: 1, fps: 30, dark: false }
const SIZE = ['--size', '640x360']

const ffmpeg = execaSync('ffmpeg', ['-version'], { reject: false }).exitCode === 0
const test = base.extend<object, { folder: string; deck: OtherDeck; cache: string; films: string }>({
  folder: [
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'understudy-film-'))
      await use(folder)
      await rm(folder, { recursive: true })
    },
    { scope: 'worker' },
  ],
  cache: [async ({ folder }, use) => use(join(folder, 'cache')), { scope: 'worker' }],
  deck: [
    async ({ folder, cache }, use) => {
      const deck = await otherDeck(slides(folder))
      await execa('ffmpeg', [
        '-v',
        'error',
        '-f',
        'lavfi',
        '-i',
        'sine=frequency=440:duration=4',
        join(dirname(deck.file), 'voice.wav'),
      ])
      const { exitCode, all } = await record(deck, cache, ['--out', join(folder, 'out'), ...SIZE])
      expect(exitCode, all).toBe(0)
      await use(deck)
      await deck.remove()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  films: [
    async ({ cache, deck }, use) => {
      expect(existsSync(deck.file)).toBe(true)
      const [own = ''] = await readdir(join(cache, 'decks'))
      await use(join(cache, 'decks', own, 'films'))
    },
    { scope: 'worker' },
  ],
})
test.describe.configure({ mode: 'serial' })
test.skip(!ffmpeg, 'ffmpeg is not installed: apt-get install ffmpeg')

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

/** How like a frame of a video is to a picture: peak signal to noise, in decibels. */
async function likeness(video: string, frame: number, picture: string): Promise<number> {
  const filter = `[0:v]select=eq(n\\,${frame}),setpts=0,format=gbrp[a];[1:v]setpts=0,format=gbrp[b];[a][b]psnr`
  const { stderr } = await execa('ffmpeg', [
    '-hide_banner',
    '-i',
    video,
    '-i',
    picture,
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

/** The mean volume of a second of sound, in decibels. */
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

test('a talk becomes a video as long as its timeline, with chapters and captions, and a manifest of what it shows', async ({
  deck,
  folder,
}) => {
  const out = join(folder, 'out')
  const film = timeline.parse(JSON.parse(await readFile(join(out, 'talk.timeline.json'), 'utf8')))
  const { streams, format, chapters } = await probe(join(out, 'talk.mp4'))
  expect(streams[0]).toMatchObject({
    codec_name: 'h264',
    width: 640,
    height: 360,
    r_frame_rate: '30/1',
    nb_frames: String(Math.round(film.length * 30)),
  })
  expect(streams.map(({ codec_name: name }) => name)).toContain('mov_text')
  expect(Number(format.duration)).toBeCloseTo(film.length, 2)
  expect(chapters.map(({ tags }) => tags.title)).toEqual(['Opening', 'Counting', 'Counting: count', 'Closing'])
  expect(chapters.map(({ start_time: start }) => Number(start))).toEqual(film.chapters.map(({ time }) => time))
  expect(await readFile(join(out, 'talk.vtt'), 'utf8')).toContain('Say four words,')
  expect(await readFile(join(out, 'talk.md'), 'utf8')).toMatch(
    /## 0:00 Opening\n\nSay four words, then make a point\.\n/,
  )
  const told = manifest.parse(JSON.parse(await readFile(join(out, 'talk.json'), 'utf8')))
  expect(told.steps).toMatchObject([{ step: 'count', shown: 'recorded', profile: 'host', exit: 0 }])
  expect(told.files.map(({ file }) => file)).toEqual(['talk.mp4'])
  expect((await readDeck(deck.file)).steps.get('count')?.command).toBe(told.steps[0]?.command)
})

test('a slide lasts as long as its narration, which is heard while it is shown', async ({ deck, folder }) => {
  expect(existsSync(deck.file)).toBe(true)
  const video = join(folder, 'out', 'talk.mp4')
  const { length, narration } = timeline.parse(
    JSON.parse(await readFile(join(folder, 'out', 'talk.timeline.json'), 'utf8')),
  )
  const [voice] = narration
  expect(length - voice!.time).toBeCloseTo(4.5, 1)
  const { streams } = await probe(video)
  expect(streams.map(({ codec_name: name }) => name)).toContain('aac')
  expect(await loudness(video, voice!.time - 2)).toBeLessThan(-80)
  expect(await loudness(video, voice!.time + 0.5)).toBeGreaterThan(-40)
})

test('rendered once more the film has the same frames: each chapter on its slide, the output at the end of its step, no secret and nothing unfinished on any', async ({
  deck,
  folder,
  films,
}) => {
  test.setTimeout(120_000)
  const video = join(folder, 'out', 'talk.mp4')
  const film = timeline.parse(JSON.parse(await readFile(join(folder, 'out', 'talk.timeline.json'), 'utf8')))
  const read = await readDeck(deck.file)
  const { signal } = new AbortController()
  const site = await openSite(read, await staticDeckOf(read, 'host'), films, signal)
  const texts = new Map<number, string>()
  const ends = {
    frame: Math.round(film.chapters[3]!.time * SHOT.fps) - SHOT.fps,
    picture: join(folder, 'end.png'),
    other: join(folder, 'other.png'),
  }
  try {
    const { parts, pictures, frames } = await render({
      timeline: film,
      shot: SHOT,
      format: 'mp4',
      origin: site.origin,
      version: site.version,
      cache: join(folder, 'again'),
      signal,
      onPicture: async (frame, camera) => {
        texts.set(frame, await camera.text())
        if (frame <= ends.frame && (texts.get(frame) ?? '').includes('succeeded'))
          await writeFile(ends.picture, await camera.take())
        if (frame === 0) await writeFile(ends.other, await camera.take())
      },
    })
    // Most frames are as the one before, and are not photographed.
    expect(pictures).toBeLessThan(frames / 2)
    const again = join(folder, 'again.mp4')
    await publish(
      { parts, format: 'mp4', fps: SHOT.fps, length: film.length, narration: [], out: again },
      join(folder, 'again'),
      signal,
    )
    expect(await frameHashes(again)).toBe(await frameHashes(video))
    // A film that begins within a slide, as where it is cut or carried on, begins as if it had been filmed up to there.
    const browser = await launchBrowser()
    const camera = await Camera.open(
      browser,
      site.origin,
      film,
      SHOT,
      partOf(film, SHOT.fps, ends.frame, ends.frame + 1),
    )
    await camera.next(ends.frame, ends.frame + 1)
    expect((await camera.take()).equals(await readFile(ends.picture))).toBe(true)
    await browser.close()
  } finally {
    site.close()
  }
  const textAt = (frame: number) => texts.get(Math.max(...[...texts.keys()].filter((shown) => shown <= frame))) ?? ''
  for (const { time, title } of film.chapters) {
    const text = textAt(Math.ceil(time * SHOT.fps))
    expect(text).toContain(title.split(':')[0])
    expect(['Opening', 'Counting', 'Closing'].filter((other) => text.includes(other))).toHaveLength(1)
  }
  expect(textAt(ends.frame)).toMatch(/word one\n+word two\n+word three/)
  expect(textAt(ends.frame)).toContain('succeeded')
  expect(await likeness(video, ends.frame, ends.picture)).toBeGreaterThan(35)
  expect(await likeness(video, ends.frame, ends.other)).toBeLessThan(25)
  for (const [frame, text] of texts) {
    expect(text, `frame ${frame}`).not.toContain(SECRET)
    expect(text, `frame ${frame}`).not.toMatch(/loading/i)
    // A terminal that is shown has its prompt at least.
    if (text.includes('Counting')) expect(text, `frame ${frame}`).toContain('❯')
  }
  expect(textAt(ends.frame)).toContain('*'.repeat(SECRET.length))
  for (const name of await readdir(join(folder, 'out')))
    if (!name.endsWith('.mp4')) expect(await readFile(join(folder, 'out', name), 'utf8'), name).not.toContain(SECRET)
})

test('a step is filmed by itself, in every format', async ({ deck, folder, cache }) => {
  const out = join(folder, 'formats')
  const { exitCode, all } = await record(deck, cache, [
    'count',
    '--render-only',
    '--format',
    'mp4',
    'webm',
    'gif',
    'png',
    'cast',
    '--fps',
    '10',
    '--size',
    '320x180',
    '--out',
    out,
  ])
  expect(exitCode, all).toBe(0)
  const film = timeline.parse(JSON.parse(await readFile(join(out, 'count.timeline.json'), 'utf8')))
  const codecs = { mp4: 'h264', webm: 'vp9', gif: 'gif', png: 'png' }
  for (const [ending, codec] of Object.entries(codecs)) {
    const { streams, format } = await probe(join(out, `count.${ending}`))
    expect(streams[0]).toMatchObject({ codec_name: codec, width: 320, height: 180 })
    if (ending === 'mp4' || ending === 'webm') expect(Math.abs(Number(format.duration) - film.length)).toBeLessThan(0.1)
  }
  const moving = { width: 320, height: 180, fps: 10 }
  const { files } = manifest.parse(JSON.parse(await readFile(join(out, 'count.json'), 'utf8')))
  expect(files).toMatchObject([
    { file: 'count.mp4', ...moving },
    { file: 'count.webm', ...moving },
    { file: 'count.gif', ...moving },
    { file: 'count.png', width: 320, height: 180 },
    { file: 'count.cast' },
  ])
  expect(parseCast(await readFile(join(out, 'count.cast'), 'utf8')).header.command).toContain('echo token')
})

test('2160p has 3840 by 2160 pixels', async ({ deck, folder, cache }) => {
  const out = join(folder, '2160p')
  const { exitCode, all } = await record(deck, cache, [
    'count',
    '--render-only',
    '--format',
    'png',
    '--size',
    '2160p',
    '--out',
    out,
  ])
  expect(exitCode, all).toBe(0)
  expect((await probe(join(out, 'count.png'))).streams[0]).toMatchObject({ width: 3840, height: 2160 })
})

test('an upright picture has 1080 by 1920 pixels, and shows a run in a terminal of that shape, also of a step that has no other recording', async ({
  deck,
  folder,
  cache,
}) => {
  const out = join(folder, 'upright')
  const recordings = join(dirname(deck.file), 'recordings')
  await rename(recordings, `${recordings}-aside`)
  const { exitCode, all } = await record(deck, cache, ['count', '--format', 'png', '--size', 'vertical', '--out', out])
  await rename(`${recordings}-aside`, recordings)
  expect(exitCode, all).toBe(0)
  expect((await probe(join(out, 'count-vertical.png'))).streams[0]).toMatchObject({ width: 1080, height: 1920 })
  const { events } = timeline.parse(JSON.parse(await readFile(join(out, 'count-vertical.timeline.json'), 'utf8')))
  expect(events).toContainEqual(expect.objectContaining({ type: 'screen', cols: 46, rows: 32 }))
})

test('a step that fails fails the recording, is named, and leaves what can be looked at', async ({
  deck,
  folder,
  cache,
}) => {
  const out = join(folder, 'failed')
  await writeFile(join(folder, 'broken'), '')
  const { exitCode, all } = await record(deck, cache, ['--out', out, ...SIZE])
  await rm(join(folder, 'broken'))
  expect(exitCode).toBe(1)
  expect(all).toContain('Step "count" failed: Its exit status is 1, not 0.')
  expect(
    parseCast(await readFile(join(out, 'count.failed.cast'), 'utf8'))
      .events.map(({ data }) => data)
      .join(''),
  ).toContain('word three')
  const { chapters } = await probe(join(out, 'talk.failed.mp4'))
  expect(chapters.map(({ tags }) => tags.title)).toEqual(['Opening', 'Counting', 'Counting: count'])
  const told = manifest.parse(JSON.parse(await readFile(join(out, 'talk.failed.json'), 'utf8')))
  expect(told.steps).toMatchObject([{ step: 'count', shown: 'failed', problems: ['Its exit status is 1, not 0.'] }])
})

test('Ctrl-C leaves only what the next run goes on with', async ({ deck, folder, cache, films }) => {
  const parts = join(films, 'parts')
  await rm(parts, { recursive: true })
  const out = join(folder, 'interrupted')
  const args = ['--render-only', '--out', out, ...SIZE, '--fps', '60']
  const running = record(deck, cache, args)
  await expect
    .poll(
      async () => (await readdir(parts).catch(() => [])).filter((name) => /^[0-9a-f]{32}\.mp4$/.test(name)).length,
      { timeout: 60_000 },
    )
    .toBeGreaterThan(0)
  running.kill('SIGINT')
  expect((await running).exitCode).toBe(130)
  expect((await readdir(parts)).filter((name) => !/^[0-9a-f]{32}\.mp4$/.test(name))).toEqual([])
  expect(await readdir(out)).toEqual([])
  await expect.poll(() => processes(new RegExp(folder))).toEqual([])
  const { exitCode, all } = await record(deck, cache, args)
  expect(exitCode, all).toBe(0)
  expect(all).toMatch(/\d+ of them kept from before/)
})

test('a talk as it was given becomes a video with its timing, whole or cut by slides', async ({
  deck,
  cache,
  folder,
  page,
}) => {
  const log = join(folder, 'talk.jsonl')
  const talk = await startTalk({
    deck: deck.file,
    args: ['--profile', 'host', '--log', log],
    env: { UNDERSTUDY_CACHE: cache, DEMO_TOKEN: SECRET },
  })
  await page.goto(talk.link)
  await expect(page.getByRole('heading', { name: 'Opening' })).toBeVisible()
  const point = page.getByText('A point that is made')
  await expect(point).toHaveClass(/slidev-vclick-hidden/)
  await page.keyboard.press('ArrowRight')
  await expect(point).not.toHaveClass(/slidev-vclick-hidden/)
  await page.keyboard.press('ArrowRight')
  await expect(page).toHaveURL(/\/2/)
  await step(page, 'count').getByRole('button', { name: 'Run count' }).click()
  await expect(step(page, 'count')).toHaveAttribute('data-state', 'succeeded')
  await page.keyboard.press('ArrowRight')
  await expect(page).toHaveURL(/\/3/)
  // What the audience's window was told is in the log.
  await expect.poll(() => readFile(log, 'utf8')).toMatch(/"page":3/)
  await talk.stop()
  expect(await readFile(log, 'utf8')).not.toContain(SECRET)

  const filmed = async (name: string, args: string[]) => {
    const out = join(folder, name)
    const { exitCode, all } = await record(deck, cache, [
      '--from',
      log,
      '--out',
      out,
      '--size',
      '320x180',
      '--fps',
      '10',
      ...args,
    ])
    expect(exitCode, all).toBe(0)
    const film = timeline.parse(JSON.parse(await readFile(join(out, 'given.timeline.json'), 'utf8')))
    const { streams, chapters } = await probe(join(out, 'given.mp4'))
    expect(Number(streams[0]?.nb_frames)).toBe(Math.round(film.length * 10))
    return { film, chapters }
  }
  const whole = await filmed('given', [])
  const at = (happens: (event: (typeof whole.film.events)[number]) => boolean) =>
    whole.film.events.find(happens)?.time ?? NaN
  const ran =
    at((event) => event.type === 'step' && event.status.state === 'succeeded') -
    at((event) => event.type === 'step' && event.status.state === 'running')
  // Three words, and 0.3 s after each.
  expect(ran).toBeGreaterThan(0.8)
  expect(whole.chapters.map(({ tags }) => tags.title)).toContain('Counting: count')
  const one = await filmed('given-one', ['--slides', '2'])
  expect(one.film.length).toBeLessThan(whole.film.length)
  expect(one.chapters.every(({ tags }) => tags.title.startsWith('Counting'))).toBe(true)

  await writeFile(log, 'no log\n')
  const broken = await record(deck, cache, ['--from', log, '--out', join(folder, 'given-broken'), ...SIZE])
  expect(broken.exitCode).toBe(1)
  expect(broken.all).toContain('line 1: this is no log of a talk')
})

test('without Chromium one message says what to install, before anything is run', async ({ deck, cache, folder }) => {
  test.skip(process.getuid?.() !== 0, 'hiding Chromium needs root')
  const hide = `for place in /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do [ ! -e $place ] || mount --bind /dev/null $place; done; exec "$@"`
  const out = join(folder, 'no-chromium')
  const { exitCode, all } = await execa(
    'unshare',
    [
      '--mount',
      'sh',
      '-c',
      hide,
      'sh',
      process.execPath,
      'bin/understudy.js',
      'record',
      '--deck',
      deck.file,
      '--profile',
      'host',
      '--out',
      out,
    ],
    {
      env: { UNDERSTUDY_CACHE: cache, DEMO_TOKEN: SECRET, PLAYWRIGHT_BROWSERS_PATH: folder },
      reject: false,
      all: true,
    },
  )
  expect(exitCode).toBe(1)
  expect(all).toMatch(/^Cannot start Chromium\. Install it: apt-get install chromium/)
  expect(existsSync(out)).toBe(false)
})

test('without ffmpeg one line says what to install, before anything is run', async ({ deck, cache, folder }) => {
  const { exitCode, all } = await record(deck, cache, ['--out', join(folder, 'none')], { PATH: folder })
  expect(exitCode).toBe(1)
  expect(all).toBe('There is no ffmpeg here to write a video with. Install it: apt-get install ffmpeg')
})
