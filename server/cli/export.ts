import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { load } from '@slidev/parser/fs'
import { Listr } from 'listr2'
import { PDFDocument } from 'pdf-lib'
import type { Page } from 'playwright-core'
import PptxGenJS from 'pptxgenjs'
import { launchBrowser } from '../lib/browser.ts'
import type { Profile } from '../../shared/deck/contract.ts'
import { readDeck } from '../deck/deck.ts'
import { interruptSignal } from '../lib/interrupt-signal.ts'
import { serveSite } from '../http/serve-site.ts'
import { progress } from '../environment/runtime-context.ts'
import { buildSite } from '../deck/slidev.ts'
import { staticDeckOf } from './build.ts'

export type ExportFormat = 'pdf' | 'png' | 'pptx'

export interface ExportOptions {
  /** The deck, absolute. */
  deck: string
  format: ExportFormat
  /** A file, or for PNG a folder. */
  out?: string
  profile?: Profile
  dark: boolean
  withNotes: boolean
}

/** Slidev shows a slide with all of its clicks done by this many. */
const ALL_CLICKS = 999_999

/** CSS pixels of a slide on paper: 16 by 9. */
const SIZE = { width: 1280, height: 720 }

/**
 * Writes the talk as PDF, pictures or PPTX. Its terminals show the end of their steps' recordings.
 *
 * @throws DeckError, BuildError or an Error whose message says what to do next
 */
export async function exportTalk(options: ExportOptions): Promise<void> {
  const signal = interruptSignal()
  const deck = await readDeck(options.deck)
  const { slides } = await load({ roots: [dirname(deck.file)], userRoot: dirname(deck.file) }, deck.file)
  const out = resolve(options.out ?? (options.format === 'png' ? 'slides' : `slides.${options.format}`))
  const folder = await mkdtemp(join(tmpdir(), 'understudy-export-'))
  const site = join(folder, 'site')
  const pictures: Buffer[] = []
  const pages: Buffer[] = []
  try {
    await new Listr(
      [
        {
          title: 'Build the site',
          task: async () =>
            buildSite(deck.file, site, { site: await staticDeckOf(deck, options.profile), withNotes: false, signal }),
        },
        {
          title: 'Take the slides',
          task: async (_, task) => {
            const browser = await launchBrowser()
            const { origin, close } = await serveSite(site)
            signal.addEventListener('abort', () => void browser.close(), { once: true })
            try {
              const page = await browser.newPage({
                viewport: SIZE,
                deviceScaleFactor: options.format === 'pdf' ? 1 : 1.5,
                colorScheme: options.dark ? 'dark' : 'light',
              })
              for (const [index] of slides.entries()) {
                task.output = `slide ${index + 1} of ${slides.length}`
                await open(page, `${origin}/#/${index + 1}?print=true&clicks=${ALL_CLICKS}`, origin)
                if (options.format === 'pdf')
                  pages.push(
                    await page.pdf({
                      width: `${SIZE.width}px`,
                      height: `${SIZE.height}px`,
                      printBackground: true,
                      pageRanges: '1',
                    }),
                  )
                else pictures.push(await page.screenshot({ type: 'png' }))
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
            else if (options.format === 'png') await writePictures(out, pictures)
            else
              await writePptx(out, deck.title, pictures, options.withNotes ? slides.map(({ note }) => note ?? '') : [])
          },
        },
      ],
      progress,
    ).run()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Opens a slide and waits until its terminals show what they have to show. */
async function open(page: Page, url: string, origin: string): Promise<void> {
  // Another fragment alone would not load the page anew, and print mode is read once.
  if (page.url().startsWith(origin)) await page.goto('about:blank')
  await page.goto(url, { waitUntil: 'networkidle' })
  await page.evaluate(() => document.fonts.ready.then(() => {}))
  // A terminal with a recording says REPLAY; its rows are filled by then.
  await page.waitForFunction(() =>
    [...document.querySelectorAll('[data-terminal]')]
      .filter((terminal) => terminal.checkVisibility())
      .every(
        (terminal) =>
          !terminal.querySelector('[data-replay]') ||
          (terminal.querySelector('.xterm-rows')?.textContent ?? '').trim() !== '',
      ),
  )
}

async function writePdf(out: string, title: string, pages: Buffer[]): Promise<void> {
  const whole = await PDFDocument.create()
  whole.setTitle(title)
  for (const page of pages) {
    const single = await PDFDocument.load(page)
    for (const copied of await whole.copyPages(single, [0])) whole.addPage(copied)
  }
  await writeFile(out, await whole.save())
}

async function writePictures(folder: string, pictures: Buffer[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  const digits = String(pictures.length).length
  for (const [index, picture] of pictures.entries())
    await writeFile(join(folder, `${String(index + 1).padStart(digits, '0')}.png`), picture)
}

async function writePptx(out: string, title: string, pictures: Buffer[], notes: string[]): Promise<void> {
  const show = new PptxGenJS()
  show.title = title
  show.layout = 'LAYOUT_16x9'
  for (const [index, picture] of pictures.entries()) {
    const slide = show.addSlide()
    slide.addImage({ data: `data:image/png;base64,${picture.toString('base64')}`, x: 0, y: 0, w: '100%', h: '100%' })
    const note = notes[index]
    if (note) slide.addNotes(note)
  }
  await writeFile(out, Buffer.from((await show.write({ outputType: 'nodebuffer' })) as Uint8Array))
}
