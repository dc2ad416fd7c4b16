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

test('dev shows the problems of check on the slide that has them, until they are fixed', async ({ page }) => {
  const problematic = `${slides.replace('layout: stage\n', '')}
![x](./missing.png)

---

# Second

![x](https://example.com/a.png)
`
  const deck = await otherDeck(problematic, { files: { 'components/Terminal.vue': '<template><p /></template>' } })
  const talk = await startTalk({ command: 'dev', deck: deck.file })
  const panel = page.getByRole('complementary', { name: 'Problems of this slide' })
  try {
    await page.goto(talk.link)
    await expect(panel).toContainText('cannot resolve "./missing.png"')
    await expect(panel).toContainText('slides.md:13')
    await expect(panel).toContainText('replaces the component <Terminal>')
    await expect(panel).toContainText('the icon of the page is loaded from the network')
    await expect(panel).not.toContainText('example.com')

    await page.keyboard.press('ArrowRight')
    // Warnings alone do not cover the slide until they are unfolded.
    await expect(panel.getByRole('button', { name: '1 problem' })).toBeVisible()
    await expect(panel.getByRole('status')).toBeHidden()
    await panel.getByRole('button', { name: '1 problem' }).click()
    await expect(panel).toContainText('"https://example.com/a.png" is loaded from the network')
    await expect(panel).not.toContainText('missing.png')

    await deck.write(problematic.replace('![x](https://example.com/a.png)', ''))
    await expect(panel).toBeHidden()
    await page.keyboard.press('ArrowLeft')
    await expect(panel).toContainText('missing.png')
    // A file that is added changes no slide.
    await deck.writeFile('missing.png', '')
    await expect(panel).not.toContainText('missing.png')
  } finally {
    await talk.stop()
    await deck.remove()
  }
})

test('after an edit of its command, a step that has succeeded says that it has changed', async ({ page }) => {
  const run = (command: string) => slides.replace('sleep 54321', command)
  const deck = await otherDeck(run('echo one'))
  const talk = await startTalk({ command: 'dev', deck: deck.file })
  const status = step(page, 'long').getByRole('status')
  try {
    await page.goto(talk.link)
    await step(page, 'long').getByRole('button', { name: 'Run long' }).click()
    await expect(status).toHaveText(/^succeeded/)
    // Slidev may miss an edit that follows another one before its page has shown that. The server refuses to run a
    // command that the slide does not show yet.
    const edit = async (command: string) => {
      await deck.write(run(command))
      await expect(step(page, 'long')).toContainText(command)
    }
    await edit('echo two')
    await expect(status).toHaveText('changed since its last run')
    await edit('echo one')
    await expect(status).toHaveText(/^succeeded/)
    await edit('echo two')
    await expect(status).toHaveText('changed since its last run')
    await step(page, 'long').getByRole('button', { name: 'Run long' }).click()
    await expect(status).toHaveText(/^succeeded/)
  } finally {
    await talk.stop()
    await deck.remove()
  }
})

test('dev shows the nearest slide if the slide that is shown is deleted', async ({ page }) => {
  const deckOf = (...titles: string[]) => slides + titles.map((title) => `\n---\n\n# ${title}\n`).join('')
  const deck = await otherDeck(deckOf('Two', 'Three'))
  const talk = await startTalk({ command: 'dev', deck: deck.file })
  try {
    await page.goto(talk.link.replace('/?', '/2?'))
    // Slidev starts slowly on a busy machine.
    await expect(page.getByRole('heading', { name: 'Two' })).toBeVisible({ timeout: 60_000 })
    await deck.write(deckOf('Three'))
    await expect(page.getByRole('heading', { name: 'Three' })).toBeVisible()
    await deck.write(deckOf())
    await expect(page.getByRole('heading', { name: 'Before' })).toBeVisible()
  } finally {
    await talk.stop()
    await deck.remove()
  }
})
