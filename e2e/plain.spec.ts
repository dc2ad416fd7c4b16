import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { otherDeck } from './deck.ts'
import { serveFolder, slidevBuild } from './site.ts'

/** Decks that are built with `slidev build` itself, without this addon's server. */

const HEADMATTER = `fonts: { provider: none }
favicon: 'data:,'
title: Plain`

test('in a deck that slidev itself has built, steps and terminals say how to start the server, and nothing is requested from it', async ({
  page,
}) => {
  test.setTimeout(300_000)
  const deck = await otherDeck(`---
theme: none
addons: [slidev-addon-understudy]
${HEADMATTER}
layout: stage
---

# A stage

\`\`\`sh {step=one}
echo one
\`\`\`

---
layout: default
---

# A terminal

<div class="h-60"><Terminal name="one" /></div>

<div class="h-40"><Terminal /></div>
`)
  const out = join(deck.folder, 'site')
  await slidevBuild(deck.file, out, ['--base', '/sub/'])
  const site = await serveFolder(out, '/sub')
  const noise: string[] = []
  page.on('console', (message) => noise.push(message.text()))
  page.on('websocket', (socket) => noise.push(socket.url()))
  page.on('response', (response) => {
    if (response.status() >= 400) noise.push(`${response.status()} ${response.url()}`)
  })
  const message = 'No server. Start with: npx slidev-addon-understudy dev'

  await page.goto(`${site.url}/1`)
  const one = page.locator('[data-step="one"]:visible')
  await expect(one.getByRole('status')).toHaveText('no server')
  await expect(one.getByText(message)).toBeVisible()
  await expect(page.locator('.understudy-stage-body').getByText(message)).toBeVisible()
  await expect(one.getByRole('button', { name: 'Run one' })).toHaveCount(0)

  await page.goto(`${site.url}/2`)
  await expect(page.getByRole('alert').filter({ hasText: message })).toHaveCount(2)
  await page.waitForLoadState('networkidle')
  expect(noise).toEqual([])
  site.close()
  await deck.remove()
})

// Plain text: Slidev colors the tokens of the first fence that it highlights differently from build to build.
const CODE = `\`\`\`txt {1|2}{lines:true}
first line
second line
\`\`\``

/** Twelve slides without steps, with the elements that styles of an addon could reach. */
const SLIDES = [
  'layout: cover\n---\n# Title\n\n## Subtitle\n\nText with `code`, **bold**, _italic_ and [a link](https://example.com)',
  `# Headings\n\n## Second\n\n### Third\n\n#### Fourth\n\nA paragraph`,
  `# Lists\n\n- one\n- two\n  - nested\n    - deeper\n\n1. first\n2. second\n\n- [ ] open\n- [x] done`,
  `# A table\n\n| a | b |\n| --- | ---: |\n| one | 1 |\n| two | 2 |`,
  `# Code\n\n${CODE}\n\n\`\`\`sh\necho plain\n\`\`\`\n\n    indented`,
  `# A quote\n\n> Quoted\n> text\n\n---\n`.replace('\n---\n', '<hr>'),
  'layout: two-cols\n---\n# Left\n\n- a\n\n::right::\n\n# Right\n\n- b',
  'layout: image-right\nimage: /picture.svg\n---\n# Beside an image\n\n![](/picture.svg)',
  'layout: center\nclass: text-center\n---\n# Centered\n\n<button class="stage">A button</button> <input value="a field">',
  'layout: quote\n---\n# "Quotation"\n\nSomeone',
  'layout: statement\n---\n# Statement',
  'layout: section\n---\n# Section\n\n<figure><figcaption>Caption</figcaption></figure> <p role="status">Status</p> <span class="bar size name minor large">classes</span>',
].map((slide) => (slide.startsWith('layout: ') ? slide : `layout: default\n---\n${slide}`))

const files = {
  'public/picture.svg':
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30"><rect width="40" height="30" fill="teal"/></svg>',
  'global-bottom.vue': '<template><footer class="absolute bottom-2 left-2">own footer</footer></template>',
  'custom-nav-controls.vue': '<template><button>own</button></template>',
  'styles/index.css': 'h1 { letter-spacing: 1px } .slidev-layout table { color: teal }',
}

async function pictures(page: Page, theme: string, addons: string): Promise<Map<string, Buffer>> {
  const [first = '', ...others] = SLIDES
  const headmatter = `---\ntheme: ${theme}\naddons: [${addons}]\n${HEADMATTER}\n`
  const deck = await otherDeck(`${headmatter}${first}\n\n${others.map((slide) => `---\n${slide}\n`).join('\n')}`, {
    files,
  })
  const out = join(deck.folder, 'site')
  await slidevBuild(deck.file, out)
  const site = await serveFolder(out)
  const found = new Map<string, Buffer>()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const [index] of SLIDES.entries()) {
      await page.goto(`${site.url}/${index + 1}`)
      await expect(page.locator(`.slidev-page-${index + 1}`)).toBeVisible()
      await page.waitForLoadState('networkidle')
      found.set(`${colorScheme} slide ${index + 1}`, await page.screenshot({ animations: 'disabled' }))
    }
  }
  site.close()
  await deck.remove()
  return found
}

for (const theme of ['default', 'none'])
  test(`twelve slides without steps look the same with and without this addon (theme ${theme}, light and dark)`, async ({
    page,
  }, info) => {
    test.setTimeout(600_000)
    const without = await pictures(page, theme, '')
    const withAddon = await pictures(page, theme, 'slidev-addon-understudy')
    const different: string[] = []
    for (const [name, picture] of withAddon) {
      if (without.get(name)?.equals(picture)) continue
      different.push(name)
      await info.attach(`${name} with`, { body: picture, contentType: 'image/png' })
      await info.attach(`${name} without`, { body: without.get(name) ?? '', contentType: 'image/png' })
    }
    expect(different).toEqual([])
    // The pictures show slides, not one blank page.
    expect(new Set([...without.values()].map((picture) => picture.toString('base64'))).size).toBe(without.size)
  })
