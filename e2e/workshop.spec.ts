import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Page, test as base } from '@playwright/test'
import type { OtherDeck } from './deck.ts'
import { begin, button, cell, guide, openTask, result } from './workshop-page.ts'
import { flaws } from './layout-checks.ts'
import { expect, screen, startTalk, type Talk, terminal } from './talk.ts'
import { missingPrograms } from './programs.ts'
import { workshopDeck } from './workshop-deck.ts'

/** The learner's page, with a real server, real files and real checks. */

interface Workshop {
  deck: OtherDeck
  talk: Talk
  /** Where the learner's files are, absolute. */
  copy: string
}

const test = base.extend<{ desk: Page }, { workshop: Workshop; talk: Talk }>({
  /** The talk itself, as a workshop. */
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
      const place = await mkdtemp(join(tmpdir(), 'understudy-workshop-'))
      const talk = await startTalk({
        command: 'workshop',
        deck: deck.file,
        args: ['--profile', 'host'],
        env: { UNDERSTUDY_CACHE: join(place, 'cache'), UNDERSTUDY_DATA: join(place, 'data') },
      })
      const copy = (/Your copy\s+(\S+)/.exec(talk.output())?.[1] ?? '').replace(/^~/, homedir())
      await use({ deck, talk, copy })
      await talk.stop()
      await deck.remove()
      await rm(place, { recursive: true, force: true })
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  desk: async ({ page, workshop }, use) => {
    await page.setViewportSize({ width: 1366, height: 768 })
    page.on('dialog', (dialog) => void dialog.accept())
    await page.goto(workshop.talk.link)
    await expect(page.getByRole('region', { name: 'Editor' })).toBeVisible()
    await use(page)
  },
})
test.describe.configure({ mode: 'serial' })

const panel = (page: Page, name: string) => page.getByRole('region', { name, exact: true })
/** The text of the editor, as its lines stand on the screen. */
const editorText = async (page: Page) =>
  (await panel(page, 'Editor').locator('.view-line').allInnerTexts()).join('\n').replaceAll('\u00a0', ' ')
async function openFile(page: Page, path: string) {
  await panel(page, 'Editor').locator(`[data-path="${path}"]`).first().click()
  await expect(panel(page, 'Editor').locator('.view-line').first()).toBeVisible()
}
/** Replaces what is in the editor, as somebody does who selects all and types. */
async function typeOver(page: Page, text: string) {
  await panel(page, 'Editor').locator('.view-lines').click()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type(text)
}

test('a learner fails the first task, reads what is wrong, corrects the file, and passes by saving', async ({
  desk,
}) => {
  await expect(cell(desk, 'After all others')).toHaveAttribute('title', /waits for others/)
  await desk.getByRole('group', { name: /^Slide 1 of 5/ }).press('ArrowRight')
  await expect(guide(desk).getByText('The program greets.')).toBeVisible()
  await begin(desk)
  await button(desk, 'Check').click()
  await expect(result(desk)).toContainText('Not there yet')
  await expect(result(desk)).toContainText('it does not say Good evening')
  await expect(result(desk)).toContainText('what greet.sh says: Good morning')

  await openFile(desk, 'greet.sh')
  await expect.poll(() => editorText(desk)).toContain('Good morning')
  await typeOver(desk, 'echo "Good evening"')
  await expect(panel(desk, 'Editor').getByText('not saved').first()).toBeVisible()
  await desk.keyboard.press('ControlOrMeta+s')
  await expect(result(desk)).toContainText('Passed')
  await expect(cell(desk, 'Say good evening')).toHaveAttribute('title', /passed/)
  await button(desk, 'Next: Count to five').click()
  await expect(panel(desk, 'Slide').getByText('3 of 5')).toBeVisible()
})

