import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect } from '@playwright/test'
import { execa } from 'execa'
import sirv from 'sirv'
import { measurePageLoad, totalBytes } from '../bench/page-load.ts'
import { testsOf } from './deck.ts'
import { startTalk, terminal } from './talk.ts'

/** What a browser with an empty cache loads. */

const MAX_FIRST_SLIDE_BYTES = 700_000

/** Editor and diagram are on slides that Slidev does not load together with the first one. */
const slides = `---
theme: none
addons: [slidev-addon-understudy]
title: A talk with everything
favicon: 'data:,'
fonts: { provider: none }
understudy: { cols: 60, rows: 10 }
layout: stage
---

# Count

\`\`\`sh {step=count}
seq 3
\`\`\`

---

# Text

---

# Diagram

\`\`\`mermaid
graph LR; A --> B
\`\`\`

---

# Editor

\`\`\`ts {monaco}
console.log(1)
\`\`\`
`

const LARGE_LIBRARIES = /mermaid|monaco|typescript|katex/

const test = testsOf(slides)

test('the first slide transfers at most 700 kB, and editors and diagrams are loaded later', async ({
  browser,
  talk,
}) => {
  const context = await browser.newContext()
  const { first, later } = await measurePageLoad(context, talk.link)
  expect(totalBytes(first)).toBeLessThanOrEqual(MAX_FIRST_SLIDE_BYTES)
  expect(first.map(({ url }) => url).filter((url) => LARGE_LIBRARIES.test(url))).toEqual([])
  expect(later.map(({ url }) => url).filter((url) => /monaco/.test(url))).not.toEqual([])
  await context.close()
})

test('a terminal is loaded after its slide is drawn, and does not move anything', async ({ page, talk }) => {
  // Holds xterm.js back until the slide has been measured.
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  await page.route(/create-terminal/, async (route) => {
    await released
    await route.continue()
  })
  await page.goto(talk.link)
  await expect(page.getByRole('heading', { name: 'Count' })).toBeVisible()
  const boxes = () =>
    Promise.all(
      ['.understudy-stage-top', '.understudy-stage-body', '[data-terminal]'].map((selector) =>
        page.locator(selector).first().boundingBox(),
      ),
    )
  const before = await boxes()
  expect(await page.locator('.xterm').count()).toBe(0)
  release()
  await expect(terminal(page, 'count')).toHaveAttribute('data-state', 'prompt')
  await expect(page.locator('.xterm-screen')).toBeVisible()
  expect(await boxes()).toEqual(before)
})

for (const { accept, encoding, decode } of [
  { accept: 'gzip, deflate, br, zstd', encoding: 'br', decode: brotliDecompressSync },
  { accept: 'gzip', encoding: 'gzip', decode: gunzipSync },
  { accept: 'identity', encoding: undefined, decode: (body: Buffer) => body },
])
  test(`with Accept-Encoding ${accept}, page and scripts are sent as ${encoding ?? 'they are'}, to be kept or revalidated`, async ({
    talk,
  }) => {
    const cookie = (await fetchRaw(talk.link)).headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    const headers = { cookie, 'accept-encoding': accept }
    const page = await fetchRaw(`${talk.origin}/`, headers)
    expect(page.headers['content-encoding']).toBe(encoding)
    expect(page.headers['cache-control']).toBe('no-cache')
    expect(page.headers.vary).toBe('Accept-Encoding')
    const html = decode(page.body).toString()
    expect(html).toContain('A talk with everything')
    const again = await fetchRaw(`${talk.origin}/`, { ...headers, 'if-none-match': page.headers.etag ?? '' })
    expect(again.status).toBe(304)

    const script = await fetchRaw(talk.origin + (/src="([^"]+\.js)"/.exec(html)?.[1] ?? ''), headers)
    expect(script.headers['content-encoding']).toBe(encoding)
    expect(script.headers['content-type']).toContain('javascript')
    expect(script.headers['cache-control']).toBe('private, max-age=31536000, immutable')
    expect(decode(script.body).toString()).toContain('import')
  })

test('the first slide of the talk of this repository transfers at most 700 kB', async ({ browser }) => {
  const talk = await startTalk()
  try {
    const context = await browser.newContext()
    const { first } = await measurePageLoad(context, talk.link)
    expect(totalBytes(first)).toBeLessThanOrEqual(MAX_FIRST_SLIDE_BYTES)
    await context.close()
  } finally {
    await talk.stop()
  }
})

test('the first slide of its static site transfers at most 700 kB from a host that sends compressed files', async ({
  browser,
}) => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-site-'))
  const site = join(folder, 'site')
  await execa(process.execPath, ['bin/understudy.js', 'build', 'slides.md', '--out', site])
  const server = createServer(sirv(site, { brotli: true, gzip: true })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const scripts = (await readdir(join(site, 'assets'))).filter((name) => /^index-.*\.js/.test(name))
    expect(scripts.map((name) => /\.js(.*)$/.exec(name)?.[1]).sort()).toEqual(['', '.br', '.gz'])
    const context = await browser.newContext()
    const { first } = await measurePageLoad(context, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    expect(totalBytes(first)).toBeLessThanOrEqual(MAX_FIRST_SLIDE_BYTES)
    await context.close()
  } finally {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  }
})

/** Unlike `fetch`, does not decompress the body, follows no redirects, and adds no headers. */
async function fetchRaw(url: string, headers: Record<string, string> = {}) {
  const response = await new Promise<IncomingMessage>((resolve) => get(url, { headers }, resolve))
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(Buffer.from(chunk as Uint8Array))
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }
}
