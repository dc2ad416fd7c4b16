import type { Locator, Page } from '@playwright/test'
import { expect } from './talk.ts'

/** Page object of the learner's page of a workshop. */
export class LearnerPage {
  readonly page: Page
  readonly guide: Locator
  readonly editor: Locator
  readonly terminalPanel: Locator
  /** The result of the last check of the task in the guide. */
  readonly checkResult: Locator

  constructor(page: Page) {
    this.page = page
    this.guide = page.locator('[data-panel="guide"]')
    this.editor = this.panel('Editor')
    this.terminalPanel = page.locator('[data-panel="terminal"]')
    this.checkResult = this.guide.getByRole('region', { name: 'Check result' })
  }

  panel(name: 'Slide' | 'Editor' | 'Terminal'): Locator {
    return this.page.getByRole('region', { name, exact: true })
  }

  /** A button of the guide. */
  button(name: string | RegExp): Locator {
    return this.guide.getByRole('button', { name, exact: typeof name === 'string' })
  }

  /** The cell of a task in the progress bar. The cell's title attribute contains the state. */
  progressCell(title: string): Locator {
    return this.page.getByRole('navigation', { name: 'Progress' }).getByRole('button', { name: new RegExp(title) })
  }

  async openTask(title: string): Promise<void> {
    await this.progressCell(title).click()
    await expect(this.guide.getByRole('heading', { name: title })).toBeVisible()
  }

  /** Starts the task, and waits until its setup script has finished. */
  async startTask(): Promise<void> {
    await this.button('Start task').click()
    await expect(this.button('Check')).toBeEnabled()
  }

  /** The visible text of the editor. */
  async editorText(): Promise<string> {
    const lines = await this.editor.locator('.view-line').allInnerTexts()
    return lines.join('\n').replaceAll('\u00a0', ' ')
  }

  async openFile(path: string): Promise<void> {
    await this.editor.locator(`[data-path="${path}"]`).first().click()
    await expect(this.editor.locator('.view-line').first()).toBeVisible()
  }

  /** Selects everything in the editor and types over it. */
  async typeOver(text: string): Promise<void> {
    await this.editor.locator('.view-lines').click()
    await this.page.keyboard.press('ControlOrMeta+a')
    await this.page.keyboard.type(text)
  }

  /** Finds a text in a file with the editor's search, and types over it. */
  async replaceInFile(path: string, before: string, after: string): Promise<void> {
    await this.openFile(path)
    await expect(this.editor.getByText(path, { exact: true })).toBeVisible()
    await this.page.keyboard.press('ControlOrMeta+f')
    await this.editor.getByRole('textbox', { name: 'Find' }).fill(before)
    await this.page.keyboard.press('Enter')
    await this.page.keyboard.press('Escape')
    await this.page.keyboard.type(after)
  }

  /** Clicks into the terminal and runs a command line. */
  async runCommand(command: string): Promise<void> {
    await this.terminalPanel.locator('.xterm-screen').click()
    await this.page.keyboard.type(`${command}\n`)
  }
}
