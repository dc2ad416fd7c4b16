import type { Page } from '@playwright/test'
import { expect } from './talk.ts'

/** The learner's page: its parts as a learner finds them. */

export const guide = (page: Page) => page.locator('[data-panel="guide"]')
export const button = (page: Page, name: string | RegExp) =>
  guide(page).getByRole('button', { name, exact: typeof name === 'string' })
/** What the last check of the open task has found. */
export const result = (page: Page) => guide(page).getByRole('region', { name: 'Result of the check' })
/** A task in the course's progress. */
export const cell = (page: Page, title: string) =>
  page.getByRole('navigation', { name: 'Progress' }).getByRole('button', { name: new RegExp(title) })

export async function openTask(page: Page, title: string) {
  await cell(page, title).click()
  await expect(guide(page).getByRole('heading', { name: title })).toBeVisible()
}

/** Begins the task, and waits until its start is made: before that there is nothing to check. */
export async function begin(page: Page) {
  await button(page, 'Begin the task').click()
  await expect(button(page, 'Check')).toBeEnabled()
}