test('a reload in the middle loses nothing: the slide, the task, its hint, the open file and the text that was not saved', async ({
  desk,
  workshop,
}) => {
  await openTask(desk, 'Count to five')
  await begin(desk)
  await expect(guide(desk).getByRole('region', { name: 'What was changed to begin with' })).toContainText(
    'count.sh counts to two now',
  )
  await button(desk, 'Hint 1/2').click()
  await expect(guide(desk).getByText('The hint 1 of count.')).toBeVisible()
  await openFile(desk, 'count.sh')
  await expect.poll(() => editorText(desk)).toBe('seq 2\n')
  await typeOver(desk, 'seq 4')

  await desk.reload()
  await expect(panel(desk, 'Slide').getByText('3 of 5')).toBeVisible()
  await expect(guide(desk).getByText('The hint 1 of count.')).toBeVisible()
  await expect.poll(() => editorText(desk)).toBe('seq 4')
  await expect(panel(desk, 'Editor').getByText('not saved').first()).toBeVisible()
  // The link alone leads back as well, as tomorrow.
  await desk.goto(`${workshop.talk.origin}/workshop`)
  await expect(panel(desk, 'Slide').getByText('3 of 5')).toBeVisible()

  await button(desk, 'Check').click()
  await expect(result(desk)).toContainText('it counts to 4')
})

test('the solution is shown before it is applied, and a reset brings the start of the task back', async ({ desk }) => {
  await openTask(desk, 'Count to five')
  await button(desk, 'Solution …').click()
  await expect(desk.getByText('This is what the solution changes')).toBeVisible()
  await expect.poll(() => editorText(desk)).toContain('seq 5')
  await desk.getByRole('button', { name: 'Apply the solution' }).click()
  await expect(result(desk)).toContainText('it counts to five')
  await openFile(desk, 'count.sh')
  await expect.poll(() => editorText(desk)).toBe('seq 5')

  await button(desk, 'Reset').click()
  await expect.poll(() => editorText(desk)).toBe('seq 2\n')
  await expect(cell(desk, 'Count to five')).toHaveAttribute('title', /begun/)
})

test('a task that is skipped is solved, and opens the one that waited for it', async ({ desk }) => {
  await openTask(desk, 'After all others')
  await expect(guide(desk).getByText('It opens after')).toBeVisible()
  await button(desk, 'Add a name').click()
  await button(desk, 'Skip').click()
  await expect(cell(desk, 'Add a name')).toHaveAttribute('title', /skipped/)
  await expect(cell(desk, 'After all others')).toHaveAttribute('title', /not begun/)
  await openFile(desk, 'people/names.txt')
  await expect.poll(() => editorText(desk)).toContain('Grace')
})

test('an edit from outside appears; one against an edit here shows both, and what stays is the learner’s choice', async ({
  desk,
  workshop,
}) => {
  const file = join(workshop.copy, 'people', 'names.txt')
  await openFile(desk, 'people/names.txt')
  await expect.poll(() => editorText(desk)).toContain('Ada')
  await writeFile(file, 'Ada\nBarbara\n')
  await expect.poll(() => editorText(desk)).toBe('Ada\nBarbara\n')

  await typeOver(desk, 'Hedy')
  await writeFile(file, 'Ada\nKatherine\n')
  await expect(desk.getByText('This file was changed on the disk, too.')).toBeVisible()
  await expect.poll(() => editorText(desk)).toMatch(/Katherine[\s\S]*Hedy|Hedy[\s\S]*Katherine/)
  await desk.getByRole('button', { name: 'Save mine' }).click()
  await expect.poll(() => readFile(file, 'utf8')).toBe('Hedy')

  await typeOver(desk, 'Radia')
  await writeFile(file, 'Mary\n')
  await desk.getByRole('button', { name: 'Take the one on the disk' }).click()
  await expect.poll(() => editorText(desk)).toBe('Mary\n')
  // Not even that is lost.
  await panel(desk, 'Editor').locator('.view-lines').click()
  await desk.keyboard.press('ControlOrMeta+z')
  await expect.poll(() => editorText(desk)).toBe('Radia')
  await desk.keyboard.press('ControlOrMeta+Shift+z')
})

