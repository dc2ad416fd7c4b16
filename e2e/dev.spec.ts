import { expect, test } from '@playwright/test'
import { otherDeck } from './deck.ts'
import { processes, startTalk, step } from './talk.ts'

const slides = `---
theme: none
addons: [slidev-addon-understudy]
fonts: { provider: none }
layout: stage
---

# Before

\`\`\`sh {step=long}
sleep 54321
\`\`\`
`

test('dev shows an edit immediately, and a running step survives the edit and a crash of Slidev', async ({ page }) => {
  const deck = await otherDeck(slides)
  const talk = await startTalk({ command: 'dev', deck: deck.file })
  try {
    await page.goto(talk.link)
    await step(page, 'long').getByRole('button', { name: 'Run long' }).click()
    await expect(step(page, 'long')).toHaveAttribute('data-state', 'running')
    await expect.poll(() => processes(/^sleep 54321/)).toHaveLength(1)
    const [before] = await processes(/^sleep 54321/)

    await deck.write(slides.replace('Before', 'After'))
    await expect(page.getByRole('heading', { name: 'After' })).toBeVisible()
    const [slidev] = await processes(new RegExp(`slidev.mjs ${deck.file}`))
    process.kill(Number.parseInt(slidev ?? '', 10), 'SIGKILL')
    await expect.poll(talk.output).toContain('and is restarted')
    await page.goto(talk.link)
    // Slidev starts slowly on a busy machine.
    await expect(step(page, 'long')).toHaveAttribute('data-state', 'running', { timeout: 60_000 })
    expect((await processes(/^sleep 54321/))[0]).toBe(before)
  } finally {
    await talk.stop()
    await deck.remove()
  }
  // Matches only processes of this deck, because another deck may be built on this machine at the same time.
  expect(await processes(new RegExp(`slidev\\.mjs.*${deck.file}|^sleep 54321`))).toEqual([])
})
