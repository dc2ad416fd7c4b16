import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test as base } from '@playwright/test'
import type { OtherDeck } from './deck.ts'
import { flaws } from './layout-checks.ts'
import { LearnerPage } from './learner-page.ts'
import { expect, screen, startTalk, type Talk, terminal } from './talk.ts'
import { missingPrograms } from './programs.ts'
import { workshopDeck } from './workshop-deck.ts'

/** The learner's page of a workshop, with a real server, real files and real checks. */

interface Workshop {
  deck: OtherDeck
  talk: Talk
  /** The learner's workspace, absolute. */
  workspace: string
}

const test = base.extend<{ learner: LearnerPage }, { workshop: Workshop; talk: Talk }>({
  /** The deck of this repository, served as a workshop. */
  talk: [
    async ({}, use) => {
      const data = await mkdtemp(join(tmpdir(), 'understudy-workshop-'))
      const talk = await startTalk({ command: 'workshop', env: { UNDERSTUDY_DATA: data } })
      await use(talk)
      await talk.stop()
      await rm(data, { recursive: true, force: true })
    },
    { scope: 'worker', timeout: 300_000 },
  ],
  workshop: [
    async ({}, use) => {
      const deck = await workshopDeck()
      const folder = await mkdtemp(join(tmpdir(), 'understudy-workshop-'))
      const talk = await startTalk({
        command: 'workshop',
        deck: deck.file,
        args: ['--profile', 'host'],
        env: { UNDERSTUDY_CACHE: join(folder, 'cache'), UNDERSTUDY_DATA: join(folder, 'data') },
      })
      const workspace = (/Workspace\s+(\S+)/.exec(talk.output())?.[1] ?? '').replace(/^~/, homedir())
      await use({ deck, talk, workspace })
      await talk.stop()
      await deck.remove()
      await rm(folder, { recursive: true, force: true })
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  learner: async ({ page, workshop }, use) => {
    await page.setViewportSize({ width: 1366, height: 768 })
    page.on('dialog', (dialog) => void dialog.accept())
    await page.goto(workshop.talk.link)
    const learner = new LearnerPage(page)
    await expect(learner.editor).toBeVisible()
    await use(learner)
  },
})
test.describe.configure({ mode: 'serial' })

test('a failed check lists the unmet requirement, and saving the corrected file passes the task', async ({
  learner,
}) => {
  await expect(learner.progressCell('After all others')).toHaveAttribute('title', /locked/)
  await learner.page.getByRole('group', { name: /^Slide 1 of 5/ }).press('ArrowRight')
  await expect(learner.guide.getByText('The program prints a greeting.')).toBeVisible()
  await learner.startTask()
  await learner.button('Check').click()
  await expect(learner.checkResult).toContainText('Not passed')
  await expect(learner.checkResult).toContainText('greet.sh does not print Good evening')
  await expect(learner.checkResult).toContainText('greet.sh prints: Good morning')

  await learner.openFile('greet.sh')
  await expect.poll(() => learner.editorText()).toContain('Good morning')
  await learner.typeOver('echo "Good evening"')
  await expect(learner.editor.getByText('unsaved').first()).toBeVisible()
  await learner.page.keyboard.press('ControlOrMeta+s')
  await expect(learner.checkResult).toContainText('Passed')
  await expect(learner.progressCell('Say good evening')).toHaveAttribute('title', /passed/)
  await learner.button('Next: Count to five').click()
  await expect(learner.panel('Slide').getByText('3 of 5')).toBeVisible()
})

test('a reload restores the slide, the task, the open hint, the open file and the unsaved text', async ({
  learner,
  workshop,
}) => {
  await learner.openTask('Count to five')
  await learner.startTask()
  await expect(learner.guide.getByRole('region', { name: 'Setup output' })).toContainText('count.sh now counts to two')
  await learner.button('Hint 1/2').click()
  await expect(learner.guide.getByText('Hint 1 for count.')).toBeVisible()
  await learner.openFile('count.sh')
  await expect.poll(() => learner.editorText()).toBe('seq 2\n')
  await learner.typeOver('seq 4')

  await learner.page.reload()
  await expect(learner.panel('Slide').getByText('3 of 5')).toBeVisible()
  await expect(learner.guide.getByText('Hint 1 for count.')).toBeVisible()
  await expect.poll(() => learner.editorText()).toBe('seq 4')
  await expect(learner.editor.getByText('unsaved').first()).toBeVisible()
  // The address without a slide number restores the slide, too.
  await learner.page.goto(`${workshop.talk.origin}/workshop`)
  await expect(learner.panel('Slide').getByText('3 of 5')).toBeVisible()

  await learner.button('Check').click()
  await expect(learner.checkResult).toContainText('count.sh counts to 4')
})

test('a solution is previewed before it is applied, and a reset restores the start of the task', async ({
  learner,
}) => {
  await learner.openTask('Count to five')
  await learner.button('Show solution').click()
  await expect(learner.page.getByText('Preview of the changes that the solution makes.')).toBeVisible()
  await expect.poll(() => learner.editorText()).toContain('seq 5')
  await learner.page.getByRole('button', { name: 'Apply solution' }).click()
  await expect(learner.checkResult).toContainText('count.sh counts to five')
  await learner.openFile('count.sh')
  await expect.poll(() => learner.editorText()).toBe('seq 5')

  await learner.button('Reset').click()
  await expect.poll(() => learner.editorText()).toBe('seq 2\n')
  await expect(learner.progressCell('Count to five')).toHaveAttribute('title', /in progress/)
})

test('skipping a task applies its solution and unlocks the task that depends on it', async ({ learner }) => {
  await learner.openTask('After all others')
  await expect(learner.guide.getByText('Complete first:')).toBeVisible()
  await learner.button('Add a name').click()
  await learner.button('Skip').click()
  await expect(learner.progressCell('Add a name')).toHaveAttribute('title', /skipped/)
  await expect(learner.progressCell('After all others')).toHaveAttribute('title', /not started/)
  await learner.openFile('people/names.txt')
  await expect.poll(() => learner.editorText()).toContain('Grace')
})

test('a change on the disk updates the editor, and a conflict shows both versions', async ({ learner, workshop }) => {
  const file = join(workshop.workspace, 'people', 'names.txt')
  await learner.openFile('people/names.txt')
  await expect.poll(() => learner.editorText()).toContain('Ada')
  await writeFile(file, 'Ada\nBarbara\n')
  await expect.poll(() => learner.editorText()).toBe('Ada\nBarbara\n')

  await learner.typeOver('Hedy')
  await writeFile(file, 'Ada\nKatherine\n')
  await expect(learner.page.getByText('This file has also changed on the disk.')).toBeVisible()
  await expect.poll(() => learner.editorText()).toMatch(/Katherine[\s\S]*Hedy|Hedy[\s\S]*Katherine/)
  await learner.page.getByRole('button', { name: 'Keep mine' }).click()
  await expect.poll(() => readFile(file, 'utf8')).toBe('Hedy')

  await learner.typeOver('Radia')
  await writeFile(file, 'Mary\n')
  await learner.page.getByRole('button', { name: 'Use disk version' }).click()
  await expect.poll(() => learner.editorText()).toBe('Mary\n')
  // The discarded text can be restored with undo.
  await learner.editor.locator('.view-lines').click()
  await learner.page.keyboard.press('ControlOrMeta+z')
  await expect.poll(() => learner.editorText()).toBe('Radia')
  await learner.page.keyboard.press('ControlOrMeta+Shift+z')
})

test('the changes since the start can be viewed, exported as a patch and reset', async ({ learner, workshop }) => {
  await learner.editor.getByRole('button', { name: /^Changes \d/ }).click()
  await expect(learner.page.getByText('Changes since the start').first()).toBeVisible()
  await learner.page.getByRole('combobox', { name: 'File' }).selectOption({ label: 'people/names.txt' })
  await expect.poll(() => learner.editorText()).toMatch(/Ada[\s\S]*Mary/)

  const download = learner.page.waitForEvent('download')
  await learner.page.getByRole('link', { name: 'Export patch' }).click()
  const patch = await (await download).path()
  const start = await mkdtemp(join(tmpdir(), 'understudy-patch-'))
  try {
    await promisify(execFile)('cp', ['-r', `${workshop.deck.file.replace(/slides\.md$/, 'nix')}/.`, start])
    await promisify(execFile)('git', ['apply', patch], { cwd: start })
    expect(await readFile(join(start, 'people', 'names.txt'), 'utf8')).toBe('Mary\n')
  } finally {
    await rm(start, { recursive: true })
  }

  await learner.page.getByRole('button', { name: 'Reset all' }).click()
  await expect(learner.editor.getByRole('button', { name: 'Changes 0' })).toBeVisible()
  await learner.openFile('people/names.txt')
  await expect.poll(() => learner.editorText()).toBe('Ada\n')
})

test('a step runs in the terminal panel, which keeps it on other slides and receives commands from tasks', async ({
  learner,
}) => {
  await learner.page.getByRole('group', { name: /^Slide \d of 5/ }).press('Home')
  await learner.page.getByRole('button', { name: 'Run greet' }).click()
  await expect(learner.page.locator('[data-step="greet"]').first()).toHaveAttribute('data-state', 'succeeded')
  const name = (await learner.page.locator('[data-terminal]:visible').first().getAttribute('data-terminal')) ?? ''
  await expect.poll(() => screen(learner.page, name)).toMatch(/^Good morning$/m)
  await learner.openTask('Say good evening')
  await expect(terminal(learner.page, name)).toBeVisible()
  await learner.guide.getByRole('button', { name: 'Insert into terminal' }).click()
  await expect(terminal(learner.page, name).locator('textarea')).toBeFocused()
  await learner.page.keyboard.press('Enter')
  await expect.poll(async () => (await screen(learner.page, name)).match(/^Good morning$/gm)?.length).toBe(2)
})

test('all panels can be reached, used and left with the keyboard', async ({ learner }) => {
  const focused = () =>
    learner.page.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-panel]')?.dataset.panel)
  for (const name of ['slide', 'guide', 'editor', 'terminal', 'slide']) {
    await learner.page.keyboard.press('F6')
    await expect.poll(focused).toBe(name)
  }
  await learner.page.keyboard.press('ArrowRight')
  await expect(learner.panel('Slide').getByText(/^\d of 5/)).toBeVisible()

  // Open a task from the list and check it.
  await learner.page.keyboard.press('Alt+Shift+Digit5')
  const first = learner.guide.getByRole('button', { name: /1\. Say good evening/ })
  await first.focus()
  await learner.page.keyboard.press('Enter')
  await expect.poll(focused).toBe('guide')
  await learner.page.keyboard.press('Alt+Shift+KeyC')
  await expect(learner.checkResult).toContainText('Not passed')

  // Tab indents in the editor, so Shift+Escape leaves it.
  await expect(learner.editor.locator('.view-line').first()).toBeVisible()
  await learner.page.keyboard.press('Alt+Shift+Digit3')
  await expect
    .poll(() => learner.page.evaluate(() => document.activeElement?.closest('.monaco-editor') !== null))
    .toBe(true)
  await learner.page.keyboard.press('Shift+Escape')
  await expect(learner.editor).toBeFocused()
  await learner.page.keyboard.press('Tab')
  await expect(learner.editor.getByRole('button', { name: 'Files' })).toBeFocused()
  await learner.page.keyboard.press('Alt+Shift+Digit4')
  await expect(
    terminal(
      learner.page,
      (await learner.page.locator('[data-terminal]:visible').getAttribute('data-terminal')) ?? '',
    ).locator('textarea'),
  ).toBeFocused()
  await learner.page.keyboard.press('Shift+Escape')
  await expect(learner.panel('Terminal')).toBeFocused()

  // The arrow keys resize panels, and the sizes survive a reload.
  const divider = learner.page.getByRole('separator', { name: 'Size of slide and guide' })
  await divider.focus()
  await learner.page.keyboard.press('ArrowRight')
  await learner.page.keyboard.press('ArrowRight')
  await expect(divider).toHaveAttribute('aria-valuenow', '52')
  await learner.page.reload()
  await expect(divider).toHaveAttribute('aria-valuenow', '52')
  await divider.press('Enter')

  await learner.page.keyboard.press('Alt+Shift+KeyH')
  await expect(learner.page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()
  await learner.page.keyboard.press('Escape')
  await expect(learner.page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeHidden()
})

test('three tasks of this repository’s deck can be solved in the editor, in the lab profile', async ({
  page,
  talk,
}) => {
  const missing = missingPrograms({ nix: 'nix-bin' })
  test.skip(missing !== undefined, missing)
  test.setTimeout(240_000)
  await page.setViewportSize({ width: 1366, height: 768 })
  await page.goto(talk.link)
  const learner = new LearnerPage(page)
  const expectPassed = async () => expect(learner.checkResult).toContainText('Passed', { timeout: 120_000 })
  await learner.openTask('Read a type error')
  await learner.startTask()
  await learner.guide.getByRole('button', { name: 'Insert into terminal' }).first().click()
  const name = (await page.locator('[data-terminal]:visible').getAttribute('data-terminal')) ?? ''
  await expect(terminal(page, name).locator('textarea')).toBeFocused()
  await page.keyboard.press('Enter')
  await expect.poll(() => screen(page, name)).toContain('is not of type')
  await page.keyboard.press('Alt+Shift+KeyC')
  await expect(learner.checkResult).toContainText('the configuration has no valid port')
  await learner.replaceInFile('nixos/profiles/spa-machine.nix', 'port = "80"', 'port = 80')
  await page.keyboard.press('ControlOrMeta+s')
  await expectPassed()

  await learner.openTask('Serve on another port')
  await learner.startTask()
  await learner.replaceInFile('nixos/profiles/spa-machine.nix', 'port = 80', 'port = 8000')
  await learner.replaceInFile('configurations/spa-qemu.nix', 'guest.port = 80', 'guest.port = 8000')
  // The check saves both files.
  await page.keyboard.press('Alt+Shift+KeyC')
  await expectPassed()

  await learner.openTask('Fix the failing test')
  await learner.startTask()
  await learner.replaceInFile('spa/index.html', 'id="app"', 'id="root"')
  await page.keyboard.press('ControlOrMeta+s')
  await expectPassed()
  await expect(page.getByRole('button', { name: /^3 of \d+ done/ })).toBeVisible()
})

test('the page has no layout or accessibility flaws at 1366 × 768 in both color schemes, and no requests to other origins', async ({
  learner,
  workshop,
}) => {
  const foreign: string[] = []
  learner.page.on('request', (request) => {
    if (!request.url().startsWith(workshop.talk.origin) && !/^(data|blob):/.test(request.url()))
      foreign.push(request.url())
  })
  for (const colorScheme of ['light', 'dark'] as const) {
    await learner.page.emulateMedia({ colorScheme })
    await learner.openTask('Count to five')
    await learner.openFile('count.sh')
    for (const view of ['guide', 'tasks', 'changes'] as const) {
      if (view === 'tasks') await learner.page.keyboard.press('Alt+Shift+Digit5')
      if (view === 'changes') {
        await learner
          .button(/^Guide$/)
          .or(learner.guide.getByRole('tab', { name: 'Guide' }))
          .click()
        await learner.button('Show solution').click()
        await expect(learner.page.getByText('Preview of the changes that the solution makes.')).toBeVisible()
      }
      expect(await flaws(learner.page), `${colorScheme}, ${view}`).toEqual([])
    }
    await learner.page.getByRole('button', { name: 'Close' }).click()
  }
  expect(foreign).toEqual([])
})