test('one click shows what is different from the start, exports it as a patch that applies, and puts it back', async ({
  desk,
  workshop,
}) => {
  await panel(desk, 'Editor')
    .getByRole('button', { name: /^Changes \d/ })
    .click()
  await expect(desk.getByText('Changes since the start').first()).toBeVisible()
  await desk.getByRole('combobox', { name: 'File' }).selectOption({ label: 'people/names.txt' })
  await expect.poll(() => editorText(desk)).toMatch(/Ada[\s\S]*Mary/)

  const download = desk.waitForEvent('download')
  await desk.getByRole('link', { name: 'Export as patch' }).click()
  const patch = await (await download).path()
  const start = await mkdtemp(join(tmpdir(), 'understudy-patch-'))
  try {
    await promisify(execFile)('cp', ['-r', `${workshop.deck.file.replace(/slides\.md$/, 'nix')}/.`, start])
    await promisify(execFile)('git', ['apply', patch], { cwd: start })
    expect(await readFile(join(start, 'people', 'names.txt'), 'utf8')).toBe('Mary\n')
  } finally {
    await rm(start, { recursive: true })
  }

  await desk.getByRole('button', { name: 'Reset all' }).click()
  await expect(panel(desk, 'Editor').getByRole('button', { name: 'Changes 0' })).toBeVisible()
  await openFile(desk, 'people/names.txt')
  await expect.poll(() => editorText(desk)).toBe('Ada\n')
})

test('a step of the slide runs in the terminal, which stays while the slides turn and takes what a task gives it', async ({
  desk,
}) => {
  await desk.getByRole('group', { name: /^Slide \d of 5/ }).press('Home')
  await desk.getByRole('button', { name: 'Run greet' }).click()
  await expect(desk.locator('[data-step="greet"]').first()).toHaveAttribute('data-state', 'succeeded')
  const name = (await desk.locator('[data-terminal]:visible').first().getAttribute('data-terminal')) ?? ''
  await expect.poll(() => screen(desk, name)).toMatch(/^Good morning$/m)
  await openTask(desk, 'Say good evening')
  await expect(terminal(desk, name)).toBeVisible()
  await guide(desk).getByRole('button', { name: 'Put into the terminal' }).click()
  await expect(terminal(desk, name).locator('textarea')).toBeFocused()
  await desk.keyboard.press('Enter')
  await expect.poll(async () => (await screen(desk, name)).match(/^Good morning$/gm)?.length).toBe(2)
})

test('everything can be reached and left by the keyboard alone', async ({ desk }) => {
  const focused = () => desk.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-panel]')?.dataset.panel)
  for (const name of ['slide', 'guide', 'editor', 'terminal', 'slide']) {
    await desk.keyboard.press('F6')
    await expect.poll(focused).toBe(name)
  }
  await desk.keyboard.press('ArrowRight')
  await expect(panel(desk, 'Slide').getByText(/^\d of 5/)).toBeVisible()

  // A task, from the list to its check.
  await desk.keyboard.press('Alt+Shift+Digit5')
  const first = guide(desk).getByRole('button', { name: /1\. Say good evening/ })
  await first.focus()
  await desk.keyboard.press('Enter')
  await expect.poll(focused).toBe('guide')
  await desk.keyboard.press('Alt+Shift+KeyC')
  await expect(result(desk)).toContainText('Not there yet')

  // Into the editor, out of it, and on: Tab indents there, so Shift+Escape is the way out.
  await expect(panel(desk, 'Editor').locator('.view-line').first()).toBeVisible()
  await desk.keyboard.press('Alt+Shift+Digit3')
  await expect.poll(() => desk.evaluate(() => document.activeElement?.closest('.monaco-editor') !== null)).toBe(true)
  await desk.keyboard.press('Shift+Escape')
  await expect(panel(desk, 'Editor')).toBeFocused()
  await desk.keyboard.press('Tab')
  await expect(panel(desk, 'Editor').getByRole('button', { name: 'Files' })).toBeFocused()
  await desk.keyboard.press('Alt+Shift+Digit4')
  await expect(
    terminal(desk, (await desk.locator('[data-terminal]:visible').getAttribute('data-terminal')) ?? '').locator(
      'textarea',
    ),
  ).toBeFocused()
  await desk.keyboard.press('Shift+Escape')
  await expect(panel(desk, 'Terminal')).toBeFocused()

  // Sizes, by the arrows, and remembered.
  const line = desk.getByRole('separator', { name: 'Size of slide and guide' })
  await line.focus()
  await desk.keyboard.press('ArrowRight')
  await desk.keyboard.press('ArrowRight')
  await expect(line).toHaveAttribute('aria-valuenow', '52')
  await desk.reload()
  await expect(line).toHaveAttribute('aria-valuenow', '52')
  await line.press('Enter')

  await desk.keyboard.press('Alt+Shift+KeyH')
  await expect(desk.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  await desk.keyboard.press('Escape')
  await expect(desk.getByRole('dialog', { name: 'Keys' })).toBeHidden()
})

