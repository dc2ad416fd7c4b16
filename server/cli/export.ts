import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { Listr } from 'listr2'
import { PDFDocument } from 'pdf-lib'
import type { Page } from 'playwright-core'
import PptxGenJS from 'pptxgenjs'
import { launchBrowser } from '../lib/browser.ts'
import type { Profile } from '../../shared/deck/contract.ts'
import { readDeck } from '../deck/deck.ts'
import { loadSlides } from '../deck/load-slides.ts'
import { loadSlidev } from '../deck/slidev.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { serveSite } from '../http/serve-site.ts'
import { progress } from '../environment/runtime-context.ts'
import { buildSite } from '../deck/build.ts'
import { staticDeckOf } from './build.ts'

export type ExportFormat = 'pdf' | 'png' | 'pptx'

export interface ExportOptions {
  /** The deck, absolute. */
  deck: string
  format: ExportFormat
  /** File to write; a folder for PNG. */
  out?: string
  profile?: Profile
  dark: boolean
  withNotes: boolean
  /** Export each click of a slide as a page of its own. */
  withClicks?: boolean
  /** The slides to export, such as `1,4-7`; by default all. */
  range?: string
}

/** A page of the export. */
interface Shot {
  /** From 1. */
  slide: number
  clicks: number
}

/** More clicks than on any slide: Slidev then shows the slide after its last click. */
const ALL_CLICKS = 999_999

/** Device pixels of exported images per CSS pixel. */
const IMAGE_SCALE = 1.5

/** Size of an exported slide in CSS pixels. */
const SLIDE_SIZE = { width: 1280, height: 720 }

/**
 * Exports the slides as PDF, PNG or PPTX. Their terminals show the final output of their recordings.
 *
 * @throws DeckError, BuildError or an Error whose message contains the fix
 */
export async function exportTalk(options: ExportOptions): Promise<void> {
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  const { parser } = await loadSlidev(deck.file)
  const { slides } = (await loadSlides(deck.file)).data
  const numbers = parser.parseRangeString(slides.length, options.range).filter((slide) => slide >= 1)
  if (numbers.length === 0)
    throw new Error(
      `No slide is in the range "${options.range ?? ''}". This deck has ${slides.length}: use --range 1,4-7`,
    )
  const out = resolve(options.out ?? (options.format === 'png' ? 'slides' : `slides.${options.format}`))
  const folder = await mkdtemp(join(tmpdir(), 'understudy-export-'))
  const site = join(folder, 'site')
  const shots: Shot[] = []
  const images: Buffer[] = []
  const pages: Buffer[] = []
  try {
    await new Listr(
      [
        {
          title: 'Build the site',
          task: async () =>
            buildSite(deck, site, { site: await staticDeckOf(deck, options.profile), withNotes: false, signal }),
        },
        {
          title: 'Export the slides',
          task: async (_, task) => {
            const browser = await launchBrowser()
            const { origin, close } = await serveSite(site)
            signal.addEventListener('abort', () => void browser.close(), { once: true })
            try {
              const page = await browser.newPage({
                viewport: SLIDE_SIZE,
                deviceScaleFactor: options.format === 'pdf' ? 1 : IMAGE_SCALE,
                colorScheme: options.dark ? 'dark' : 'light',
              })
              const queue = numbers.map((slide) => ({ slide, clicks: options.withClicks ? 0 : ALL_CLICKS }))
              for (let shot = queue.shift(); shot; shot = queue.shift()) {
                task.output = `slide ${shot.slide} of ${slides.length}`
                await openSlide(page, `${origin}/#/${shot.slide}?print=true&clicks=${shot.clicks}`, origin)
                if (options.withClicks && shot.clicks < (await page.evaluate(() => window.understudyClicks?.() ?? 0)))
                  queue.unshift({ slide: shot.slide, clicks: shot.clicks + 1 })
                shots.push(shot)
                if (options.format === 'pdf')
                  pages.push(
                    await page.pdf({
                      width: `${SLIDE_SIZE.width}px`,
                      height: `${SLIDE_SIZE.height}px`,
                      printBackground: true,
                      pageRanges: '1',
                    }),
                  )
                else images.push(await page.screenshot({ type: 'png' }))
                signal.throwIfAborted()
              }
            } finally {
              close()
              await browser.close()
            }
          },
        },
        {
          title: `Write ${relative(process.cwd(), out) || out}`,
          task: async () => {
            if (options.format === 'pdf') await writePdf(out, deck.title, pages)
            else if (options.format === 'png')
              await writeImages(
                out,
                images.map((image, index) => ({ name: imageName(shots[index], slides.length, options), image })),
              )
            else
              await writePptx(
                out,
                deck.title,
                images,
                options.withNotes ? shots.map(({ slide }) => slides[slide - 1]?.note ?? '') : [],
              )
          },
        },
      ],
      progress,
    ).run()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

declare global {
  interface Window {
    /** Set by the addon's page (client/export.ts). */
    understudyClicks?: () => number
  }
}

/** Opens a slide and waits until its terminals are rendered. */
async function openSlide(page: Page, url: string, origin: string): Promise<void> {
  // A change of the fragment alone does not reload the page, and Slidev reads print mode only once.
  if (page.url().startsWith(origin)) await page.goto('about:blank')
  await page.goto(url, { waitUntil: 'networkidle' })
  await page.evaluate(() => document.fonts.ready.then(() => {}))
  // Terminals without a recording remain empty, so they are not awaited.
  await page.waitForFunction(() =>
    [...document.querySelectorAll('[data-terminal]')]
      .filter((terminal) => terminal.checkVisibility())
      .every(
        (terminal) =>
          // Absent until xterm.js is loaded; a terminal that cannot be shown has a message instead.
          terminal.querySelector('.xterm-rows, .understudy-terminal-notice') &&
          (!terminal.querySelector('[data-replay]') ||
            (terminal.querySelector('.xterm-rows')?.textContent ?? '').trim() !== ''),
      ),
  )
}

async function writePdf(out: string, title: string, pages: Buffer[]): Promise<void> {
  const document = await PDFDocument.create()
  document.setTitle(title)
  for (const page of pages) {
    const single = await PDFDocument.load(page)
    for (const copied of await document.copyPages(single, [0])) document.addPage(copied)
  }
  await writeFile(out, await document.save())
}

async function writeImages(folder: string, images: { name: string; image: Buffer }[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const { name, image } of images) await writeFile(join(folder, name), image)
}

/** The name of an image: `07.png`, or `07-02.png` for the second click of slide 7, as Slidev names them. */
function imageName(shot: Shot | undefined, slides: number, { withClicks }: ExportOptions): string {
  const { slide, clicks } = shot ?? { slide: 0, clicks: 0 }
  const number = String(slide).padStart(String(slides).length, '0')
  return withClicks ? `${number}-${String(clicks).padStart(2, '0')}.png` : `${number}.png`
}

async function writePptx(out: string, title: string, images: Buffer[], notes: string[]): Promise<void> {
  const presentation = new PptxGenJS()
  presentation.title = title
  presentation.layout = 'LAYOUT_16x9'
  for (const [index, image] of images.entries()) {
    const slide = presentation.addSlide()
    slide.addImage({ data: `data:image/png;base64,${image.toString('base64')}`, x: 0, y: 0, w: '100%', h: '100%' })
    const note = notes[index]
    if (note) slide.addNotes(note)
  }
  await writeFile(out, Buffer.from((await presentation.write({ outputType: 'nodebuffer' })) as Uint8Array))
}
