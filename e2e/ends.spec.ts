import { resolve } from 'node:path'
import { expect, test } from '@playwright/test'
import { readDeck } from '../server/deck/deck.ts'
import { processes, startTalk, step, terminal, screen } from './talk.ts'

/** A command that no other program on this machine runs. */
const marker = 'sleep 98765'

for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const)
  test(`no process is left after ${signal}${signal === 'SIGKILL' ? ' and a restart' : ''}`, async ({ page }) => {
    test.setTimeout(300_000)
    const { steps } = await readDeck(resolve('slides.md'))
    const talk = await startTalk()
    await page.goto(talk.link)
    await page.goto(`${talk.origin}/${steps.get('flake-check')?.slide}`)
    await expect(step(page, 'flake-check')).toBeVisible()
    const name = steps.get('flake-check')?.terminal ?? ''
    await terminal(page, name).locator('.xterm').click()
    await page.keyboard.type(`setsid nohup ${marker} >/dev/null 2>&1 & echo started\n`)
    await expect.poll(() => screen(page, name)).toContain('started')
    await expect.poll(() => processes(new RegExp(`^${marker}`))).toHaveLength(1)
    const status = await talk.stop(signal)
    if (signal === 'SIGKILL') {
      const restarted = await startTalk()
      expect(restarted.output()).toContain('of an earlier server')
      await restarted.stop()
    } else expect(status).toBe(0)
    await expect.poll(() => processes(new RegExp(`^${marker}`))).toEqual([])
  })