/** Finds a text in the editor, by its own search, and types another one over it. */
async function replace(page: Page, path: string, before: string, after: string) {
  await openFile(page, path)
  await expect(panel(page, 'Editor').getByText(path, { exact: true })).toBeVisible()
  await page.keyboard.press('ControlOrMeta+f')
  await panel(page, 'Editor').getByRole('textbox', { name: 'Find' }).fill(before)
  await page.keyboard.press('Enter')
  await page.keyboard.press('Escape')
  await page.keyboard.type(after)
}

test('three tasks of the talk are solved by typing, in the lab', async ({ page, talk }) => {
  const missing = missingPrograms({ nix: 'nix-bin' })
  test.skip(missing !== undefined, missing)
  test.setTimeout(240_000)
  await page.setViewportSize({ width: 1366, height: 768 })
  await page.goto(talk.link)
  const passed = async () => expect(result(page)).toContainText('Passed', { timeout: 120_000 })
  await openTask(page, 'Read a type error')
  await begin(page)
  await guide(page).getByRole('button', { name: 'Put into the terminal' }).first().click()
  const name = (await page.locator('[data-terminal]:visible').getAttribute('data-terminal')) ?? ''
  await expect(terminal(page, name).locator('textarea')).toBeFocused()
  await page.keyboard.press('Enter')
  await expect.poll(() => screen(page, name)).toContain('is not of type')
  await page.keyboard.press('Alt+Shift+KeyC')
  await expect(result(page)).toContainText('the configuration has no valid port')
  await replace(page, 'nixos/profiles/spa-machine.nix', 'port = "80"', 'port = 80')
  await page.keyboard.press('ControlOrMeta+s')
  await passed()

  await openTask(page, 'Serve on another port')
  await begin(page)
  await replace(page, 'nixos/profiles/spa-machine.nix', 'port = 80', 'port = 8000')
  await replace(page, 'configurations/spa-qemu.nix', 'guest.port = 80', 'guest.port = 8000')
  // Both files are saved by the check.
  await page.keyboard.press('Alt+Shift+KeyC')
  await passed()

  await openTask(page, 'Fix the failing test')
  await begin(page)
  await replace(page, 'spa/index.html', 'id="app"', 'id="root"')
  await page.keyboard.press('ControlOrMeta+s')
  await passed()
  await expect(page.getByRole('button', { name: /^3 of \d+ done/ })).toBeVisible()
})

test('in both colour schemes nothing overflows at 1366 × 768, nothing is too small, axe finds nothing, and nothing comes from elsewhere', async ({
  desk,
  workshop,
}) => {
  const foreign: string[] = []
  desk.on('request', (request) => {
    if (!request.url().startsWith(workshop.talk.origin) && !/^(data|blob):/.test(request.url()))
      foreign.push(request.url())
  })
  for (const colorScheme of ['light', 'dark'] as const) {
    await desk.emulateMedia({ colorScheme })
    await openTask(desk, 'Count to five')
    await openFile(desk, 'count.sh')
    for (const look of ['guide', 'tasks', 'changes'] as const) {
      if (look === 'tasks') await desk.keyboard.press('Alt+Shift+Digit5')
      if (look === 'changes') {
        await button(desk, /^Guide$/)
          .or(guide(desk).getByRole('tab', { name: 'Guide' }))
          .click()
        await button(desk, 'Solution …').click()
        await expect(desk.getByText('This is what the solution changes')).toBeVisible()
      }
      expect(await flaws(desk), `${colorScheme}, ${look}`).toEqual([])
    }
    await desk.getByRole('button', { name: 'Close' }).click()
  }
  expect(foreign).toEqual([])
})
