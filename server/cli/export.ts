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
  const { slides } = (await loadSlides(deck.file)).data
  const out = resolve(options.out ?? (options.format === 'png' ? 'slides' : `slides.${options.format}`))
  const folder = await mkdtemp(join(tmpdir(), 'understudy-export-'))
  const site = join(folder, 'site')
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
              for (const [index] of slides.entries()) {
                task.output = `slide ${index + 1} of ${slides.length}`
                await openSlide(page, `${origin}/#/${index + 1}?print=true&clicks=${ALL_CLICKS}`, origin)
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
            else if (options.format === 'png') await writeImages(out, images)
            else await writePptx(out, deck.title, images, options.withNotes ? slides.map(({ note }) => note ?? '') : [])
          },
        },
      ],
      progress,
    ).run()
  } finally {
    await rm(folder, { recursive: true, force: true })
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
          // Absent until xterm.js is loaded.
          terminal.querySelector('.xterm-rows') &&
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

async function writeImages(folder: string, images: Buffer[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  const digits = String(images.length).length
  for (const [index, image] of images.entries())
    await writeFile(join(folder, `${String(index + 1).padStart(digits, '0')}.png`), image)
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
